"""The page docs/why/does-the-resume-help.md, printed from the results of `metier study` kept in benchmarks/study.

    python benchmarks/resume_page.py > docs/why/does-the-resume-help.md
    python benchmarks/resume_page.py keep STUDY.json --as quickhire

`keep` writes benchmarks/study/quickhire.json with what the page needs of a study.json and nothing else.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from textwrap import fill

from metier.enrich.study.charts import DRAWN as SHOWN
from metier.enrich.study.plan import MAIN
from metier.enrich.study.study import MODEL_CONTRASTS, TEXT_CONTRASTS
from metier.enrich.study.texts import CONDITIONS
from metier.enrich.study.words import ALPHA, CONTROL, answers, limits
from metier.evaluate.report import p_value
from metier.evaluate.summary import SEGMENTS
from study.results import Board, Found, boards, lean

KEPT = Path(__file__).parent / "study"
BUCKETS = [segment for segment in SEGMENTS if segment not in ("all", "warm")]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; nothing without rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", "| --- |" + " ---: |" * (len(head) - 1), *lines, ""]) if lines else ""


def effect(one: Found | None) -> str:
    """A difference with its interval, and a star where Holm's correction leaves something."""
    if one is None:
        return "–"
    star = " *" if one["p_holm"] < ALPHA else ""
    return f"{one['difference']:+.4f} [{one['low']:+.4f}, {one['high']:+.4f}]{star}"


def verdict(some: Sequence[Found]) -> str:
    """Yes where all intervals lie above zero, also after Holm's correction; no where one lies below; else not shown."""
    if all(one["low"] > 0 for one in some):
        return "yes" if all(one["p_holm"] < ALPHA for one in some) else "by its interval, not after Holm's correction"
    if any(one["high"] < 0 for one in some):
        return "no, it does harm"
    return "not shown"


def _fields(board: Board) -> list[list[Found]]:
    """All fields of people together, both ways, and the one field that FM gains most from."""
    mine = [one for one in board.contrasts.values() if (one["model"], one["segment"]) == ("fm", "all")]
    whole = [one for one in mine if one["name"] in ("only person − ids alone", "everything − without person")]
    single = [one for one in mine if one["name"].startswith(("only person.", "everything − without person."))]
    return [[one] for one in [*whole, *sorted(single, key=lambda one: -one["difference"])[:1]]]


def _text(board: Board) -> list[list[Found]]:
    """The text of the best model that beats no text and its control, or gains most."""
    pairs = [
        [board.contrast(f"{text} − {other}", board.best() or "") for other in ("none", control)]
        for text, control in CONTROL.items()
    ]
    whole = [[one for one in pair if one] for pair in pairs if all(pair)]
    return [max(whole, key=lambda pair: (min(one["low"] for one in pair) > 0, pair[0]["difference"]))] if whole else []


def _completed(board: Board) -> list[list[Found]]:
    """The completion from which people without a past gain most beside the raw text, with the best model."""
    some = [board.contrast(f"{text} − raw", board.best() or "", "cold") for text in ("simple", "interactive")]
    there = [one for one in some if one]
    return [[max(there, key=lambda one: one["difference"])]] if there else []


def _few_shot(board: Board) -> list[list[Found]]:
    """People without an application and people with one, apart."""
    some = [board.contrast("LGIR − BASE", "lgir", segment) for segment in ("cold", "history 1")]
    return [[one] for one in some if one]


QUESTIONS: tuple[tuple[str, str, Callable[[Board], list[list[Found]]]], ...] = (
    ("Do fields of people beyond ids help FM on scout?", "scout", _fields),
    ("Does text help the best model on quickhire, beyond the shuffled control?", "quickhire", _text),
    ("Does a completed text help people of the market without applications, beyond the raw one?", "market", _completed),
    ("Does LGIR beat its BASE for people of the market with no or one application?", "market", _few_shot),
)


def questions(found: Sequence[Board]) -> Iterator[tuple[str, ...]]:
    """A row for each answer: question, contrast and people, effect, Holm p, power, verdict."""
    for question, name, ask in QUESTIONS:
        replies = [(board, some) for board in found if board.name == name for some in ask(board)]
        for board, some in replies:
            who = [f"{bucket(one['segment'])} ({one['people']:,}, {board.protocol})" for one in some]
            yield (
                question,
                "<br>".join(f"{one['model']}, {one['name']}, {told}" for one, told in zip(some, who, strict=True)),
                "<br>".join(map(effect, some)),
                "<br>".join(p_value(one["p_holm"]) for one in some),
                "<br>".join(f"{one['seen']:.4f}" for one in some),
                verdict(some),
            )
        if not replies:
            yield question, "–", "–", "–", "–", "no result is kept"


def bucket(segment: str) -> str:
    """Who is in a segment, in words."""
    return {"all": "everybody", "cold": "no past application", "history 1": "1 past application"}.get(
        segment, f"{segment.removeprefix('history ')} past applications"
    )


def sections(board: Board) -> Iterator[tuple[str, str]]:
    """Title and table; a table of which nothing is there is empty."""
    best, grids = board.best(), [name for name in board.grids if name != MAIN]
    yield f"MAP@{board.k}, everybody", levels(board, board.models(MAIN))
    for name in grids:
        if set(board.models(name)) - set(board.models(MAIN)):
            yield f"The grid `{name}`, MAP@{board.k}, everybody", levels(board, board.models(name))
    yield "What a text changes, everybody", changes(board)
    if best:
        yield f"All contrasts of {best}, everybody", tests(board, [f"{a} − {b}" for a, b in TEXT_CONTRASTS], best)
    yield "LGIR and its parts, everybody", tests(board, [name for name, *_ in MODEL_CONTRASTS], "lgir")
    yield f"By number of past applications, {f'{best} and ' if best else ''}LGIR", by_bucket(board, best)
    yield "What fields are worth, everybody", by_field(board)
    yield "What the audit found", audits(board)


def levels(board: Board, models: Sequence[str]) -> str:
    """MAP of models by text."""
    texts = [text for text in CONDITIONS if any((model, text, "all") in board.means for model in models)]
    few, rows = len(texts) <= 3, []
    for model in models:
        there = [board.means.get((model, text, "all")) for text in texts]
        seeds = sorted({one["seeds"] for one in there if one})
        row = [model, "–".join(str(one) for one in seeds[:: max(1, len(seeds) - 1)])]
        rows.append([*row, *(level(one, few) for one in there)])
    return table(["model", "seeds", *texts], rows)


def level(one: Found | None, interval: bool) -> str:
    """A mean, with the standard deviation of its seeds; with its interval where there is room."""
    if one is None:
        return "–"
    seeds = one.get("between_seeds")
    wide = f" [{one['low']:.4f}, {one['high']:.4f}]" if interval else ""
    return f"{one['map']:.4f}{wide}" + (f" ± {seeds:.4f}" if seeds is not None else "")


def changes(board: Board) -> str:
    """The contrasts that have a column, for each model of the main grid."""
    rows = [[model, *(effect(board.contrast(name, model)) for name in SHOWN)] for model in board.models(MAIN)]
    return table(["model", *SHOWN], [row for row in rows if set(row[1:]) != {"–"}])


def tests(board: Board, names: Iterable[str], model: str) -> str:
    """Contrasts of a model with their power."""
    some = [one for name in names if (one := board.contrast(name, model))]
    rows = [[one["name"], effect(one), p_value(one["p_holm"]), f"{one['seen']:.4f}"] for one in some]
    return table(["contrast", "difference [95 %]", "Holm p", "would have been seen"], rows)


def by_bucket(board: Board, best: str | None) -> str:
    """The best model and LGIR − BASE for people with so many past applications, each with its power."""
    columns = [(name, best or "") for name in SHOWN] + [(MODEL_CONTRASTS[0][0], "lgir")]
    columns = [one for one in columns if any(board.contrast(*one, segment) for segment in BUCKETS)]
    rows = []
    for segment in BUCKETS:
        some = [board.contrast(*column, segment) for column in columns]
        people = next((f"{one['people']:,}" for one in some if one), None)
        if people:
            powers = [f" ({one['seen']:.4f})" if one else "" for one in some]
            rows.append(
                [bucket(segment), people, *(effect(one) + power for one, power in zip(some, powers, strict=True))]
            )
    return table(["", "people", *(name for name, _ in columns)], rows)


def by_field(board: Board) -> str:
    """What a field adds to the ids alone, and what all else loses without it."""
    fields: dict[tuple[str, str], dict[str, Found]] = {}
    for one in board.contrasts.values():
        how, _, name = one["name"].removeprefix("everything − ").removesuffix(" − ids alone").partition(" ")
        if how in ("only", "without") and one["segment"] == "all":
            fields.setdefault((one["model"], name), {})[how] = one
    rows = [
        [name, model, effect(some.get("only")), effect(some.get("without"))] for (model, name), some in fields.items()
    ]
    return table(["field", "model", "only it − ids alone", "everything − without it"], rows)


def audits(board: Board) -> str:
    """The share of statements in a text that do not follow from what they cite."""
    rows = [
        [
            one["condition"],
            one["source"],
            f"{one['items']:,}",
            f"{one['rate']:.1%}" if one["items"] else "–",
            f"{one['without']:,} of {one['people']:,}",
        ]
        for one in board.audits.values()
    ]
    return table(["text", "made by", "statements judged", "not supported", "people without"], rows)


def runs(files: dict[str, Found]) -> str:
    """The command of each file and how far it came."""
    rows = []
    for name, study in files.items():
        lacking = [f"{len(study['failed'])} failed"] if study["failed"] else []
        lacking += [f"left out: {', '.join(study['left_out'])}"] if study["left_out"] else []
        row = [f"[{name}](../../benchmarks/study/{name})", f"`{study['command']}`", study["written"][:10]]
        cells = f"{study['cells']['finished']} of {study['cells']['all']}"
        rows.append([*row, "; ".join([cells, *lacking]), f"{study['seconds'] / 60:,.0f}"])
    return table(["file", "command", "written", "cells finished", "minutes"], rows)


def page(files: dict[str, Found]) -> str:
    """The whole page from the studies by file name."""
    found = boards(files.values())
    said = [
        f"- {sentence}"
        for board in found
        for sentence in answers(
            board.name, [*board.means.values()], [*board.contrasts.values()], [board.best() or ""], board.k
        )
    ]
    head = ["question", "figure", "difference [95 %]", "Holm p", "would have been seen", "answer"]
    parts = [HEAD, "\n".join([*said, ""]) if said else NOTHING, RULES, table(head, questions(found))]
    for board in found:
        parts += [f"## {board}\n"] + [f"**{title}**\n\n{body}" for title, body in sections(board) if body]
    parts += [f"## Commands\n\n{runs(files)}"] if files else []
    rows = ((model, text) for board in found for model, text, _ in board.means)
    completions = {text for board in found for text, source in board.audits if source != "rules"}
    told = [fill(f"- {one}", 120, subsequent_indent="  ") + "\n" for one in limits(rows, completions)]
    return "\n".join([*parts, "".join([LIMITS, *told])])


HEAD = """# Does the résumé help?

`python benchmarks/resume_page.py` prints this page from the results that `metier study` left in `benchmarks/study`.
[Find out whether the résumé helps](../how-to/study-resumes.md) says what the texts and the contrasts are. The sentences
follow from the figures by fixed rules:
"""
NOTHING = "- No result is kept that gives an answer.\n"
RULES = """*yes* needs a text of the person, `raw` or `interactive`, that beats both no text and the same text of
somebody else: paired 95 % intervals above zero, and Holm's p below 0.05 for both. Where the intervals alone say so, so
does the sentence. The model is the one with the highest mean MAP over the texts that all models of its board have read.

## Questions that were set before the runs

*yes*: the paired 95 % interval over people lies above zero, and Holm's p is below 0.05; with two contrasts, both are.
*by its interval*: Holm's p is not. *not shown*: the interval holds zero; then *would have been seen* is the
true effect that the test finds with 80 % chance, before Holm's correction. Of several texts or single fields the one
that gained most is shown, so its own interval flatters it; Holm's p counts all contrasts of its board and group of
people.

In all tables, a star marks what that correction leaves below 0.05, figures in round brackets are the effect that would
have been seen, and ± is the standard deviation between seeds.
"""
LIMITS = """## Limits

- Where the audit says `rules`, no language model wrote the completions: rules did, from the records that a prompt would
  be given. A good model may complete better, and may invent; `--completions` judges its texts in the same way.
- The market's postings and résumés are written with the vocabulary of skills that the rules complete by, so there the
  gain of a completion is an upper bound. Real boards have words of their own.
- LGIR here is one reading of a paper of which only the abstract and summaries were at hand, with
  [choices of ours](../decisions/0011-lgir-where-the-paper-is-silent.md). Its place says nothing about the authors'
  own program.
- Intervals are over people, on one set of postings per board. They do not say what another board or another year would
  show.
- Truth is who applied or looked. A better job that nobody was shown counts as an error.
- These runs are older than [decision 19](../decisions/0019-words-read-through-postings.md), by which `profile`, one of
  the ranker's sources, reads words through postings. The README's table has the ranker of today.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    keep = parser.add_subparsers(dest="task").add_parser("keep", help="write what the page needs of a study.json")
    keep.add_argument("study", type=Path)
    keep.add_argument("--as", dest="name", required=True, help="name of the file in benchmarks/study, without .json")
    given = parser.parse_args()
    if given.task == "keep":
        kept = lean(json.loads(given.study.read_text(encoding="utf-8")))
        KEPT.mkdir(exist_ok=True)
        text = json.dumps(kept, ensure_ascii=False, separators=(",", ":")).replace('{"name"', '\n{"name"')
        (KEPT / f"{given.name}.json").write_text(text.replace('{"model"', '\n{"model"') + "\n", encoding="utf-8")
    else:
        files = sorted(KEPT.glob("*.json"))
        print(page({path.name: json.loads(path.read_text(encoding="utf-8")) for path in files}), end="")


if __name__ == "__main__":
    main()
