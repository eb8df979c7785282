"""What a prompt gets to see: labelled facts from before the cut-off, masked, as data that nothing in it can leave."""

import json
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.data import Tables
from metier.data.splits import folds
from metier.enrich.grounds import LONGEST, MOST, Ground, Grounds, gather_all
from metier.enrich.prompt import PromptFile, prompt_names
from metier.enrich.resume import MOST_CITES
from metier.errors import ConfigError, UsageError
from metier.testing.worlds import small_town

PLANTED = "Zyxwvut"
"""In no other text."""
START = datetime(2012, 4, 1)


def with_planted_future(protocol: str) -> Tables:
    """A town where p0 applies to a planted job after the cut-off, and has a planted past job dated after it."""
    town = small_town()
    job = town.jobs.head(1).with_columns(
        id=pl.lit(f"id-{PLANTED}"),
        title=pl.lit(f"{PLANTED} title"),
        text=pl.lit(f"{PLANTED} text"),
        start=pl.lit(START).cast(pl.Datetime("us")),
    )
    when = START + timedelta(days=8, hours=23)
    applied = town.interactions.head(1).with_columns(
        person=pl.lit("p0"), job=job["id"], time=pl.lit(when).cast(pl.Datetime("us")), split=pl.lit("test")
    )
    past = town.history.head(1).with_columns(
        person=pl.lit("p0"),
        title=pl.lit(f"{PLANTED} chief"),
        time=pl.lit(when + timedelta(hours=1)).cast(pl.Datetime("us")),
    )
    history = town.history if protocol == "given" else pl.concat([town.history, past])
    return town.replace(
        jobs=pl.concat([town.jobs, job]),
        interactions=pl.concat([town.interactions.filter(pl.col("time") < when), applied]),
        history=history,
    )


@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize("protocol", ["temporal", "leave-last-out", "given"])
def test_no_byte_of_a_future_job_reaches_a_prompt(protocol, inner):
    tables = with_planted_future(protocol)
    assert PLANTED in next(folds(tables, protocol)).truth["job"].str.join()[0]
    found = list(gather_all(tables, protocol, inner=inner))
    assert any(one.person == "p0" and one.lines for one in found)
    prompts = [PromptFile.read(name) for name in prompt_names()]
    for grounds in found:
        for prompt in prompts:
            filled = prompt.fill(grounds)
            assert PLANTED not in filled.system + filled.user


def test_a_job_applied_to_before_the_cutoff_does_reach_the_interactive_prompt_and_no_other():
    town = small_town()
    first = next(folds(town, "temporal")).train.interactions.sort("time")["job"][0]
    marked = town.replace(
        jobs=town.jobs.with_columns(title=pl.when(pl.col("id") == first).then(pl.lit(PLANTED)).otherwise("title"))
    )
    seen = {
        name: any(PLANTED in PromptFile.read(name).fill(one).user for one in gather_all(marked, "temporal"))
        for name in prompt_names()
    }
    assert seen == {"interactive": True, "skills-only": True, "simple": False, "profile": False}


def one_person(**columns) -> Grounds:
    people = pl.DataFrame({"id": ["p"], "window": [1], **{name: [value] for name, value in columns.items()}})
    tables = Tables.build(
        people=people,
        jobs=pl.DataFrame({"id": ["j1", "j2"], "title": ["Cook", "Baker"], "text": ["Fry. Write to boss@x.org", None]}),
        history=pl.DataFrame(
            {
                "person": ["p", "p"],
                "sequence": [2, 1],
                "title": ["Waiter", "Chef"],
                "text": [None, "led a kitchen"],
                "time": [None, datetime(2011, 5, 1)],
            }
        ),
        interactions=pl.DataFrame(
            {"person": ["p", "p", "p"], "job": ["j1", "j2", "j1"], "split": ["train", "train", "test"]}
        ),
    )
    [found] = gather_all(tables, "given")
    return found


def test_labels_kinds_and_order():
    found = one_person(text="I cook. I bake!", degree="None", graduated=datetime(2003, 6, 1), experience_years=14.0)
    assert found.texts() == {
        "P1": "degree: None",
        "P2": "graduated: 2003-06",
        "P3": "experience years: 14",
        "T1": "I cook.",
        "T2": "I bake!",
        "H1": "Chef (2011-05): led a kitchen",
        "H2": "Waiter",
        "J1": "Cook: Fry. Write to [email 1]",
        "J2": "Baker",
    }
    assert [line.job for line in found.lines if line.kind == "job"] == ["j1", "j2"]


def test_the_newest_past_job_comes_first_however_the_file_is_ordered():
    """A chronological table numbers the oldest job 1; a job without a time follows."""
    tables = Tables.build(
        pl.DataFrame({"id": ["p"]}),
        pl.DataFrame({"id": ["j1", "j2"]}),
        pl.DataFrame({"person": ["p", "p"], "job": ["j1", "j2"], "split": ["train", "test"]}),
        pl.DataFrame(
            {
                "person": ["p"] * 3,
                "sequence": [1, 2, 3],
                "title": ["Helper", "Waiter", "Chef"],
                "time": [None, datetime(2009, 5, 1), datetime(2011, 5, 1)],
            }
        ),
    )
    [found] = gather_all(tables, "given")
    said = found.texts()
    assert [said[label] for label in ("H1", "H2", "H3")] == ["Chef (2011-05)", "Waiter (2009-05)", "Helper"]


def test_contact_data_is_masked_everywhere():
    found = one_person(
        text="Ada Lovelace here, call 415-555-0134 or ada@x.org\n12 North 3rd Street\nI program.",
        first_name="Ada",
        last_name="Lovelace",
        email="ada@x.org",
        hobby="Lovelace puzzles",
        zip="94110",
    )
    whole = json.dumps(found.texts())
    assert "I program." in whole
    for secret in ("Ada", "Lovelace", "415", "ada@", "North 3rd", "94110"):
        assert secret not in whole


@pytest.mark.parametrize("names", [("Given Name", "SURNAME"), ("forename", "family-name"), ("First Name", "Last_Name")])
def test_contact_columns_are_known_by_any_spelling(names):
    found = one_person(
        text="Ada Lovelace, 12345 Berlin, 030 1234567, at home in the Lovelace house",
        **dict(zip(names, ("Ada", "Lovelace"), strict=True)),
        Address="Elm yard 7",
        LinkedIn="ada-l",
        country="DE",
        zip="12345",
    )
    whole = json.dumps(found.texts())
    assert "country: DE" in whole
    for secret in ("Ada", "Lovelace", "Elm", "ada-l", "12345", "1234567"):
        assert secret not in whole


def test_lines_are_few_and_short():
    found = one_person(text="word " * 5000 + "x." * 10 + "\nline" * 500)
    texts = [line.text for line in found.lines if line.kind == "text"]
    assert len(texts) == MOST["text"]
    assert max(map(len, texts)) <= LONGEST["text"] + 2


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=80).filter(str.strip))
def test_no_text_can_end_the_data_or_forge_a_label(text):
    grounds = Grounds("p", "c", (Ground("T1", "text", " ".join(text.split())), Ground("H1", "history", "Cook")))
    user = PromptFile.read("simple").fill(grounds).user
    lines = user.split("\n")
    assert (lines[0], lines[-1], len(lines)) == ("<data>", "</data>", 4)
    assert user.count("<") == user.count(">") == 2
    assert lines[1].startswith('[T1] text: "')
    assert isinstance(json.loads(lines[1].partition(": ")[2]), str)


def test_an_edited_prompt_is_another_version(tmp_path):
    text = """name = "mine"\nnumber = 1\nshows = ["history"]\nasks = ["skills"]\nsystem = "List."\n"""
    path = tmp_path / "mine.toml"
    path.write_text(text)
    first = PromptFile.read(str(path))
    path.write_text(text.replace("List.", "List all."))
    assert first.version != PromptFile.read(str(path)).version
    assert first.version.startswith("1-")


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (None, UsageError, "no prompt file"),
        ("name = ", ConfigError, "not TOML"),
        ('name = "x"\nnumber = 1\nshows = ["future"]\nasks = ["skills"]\nsystem = "s"', ConfigError, "shows.0"),
    ],
)
def test_what_is_no_prompt_is_told(tmp_path, text, kind, message):
    path = tmp_path / "p.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(kind, match=message):
        PromptFile.read(str(path))


def test_an_unknown_prompt_is_told_with_those_there_are():
    with pytest.raises(UsageError, match="interactive, profile, simple, skills-only"):
        PromptFile.read("nope")


@pytest.mark.parametrize("name", prompt_names())
def test_the_schema_of_every_prompt_is_strict(name):
    def objects(schema):
        if isinstance(schema, dict):
            yield from [schema] if "properties" in schema else []
            for part in schema.values():
                yield from objects(part)
        elif isinstance(schema, list):
            for part in schema:
                yield from objects(part)

    found = list(objects(PromptFile.read(name).answer_schema()))
    assert len(found) >= 2
    for one in found:
        assert one["additionalProperties"] is False
        assert set(one["required"]) == set(one["properties"])
        assert one["properties"].get("cites", {}).get("maxItems", MOST_CITES) == MOST_CITES
