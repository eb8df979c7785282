"""The client against scripted endpoints: ladder, repairs, retries, ledger, budget."""

import json
import time
from collections import deque

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from metier.enrich.language_model import Prompt
from metier.enrich.model_config import LanguageModelConfig
from metier.enrich.openai_client import OpenAIModel
from metier.enrich.spending import Spending
from metier.errors import BudgetError, ModelAnswerError

PROMPT = Prompt("Which skills?", "She welds.")
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["skills"],
    "properties": {"skills": {"type": "array", "items": {"type": "string", "maxLength": 20}}},
}
GOOD = {"skills": ["welding"]}


def completion(text=None, *, usage=(10, 5), finish="stop", refusal=None) -> dict:
    message = {"role": "assistant", "content": json.dumps(GOOD) if text is None else text, "refusal": refusal}
    body = {"choices": [{"index": 0, "finish_reason": finish, "message": message}]}
    return body | ({"usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1]}} if usage else {})


class Script:
    """An endpoint that answers as listed, the last entry for ever; keeps the requests' bodies."""

    def __init__(self, server):
        self.server, self.requests, self.headers, self.answers = server, [], [], []
        server.expect_request("/v1/chat/completions").respond_with_handler(self.handle)

    def handle(self, request) -> Response:
        self.requests.append(request.get_json())
        self.headers.append(request.headers)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if isinstance(answer, Response):
            return answer
        if callable(answer):
            return answer(request)
        return Response(json.dumps(answer), content_type="application/json")

    def forms(self) -> list[str]:
        return [request.get("response_format", {"type": "plain"})["type"] for request in self.requests]


@pytest.fixture
def httpserver():
    """A server for each test: a request that a client gave up must not reach the script of the next one."""
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture
def script(httpserver):
    return Script(httpserver)


@pytest.fixture
def model(httpserver):
    def make(on_call=None, spent=None, **settings) -> OpenAIModel:
        known = {"base_url": httpserver.url_for("/v1"), "model": "m", "backoff": 0.01, "timeout": 5}
        return OpenAIModel(LanguageModelConfig(**known | settings), on_call=on_call, spent=spent)

    return make


def test_one_question_one_answer(script, model):
    script.answers = [completion()]
    asked = model(input_price=1.0, output_price=2.0, seed=3, max_tokens=50)
    reply = asked.complete(PROMPT, SCHEMA)
    assert reply.content == GOOD
    assert (reply.input_tokens, reply.output_tokens, reply.calls) == (10, 5, 1)
    assert reply.cost == pytest.approx((10 * 1 + 5 * 2) / 1e6)
    sent = script.requests[0]
    assert (sent["model"], sent["temperature"], sent["seed"], sent["max_tokens"]) == ("m", 0.0, 3, 50)
    assert asked.parameters == {"temperature": 0.0, "seed": 3, "max_tokens": 50}
    assert asked.spent == Spending(10, 5, reply.cost, 1)


def test_what_is_not_set_is_not_sent(script, model, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    monkeypatch.setenv("OPENAI_ORG_ID", "canary")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "canary")
    script.answers = [completion()]
    model(temperature=None, seed=None, max_tokens_field="max_completion_tokens").complete(PROMPT, SCHEMA)
    assert not {"temperature", "seed", "max_tokens"} & set(script.requests[0])
    assert "canary" not in str(script.headers[0])
    assert "Authorization" not in script.headers[0]


def unless(*forms):
    """A 400 for these response formats, an answer for others."""

    def answer(request):
        form = request.get_json().get("response_format", {"type": "plain"})
        known = form["type"] not in forms and not ("maxLength" in forms and "maxLength" in json.dumps(form))
        return Response(json.dumps(completion() if known else {}), 200 if known else 400)

    return answer


@pytest.mark.parametrize(
    ("refused", "forms", "rung"),
    [
        ([], ["json_schema"], "json_schema"),
        (["maxLength"], ["json_schema", "json_schema"], "json_schema_bare"),
        (["json_schema"], ["json_schema", "json_schema", "json_object"], "json_object"),
        (["json_schema", "json_object"], ["json_schema", "json_schema", "json_object", "plain"], "plain"),
    ],
)
def test_the_ladder_is_gone_down_once(script, model, refused, forms, rung):
    script.answers = [unless(*refused)]
    asked = model()
    assert asked.complete(PROMPT, SCHEMA).content == GOOD
    assert script.forms() == forms
    assert asked.rung(SCHEMA) == rung
    assert asked.complete(PROMPT, SCHEMA).calls == 1, "the rung was not remembered"


def test_an_endpoint_that_ignores_response_format_is_found_out(script, model):
    script.answers = [completion("Skills: welding"), completion("Skills: welding"), completion()]
    asked = model()
    assert asked.complete(PROMPT, SCHEMA).calls == 3
    assert script.forms() == ["json_schema", "json_schema", "json_object"]
    assert asked.rung(SCHEMA) == "json_object"


def test_a_long_prompt_is_not_taken_for_a_missing_feature(script, model):
    script.answers = [completion(), Response("{}", 400)]
    asked = model()
    asked.complete(PROMPT, SCHEMA)
    with pytest.raises(ModelAnswerError, match=r"HTTP 400.*length"):
        asked.complete(PROMPT, SCHEMA)
    assert script.forms() == ["json_schema"] * 2


def test_a_wrong_answer_is_repaired_in_the_same_conversation(script, model):
    script.answers = [completion(), completion('{"skills": "welding"}'), completion()]
    asked = model()
    asked.complete(PROMPT, SCHEMA)
    reply = asked.complete(PROMPT, SCHEMA)
    assert (reply.calls, reply.input_tokens, reply.output_tokens) == (2, 20, 10)
    turns = script.requests[-1]["messages"]
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"]
    assert "properties/skills/type" in turns[-1]["content"]
    assert asked.rung(SCHEMA) == "json_schema"


def test_two_repairs_are_all(script, model):
    script.answers = [completion('{"canary": 1}')]
    with pytest.raises(ModelAnswerError, match=r"^m at http.*breaks the schema") as caught:
        model().complete(PROMPT, SCHEMA)
    assert len(script.requests) == 3
    assert "canary" not in str(caught.value)


def test_a_cut_answer_is_asked_for_again_and_not_sent_back(script, model):
    script.answers = [completion('{"skills": ["wel', finish="length"), completion()]
    assert model().complete(PROMPT, SCHEMA).content == GOOD
    assert "shorter" in script.requests[1]["messages"][-1]["content"]
    assert "assistant" not in [turn["role"] for turn in script.requests[1]["messages"]]


@pytest.mark.parametrize("answer", [completion("", refusal="canary"), completion("", finish="content_filter")])
def test_a_refusal_ends_it(script, model, answer):
    script.answers = [answer]
    with pytest.raises(ModelAnswerError, match="refuses") as caught:
        model().complete(PROMPT, SCHEMA)
    assert len(script.requests) == 1
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_statuses_that_pass_are_tried_again(script, model, status):
    script.answers = [Response("{}", status), Response("{}", status), completion()]
    assert model().complete(PROMPT, SCHEMA).calls == 3


@pytest.mark.parametrize(
    ("status", "calls"), [(400, 4), (401, 1), (403, 1), (404, 1), (422, 4), (302, 1), (413, 1), (402, 1)]
)
def test_statuses_that_stay_are_not(script, model, status, calls):
    script.answers = [Response("{}", status, headers={"Location": "/elsewhere"})]
    with pytest.raises(ModelAnswerError, match=f"HTTP {status}.*cure"):
        model().complete(PROMPT, SCHEMA)
    assert len(script.requests) == calls  # 400 and 422: once a rung


def test_attempts_are_bounded(script, model):
    script.answers = [Response("{}", 500)]
    with pytest.raises(ModelAnswerError, match="HTTP 500 after 4 attempts"):
        model(attempts=4).complete(PROMPT, SCHEMA)
    assert len(script.requests) == 4


def test_retry_after_is_waited_for(script, model):
    script.answers = [Response("{}", 429, headers={"Retry-After": "1"}), completion()]
    began = time.monotonic()
    model().complete(PROMPT, SCHEMA)
    assert 1 <= time.monotonic() - began < 2


def test_a_wait_that_is_too_long_ends_it_and_those_that_follow(script, model):
    script.answers = [Response("{}", 429, headers={"Retry-After": "3600"}), completion()]
    asked = model()
    for _ in range(2):
        with pytest.raises(ModelAnswerError, match="max_wait"):
            asked.complete(PROMPT, SCHEMA)
    assert len(script.requests) == 1, "the endpoint said when to come back"


def test_the_waits_of_one_completion_are_bounded_together(script, model):
    script.answers = [Response("{}", 429, headers={"Retry-After": "0.3"})]
    with pytest.raises(ModelAnswerError, match="max_wait"):
        model(max_wait=0.7).complete(PROMPT, SCHEMA)
    assert len(script.requests) == 3


def drip(_request) -> Response:
    def body():
        for _ in range(100):
            yield b" "
            time.sleep(0.05)

    return Response(body(), content_type="application/json")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Response("<html>", content_type="text/html"), "garbled"),
        (Response('{"choices": []}'), "garbled"),
        (Response('{"choices": [{"message": null}]}'), "garbled"),
        (Response(b"\xff\xfe"), "garbled"),
        (Response(b" " * 9_000_000), "garbled"),
        (drip, "timeout"),
    ],
    ids=["html", "empty", "null", "bytes", "endless", "drip"],
)
def test_answers_that_are_none(script, model, answer, reason):
    script.answers = [answer]
    asked = model(attempts=2, timeout=0.3 if reason == "timeout" else 5)
    with pytest.raises(ModelAnswerError, match=f"{reason} after 2 attempts"):
        asked.complete(PROMPT, SCHEMA)
    assert asked.spent.output_tokens == 2 * asked.config.max_tokens, "it may have cost as much"


def test_nothing_is_booked_for_an_endpoint_that_is_not_there(model):
    calls = []
    asked = model(base_url="http://127.0.0.1:9/v1", attempts=3, on_call=calls.append)
    with pytest.raises(ModelAnswerError, match="connection after 3"):
        asked.complete(PROMPT, SCHEMA)
    assert asked.spent == Spending(calls=3)
    assert [call.status for call in calls] == [None, "connection"] * 3


def test_an_endpoint_that_is_down_is_left_alone(model):
    asked = model(base_url="http://127.0.0.1:9/v1", breaker_failures=2, breaker_pause=30, max_wait=0.1, attempts=2)
    with pytest.raises(ModelAnswerError, match="connection"):
        asked.complete(PROMPT, SCHEMA)
    began = time.monotonic()
    with pytest.raises(ModelAnswerError, match="down"):
        asked.complete(PROMPT, SCHEMA)
    assert time.monotonic() - began < 1
    assert asked.spent.calls == 2


def test_every_request_is_told_before_and_after(script, model):
    script.answers = [Response("{}", 500), completion("no"), completion(usage=None)]
    first, second = [], []
    asked = model(on_call=first.append, max_tokens=100)
    reply = asked.recording(second.append).complete(PROMPT, SCHEMA)
    assert first == []
    assert [call.status for call in second] == [None, "HTTP 500", None, "ok", None, "ok"]
    assert [call.attempt for call in second] == [1, 1, 2, 2, 3, 3]
    assert [call.id for call in second[::2]] == [headers["X-Client-Request-Id"] for headers in script.headers]
    spent = sum((call.spending for call in second[1::2]), Spending())
    assert spent == asked.spent == Spending(reply.input_tokens, reply.output_tokens, reply.cost, reply.calls)
    assert second[-1].spending.output_tokens == len(json.dumps(GOOD)), "no usage told: a bound"


def test_a_ledger_that_fails_keeps_the_request_from_being_sent(script, model):
    def full(call):
        raise OSError("disk full")

    asked = model(on_call=full)
    with pytest.raises(OSError, match="disk full"):
        asked.complete(PROMPT, SCHEMA)
    assert script.requests == []
    assert asked.spent == Spending()


def test_the_budget_ends_before_it_is_passed(script, model):
    script.answers = [completion(usage=(100, 50))]
    asked = model(budget_tokens=2000, max_tokens=60, spent=Spending(500, 0, 0.0, 3))
    with pytest.raises(BudgetError):
        deque((asked.complete(PROMPT, SCHEMA) for _ in range(100)), maxlen=0)
    worst = 60 + len(json.dumps(SCHEMA)) + 200
    assert 2000 - worst < asked.spent.tokens <= 2000
    assert asked.spent.calls == 3 + len(script.requests)
