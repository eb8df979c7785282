"""The mock endpoint fails as often as it is told to, the same way for the same seed, also as a process of its own."""

import json
import subprocess
import sys
from collections import Counter

import pytest

from metier.enrich.language_model import Prompt
from metier.enrich.model_config import LanguageModelConfig
from metier.enrich.openai_client import OpenAIModel
from metier.testing.endpoint import Faults, MockEndpoint

SCHEMA = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}, "additionalProperties": False}


def ask(url: str, **settings) -> dict:
    config = LanguageModelConfig(base_url=url, model="mock", **settings)
    return OpenAIModel(config).complete(Prompt("How many?", "Count."), SCHEMA).content


def test_shares_are_kept():
    faults = Faults(rate_limited=0.3, broken=0.15, hanging=0.1, garbage=0.1, cut=0.05)
    endpoint = MockEndpoint(faults)
    drawn = Counter(endpoint.draw(f"{i}")[0] for i in range(20_000))
    endpoint._server.server_close()
    for fault, share in [("rate_limited", 0.3), ("broken", 0.15), ("hanging", 0.1), ("cut", 0.05), ("answered", 0.3)]:
        assert drawn[fault] / 20_000 == pytest.approx(share, abs=0.015)


def test_the_same_seed_fails_the_same_way():
    def fates(seed: int) -> list[str]:
        endpoint = MockEndpoint(Faults(broken=0.5), seed=seed)
        endpoint._server.server_close()
        return [endpoint.draw("question")[0] for _ in range(50)]

    assert fates(1) == fates(1) != fates(2)


@pytest.mark.parametrize("supports", [("json_schema", "json_object"), ("json_object",), ()])
def test_it_finds_the_schema_on_every_rung(supports):
    with MockEndpoint(supports=supports, answer=lambda request, schema: {"n": len(schema["properties"])}) as endpoint:
        assert ask(endpoint.url) == {"n": 1}
    assert endpoint.calls[-1].outcome == "answered"
    assert len(endpoint.calls) == {2: 1, 1: 2, 0: 3}[len(supports)]


def test_it_demands_its_key(monkeypatch):
    monkeypatch.setenv("A_KEY", "right")
    with MockEndpoint(api_key="right") as endpoint:
        assert ask(endpoint.url, api_key_env="A_KEY") == {"n": 0}


def test_as_a_process_it_logs_what_it_saw(tmp_path):
    log = tmp_path / "seen.jsonl"
    command = [sys.executable, "-m", "metier.testing.endpoint", "--broken", "0.5", "--seed", "4", "--log", str(log)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert ask(process.stdout.readline().strip(), backoff=0.01) == {"n": 0}
        process.stdin.close()
        assert process.wait(10) == 0
    seen = [json.loads(line) for line in log.read_text().splitlines()]
    assert seen[-1]["outcome"] == "answered"
    assert {call["outcome"] for call in seen[:-1]} <= {"broken"}
    assert all(len(call["id"]) == 32 for call in seen)
