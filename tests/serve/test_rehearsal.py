"""What the first visitor would wait for is there before: nothing is loaded or compiled for the first request."""

import gc
import subprocess
import sys
import weakref

from metier.enrich.skills import skill_finder
from metier.live import LiveModel
from metier.serve import rehearsal
from metier.serve.pages import templates

FIRST = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from open_site import site_of
from metier.serve import app
from metier.serve.pages import templates
rehearse, done = app.rehearse, []
app.rehearse = lambda model: (rehearse(model), done.append(model.version))
with site_of(Path(sys.argv[2]), Path(sys.argv[3])) as site:
    until = time.monotonic() + 60
    while not done and time.monotonic() < until:
        time.sleep(0.05)
    known, compiled = set(sys.modules), len(templates._environment().cache)
    visitor = site.visitor().open("/").open("/try").send("/try", press=("sample", "nurse"))
    site.signed_in("seeker").open("/jobs").open("/job?id=nurse-1").open("/profile")
    site.signed_in("recruiter").open("/people?job=nurse-1")
    site.signed_in("operator").open("/dashboard").open("/audit")
    ours = {"metier", "sklearn", "scipy", "numba", "pandas", "altair", "jinja2"}
    print("new", sorted(one for one in set(sys.modules) - known if one.partition(".")[0] in ours))
    print("compiled", len(templates._environment().cache) - compiled)
    print("sklearn", "sklearn" in sys.modules)
"""


def test_every_kind_of_question_is_asked(town_bundles, monkeypatch):
    templates._environment.cache_clear()
    skill_finder.cache_clear()
    asked, answer = [], LiveModel.reasons
    monkeypatch.setattr(LiveModel, "reasons", lambda *given, **how: asked.append(given[1]) or answer(*given, **how))
    rehearsal.rehearse(LiveModel.load(town_bundles / "first"))
    assert [bool(one.applied) for one in asked] == [False, True]
    assert skill_finder.cache_info().currsize == 1
    assert len(templates._environment().cache) == len(templates._environment().list_templates())


def test_the_service_rehearses_once(make_world, running):
    async def story():
        async with make_world() as world:
            world.service._rehearse, world.service._rehearsed = asked.append, False
            for _ in range(2):
                world.service._rehearse_once()
            return world.service.models.held(world.tenant)

    asked = []
    model = running(story())
    assert asked == [model]


def test_the_service_settles_once_for_each_model_and_not_twice_a_minute(make_world, running):
    async def story():
        async with make_world(follow_seconds=60) as world:
            world.service._settle, world.service._settled = lambda: settled.append(1), []
            world.service._may_settle_at = 0.0
            for _ in range(2):
                world.service._settle_anew()
            assert len(settled) == 1
            world.service._settled = ["another@0123456789ab"]
            world.service._settle_anew()
            assert len(settled) == 1
            world.service._may_settle_at = 0.0
            world.service._settle_anew()

    settled = []
    running(story())
    assert len(settled) == 2


def test_what_is_settled_is_not_searched_for_garbage_until_it_settles_anew():
    kept = [{} for _ in range(10)]
    kept[0]["itself"] = kept[0]
    try:
        rehearsal.settle()
        assert not {id(one) for one in kept} & {id(one) for one in gc.get_objects()}
        watched = weakref.ref(loop := Loop())
        loop.itself = loop
        rehearsal.settle()
        del loop
        gc.collect()
        assert watched() is not None
        rehearsal.settle()
        assert watched() is None
    finally:
        gc.unfreeze()


class Loop:
    """Refers to itself, so that only a collection ends it."""


def test_first_requests_load_nothing(town_bundles, tmp_path, request):
    """In a process of its own, whose first requests these are. Scikit-learn is for training: it takes two seconds."""
    command = [sys.executable, "-c", FIRST, str(request.path.parent), str(town_bundles), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    told = [line for line in done.stdout.splitlines() if line.startswith(("new ", "compiled ", "sklearn "))]
    assert told == ["new []", "compiled 0", "sklearn False"]
