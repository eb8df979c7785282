"""What counts as an answer."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from metier.enrich.language_model import Prompt
from metier.enrich.structured_output import LADDER, AnswerFormatError, bare, messages, parse_answer, response_format
from metier.testing.language_models import example

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["title"],
    "properties": {"title": {"type": "string", "maxLength": 20}, "years": {"type": "number"}},
}
GOOD = '{"title": "nurse"}'


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"  {GOOD}\n",
        f"```json\n{GOOD}\n```",
        f"Here it is:\n```\n{GOOD}\n```\nAnything else?",
        f"Sure. {GOOD} Done.",
        f"<think>maybe {{'title'}}?</think>{GOOD}",
    ],
)
def test_text_around_one_object_is_dropped(text):
    assert parse_answer(text, SCHEMA) == {"title": "nurse"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON object"),
        ("I cannot do that.", "no JSON object"),
        ('"title"', "no JSON object"),
        ('{"title": "canary', "not valid"),
        ("{'title': 'canary'}", "not valid"),
        ('{"title": "canary",}', "not valid"),
        ("{" * 100_000, "not valid"),
        ('{"title": ' + "[" * 100_000, "not valid"),
        (f"{GOOD} {GOOD}", "more than one"),
        (f"[{GOOD}]", "more than one"),
        (f"```json\n{GOOD}\n```\n```json\n{GOOD}\n```", "more than one"),
        ('{"title": "canary", "title": "canary"}', "twice"),
        ('{"title": "x", "years": NaN}', "NaN"),
        ('{"title": "x", "years": -Infinity}', "NaN"),
        ('{"title": "x", "years": 1e999}', "too large"),
        ('{"title": "x", "years": ' + "9" * 5000 + "}", "number"),
        ('{"title": "\\u0000"}', "not text"),
        ('{"title": "\\ud800"}', "not text"),
        ('{"title": 5}', "properties/title/type"),
        ('{"title": "canary canary canary canary"}', "properties/title/maxLength"),
        ('{"title": "x", "canary": 1}', "additionalProperties"),
        ("{}", "required"),
    ],
)
def test_everything_else_is_refused_with_a_reason_and_without_its_text(text, reason):
    with pytest.raises(AnswerFormatError, match=reason) as caught:
        parse_answer(text, SCHEMA)
    assert "canary" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@settings(deadline=None)
@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_any_object_comes_through_unchanged_or_is_refused(value):
    text = json.dumps(value)
    try:
        assert parse_answer(text, {"type": "object"}) == value
    except AnswerFormatError:
        assert "\\u0000" in text


def accepted(text):
    try:
        return parse_answer(text, SCHEMA)
    except AnswerFormatError:
        return None


@settings(deadline=None)
@given(
    st.text(max_size=200)
    | st.builds("{}{}{}".format, st.text(max_size=20), st.just(GOOD), st.text(max_size=20))
    | st.dictionaries(st.sampled_from(["title", "years", "more"]), st.integers() | st.text(max_size=30)).map(json.dumps)
)
def test_what_is_no_answer_is_refused_and_nothing_else_happens(text):
    """Random text, text around a good answer, and objects of any fields: valid by the schema, or AnswerFormatError."""
    answer = accepted(text)
    assert answer is None or Draft202012Validator(SCHEMA).is_valid(answer)


def test_each_rung_sends_the_schema_in_one_way():
    prompt = Prompt("instructions", "data")
    forms = {rung: response_format(rung, SCHEMA) for rung in LADDER}
    assert forms["json_schema"]["json_schema"] == {"name": "answer", "strict": True, "schema": SCHEMA}
    assert "maxLength" not in json.dumps(forms["json_schema_bare"])
    assert forms["json_object"] == {"type": "json_object"}
    assert forms["plain"] is None
    for rung in LADDER:
        system, user = messages(rung, prompt, SCHEMA)
        assert user == {"role": "user", "content": "data"}
        assert ("maxLength" in system["content"]) == (rung in ("json_object", "plain"))


def test_bare_leaves_properties_of_any_name():
    schema = {"$defs": {"format": {"type": "string", "format": "uri"}}, "properties": {"pattern": {"pattern": "x"}}}
    assert bare(schema) == {"$defs": {"format": {"type": "string"}}, "properties": {"pattern": {}}}


def test_the_example_fits_its_schema():
    schema = {
        **SCHEMA,
        "required": ["title", "kind", "tags", "place", "fixed", "sure"],
        "properties": {
            "title": {"type": "string", "minLength": 3},
            "kind": {"enum": ["a", "b"]},
            "tags": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/tag"}},
            "place": {"anyOf": [{"type": "null"}, {"type": "string"}]},
            "fixed": {"const": 7},
            "sure": {"type": "boolean"},
        },
        "$defs": {"tag": {"type": "integer", "minimum": 4}},
    }
    assert Draft202012Validator(schema).is_valid(example(schema))
