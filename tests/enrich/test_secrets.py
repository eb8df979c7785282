"""Canaries: neither the key nor a word of prompt or answer reaches a log, an error or a printed object."""

import json
import logging
import traceback

import pytest

from metier.enrich.language_model import Prompt
from metier.enrich.model_config import LanguageModelConfig
from metier.enrich.openai_client import OpenAIModel
from metier.errors import ModelAnswerError
from metier.testing.endpoint import Faults, MockEndpoint

KEY, WORD, ECHO = "sk-canary-key", "canaryprompt", "canaryanswer"
SCHEMA = {"type": "object", "required": ["skills"], "properties": {"skills": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("faults", "accepted"),
    [
        (Faults(), KEY),
        (Faults(), "another key"),
        (Faults(broken=1), KEY),
        (Faults(rate_limited=1, retry_after=0), KEY),
        (Faults(hanging=1, hang=0.4), KEY),
        (Faults(cut=1), KEY),
    ],
    ids=["wrong-answer", "wrong-key", "broken", "busy", "hanging", "cut"],
)
def test_canaries(faults, accepted, caplog, capfd, monkeypatch):
    monkeypatch.setenv("A_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):  # openai, httpx2, httpcore2 and all others
        caplog.set_level(logging.DEBUG, logger=name)

    def answer(request, schema):
        return json.dumps({"skills": f"{ECHO} {request['messages'][1]['content']}"})

    calls = []
    with MockEndpoint(faults, answer=answer, api_key=accepted) as endpoint:
        config = LanguageModelConfig(
            base_url=endpoint.url, model="m", api_key_env="A_KEY", backoff=0.01, attempts=2, timeout=0.2
        )
        model = OpenAIModel(config, on_call=calls.append)
        with pytest.raises(ModelAnswerError) as caught:
            model.complete(Prompt(f"{WORD} system", f"{WORD} user"), SCHEMA)
        assert endpoint.calls, "the request did not arrive"
    printed = capfd.readouterr()
    everything = [caplog.text, printed.out, printed.err, repr(calls), repr(model), repr(config), str(vars(config))]
    everything += traceback.format_exception(caught.value)
    assert len(caplog.records) > 3, "the loggers were not heard"
    for canary in (KEY, WORD, ECHO):
        assert canary not in "\n".join(everything)
    assert "m at http://127.0.0.1" in str(caught.value)
