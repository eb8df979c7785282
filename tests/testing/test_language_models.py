"""The fake keeps the port's promises."""

import pytest

from metier.enrich.language_model import LanguageModel, Prompt
from metier.errors import ModelAnswerError
from metier.testing.language_models import FakeLanguageModel

SCHEMA = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}, "additionalProperties": False}
PROMPT = Prompt("How many?", "Count the jobs.")


def test_it_answers_keeps_prompts_and_counts():
    fake: LanguageModel = FakeLanguageModel(lambda prompt, schema: {"n": len(prompt.user)}, price=0.5)
    reply = fake.complete(PROMPT, SCHEMA)
    assert reply.content == {"n": 15}
    assert reply.cost == (reply.input_tokens + reply.output_tokens) * 0.5 > 0
    assert fake.prompts == [PROMPT]
    assert FakeLanguageModel().complete(PROMPT, SCHEMA).content == {"n": 0}


@pytest.mark.parametrize("answer", [{"n": "1"}, {"m": 1}, "no JSON", '{"n": 1, "n": 2}', [1]])
def test_it_cannot_lie_about_the_schema(answer):
    with pytest.raises(ModelAnswerError, match="fake"):
        FakeLanguageModel(lambda prompt, schema: answer).complete(PROMPT, SCHEMA)
