"""What visitors would wait for is done before: templates, vocabularies, compiled loops, and the garbage of all that."""

import gc
from dataclasses import replace

from metier.live import Asker, Filter, LiveModel
from metier.serve.pages import samples
from metier.serve.pages.templates import compile_all
from metier.sources.documents.document import Document
from metier.sources.documents.recognise import candidate_of


def rehearse(model: LiveModel) -> None:
    """Answer every kind of question once for somebody made up, with and without a history."""
    import metier.evaluate.run_folder  # noqa: F401 - what the dashboard reads runs with

    compile_all()
    text = samples.SAMPLES[0].text
    candidate_of(Document(kind="text", how="text layer", text=text, pages=1))
    somebody, now = Asker(text=text), model.newest or 0.0
    jobs = [one.job for one in model.jobs(somebody, Filter(), 2, now=now).suggestions]
    for job in jobs[:1]:
        model.people(job, model.pool({"somebody": somebody}), 1, now=now)
        model.similar(job, 1, now=now)
        for one in (somebody, replace(somebody, applied=((job, now),))):
            model.jobs(one, Filter(), 1, now=now)
            model.reasons(one, jobs[-1:])
            model.raises(one, jobs[-1])


def settle() -> None:
    """Leave what is there now, code and models, out of every later collection of garbage: one over all of it stops
    every request, for longer than a hundred answers take."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
