"""Ctrl-C ends `metier enrich` at once, whatever it waits for, and keeps what was finished."""

import signal
import subprocess
import sys
import time

import pytest

from metier.data.splits import folds
from metier.data.workspace import Workspace
from metier.enrich.completion import Generative
from metier.enrich.grounds import gather
from metier.enrich.prompt import PromptFile
from metier.enrich.run import Plan
from metier.store import CompletionStore, Database
from metier.testing.endpoint import Faults, MockEndpoint
from metier.testing.language_models import FakeLanguageModel
from metier.testing.worlds import small_town

WORKERS = 3
NOBODY_WAITS_SO_LONG = 120.0
TRUE = {"title": "Cook", "employer": None, "years": None, "quote": "", "cites": ["H1"]}


def answer(_request, _schema):
    return {"headline": None, "summary": [], "skills": [], "experience": [TRUE], "education": []}


@pytest.mark.parametrize(
    ("faults", "stuck"),
    [
        (Faults(hanging=0.2, hang=NOBODY_WAITS_SO_LONG), WORKERS),
        (Faults(rate_limited=0.2, retry_after=NOBODY_WAITS_SO_LONG), 1),
    ],
    ids=["every worker waits for an answer", "all wait as long as the endpoint asks for"],
)
def test_the_first_interrupt_ends_it(tmp_path, faults, stuck):
    town = small_town(people=40)
    Workspace(tmp_path).save("town", town, {})
    settings = tmp_path / "model.toml"
    command = [sys.executable, "-c", "from metier.cli.app import main; main()", "enrich", "town", "--prompt", "simple"]
    command += ["--protocol", "temporal", "--model-config", str(settings), "--home", str(tmp_path)]
    with MockEndpoint(faults, answer=answer) as endpoint:
        settings.write_text(
            f'base_url = "{endpoint.url}"\nmodel = "mock"\nconcurrency = {WORKERS}\n'
            f"timeout = {NOBODY_WAITS_SO_LONG}\nmax_tokens = 500\n"
        )
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                deadline = time.monotonic() + 60
                while sum(call.outcome != "answered" for call in endpoint.calls) < stuck:
                    assert process.poll() is None, "it ended by itself"
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
                time.sleep(0.5)  # what was answered meanwhile is stored
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=20)  # on a busy machine; the waits take 120
            finally:
                process.kill()
    assert (process.returncode, out) == (130, "")
    assert err == "metier: interrupted; what was finished is kept, and the same command goes on from there\n"

    answered = sum(call.outcome == "answered" for call in endpoint.calls)
    store = CompletionStore(Database.open(tmp_path / "metier.db"))
    parameters = {"temperature": 0.0, "seed": 0, "max_tokens": 500}
    completer = Generative(PromptFile.read("simple"), FakeLanguageModel(name="mock", parameters=parameters))
    plan = Plan.make(completer, "town", gather(next(folds(town, "temporal"))), store)
    assert len(plan.states) == answered > 0, "a finished completion was lost"
    still_open = [row for row in store.ledger(list(plan.grounds)) if row["state"] == "sent"]
    assert len(still_open) == sum(call.outcome == "hanging" for call in endpoint.calls)
