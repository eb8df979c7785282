"""`metier enrich`: what it prints, writes and refuses, through an app that holds nothing else."""

import json
import traceback
from pathlib import Path

import polars as pl
import pytest
import typer
from selectolax.lexbor import LexborHTMLParser
from typer.testing import CliRunner

from metier.cli.enrich import enrich
from metier.data.workspace import Workspace
from metier.errors import BudgetError, UsageError
from metier.testing.endpoint import MockEndpoint
from metier.testing.worlds import small_town

APP = typer.Typer()
APP.command()(enrich)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("METIER_HOME", str(tmp_path))
    Workspace(tmp_path).save("town", small_town(people=20), {})
    return tmp_path


def call(*arguments: str) -> dict:
    """What the command prints as JSON; a foreseen error is raised."""
    ran = CliRunner().invoke(APP, ["town", "--protocol", "temporal", "--json", *map(str, arguments)])
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return {"code": ran.exit_code, **(json.loads(ran.stdout) if ran.stdout else {})}


def test_without_options_everybody_gets_an_extractive_resume(home):
    said = call()
    assert (said["code"], said["people"], said["done"], said["unsupported_share"]) == (0, 20, 20, 0.0)
    texts = pl.read_parquet(said["file"])
    assert texts["person"].to_list() == [f"p{i}" for i in range(20)]
    assert texts["text"].str.contains("Experience: ").all()
    assert (home / "metier.db").is_file()


def test_people_limit_and_a_model_at_an_address(home):
    with MockEndpoint() as endpoint:
        arguments = ("--prompt", "skills-only", "--base-url", endpoint.url, "--model", "m", "--people", "p3,p1,p2")
        said = call(*arguments, "--limit", "2")
        assert (said["code"], said["people"], said["done"], said["requests"]) == (0, 2, 2, 2)
        again = call(*arguments)
        assert again["made_now"] == 1
    assert len(endpoint.calls) == 3
    texts = pl.read_parquet(again["file"])
    assert again["file"] == said["file"]
    assert len(texts) == 20, "everybody has a row, whoever was asked for"
    assert set(texts.filter(pl.col("state") == "done")["person"]) == {"p1", "p2", "p3"}
    assert set(texts["state"]) == {"done", "missing"}


def test_a_budget_is_one_for_all_prompts_and_people(home):
    with MockEndpoint() as endpoint:
        config = home / "m.toml"
        config.write_text(f'base_url = "{endpoint.url}"\nmodel = "m"\nbudget_tokens = 9_000\n')
        with pytest.raises(BudgetError):
            call("--prompt", "simple", "--model-config", config)
        with pytest.raises(BudgetError):
            call("--compare", "--prompt", "interactive", "--prompt", "simple", "--model-config", config)
    assert sum(one.input_tokens + one.output_tokens for one in endpoint.calls) <= 9_000


def test_a_dataset_is_kept_and_a_person_erased(home):
    said = call("--as", "completed", "--shuffled")
    workspace = Workspace(home)
    texts = dict(pl.read_parquet(said["file"]).select("person", "text").iter_rows())
    given = dict(workspace.load("completed").people.select("id", "text").iter_rows())
    assert sorted(given.values()) == sorted(texts.values())
    assert workspace.about("completed")["completed_for"] == "temporal"
    assert call("--erase", "p1") == {"code": 0, "dataset": "town", "person": "p1", "completions": 1, "files": 1}
    assert "p1" not in pl.read_parquet(said["file"])["person"].to_list()
    assert call("--erase", "p1")["completions"] == 0


def test_a_dataset_knows_what_wrote_its_texts_and_so_do_its_report_and_its_description(metier, home):
    said = call("--as", "completed", "--shuffled")
    assert call()["items"] == said["items"] > 0, "what an earlier run audited was not counted"
    kept = {"from": "town", "texts": Path(said["file"]).stem, "prompt": "profile", "model": "none", "people": 20}
    kept |= {"done": 20, "items": said["items"], "unsupported_share": 0.0, "unsupported_items": "dropped"}
    kept |= {"add": False, "shuffled": True}
    assert Workspace(home).about("completed")["completed"] == kept
    assert json.loads(metier("describe", "completed", "--json").out)["completed"] == kept
    assert "unsupported_share" in metier("describe", "completed").out
    for dataset, made in (("completed", kept), ("town", None)):
        assert (
            metier("evaluate", dataset, "--protocol", "temporal", "--models", "popularity", "--as", dataset).code == 0
        )
        run = Workspace(home).run(dataset)
        assert json.loads((run / "metrics.json").read_text())["meta"]["completed"] == made
        page = LexborHTMLParser((run / "report.html").read_text())
        told = page.css_first("#completed")
        assert (told is None) == (made is None)
        if made is not None:
            assert told.text() == (
                f"20 of 20 people of town have a text completed by the prompt profile and no model. Of the "
                f"{said['items']} items, 0.0 % are not supported by the facts they cite; these are dropped. "
                "Shuffled: everybody has the text of somebody else, a control."
            )


def test_people_without_a_result_are_an_exit_code(home):
    with MockEndpoint(answer=lambda request, schema: "no") as endpoint:
        said = call("--prompt", "simple", "--base-url", endpoint.url, "--model", "m", "--limit", "1")
    assert (said["code"], said["needs-review"]) == (1, 1)


def test_comparison_has_a_row_for_each_prompt_and_model(home):
    with MockEndpoint() as endpoint:
        config = home / "m.toml"
        config.write_text(f'base_url = "{endpoint.url}"\nmodel = "m"\n')
        prompts = [word for name in ("profile", "simple", "skills-only") for word in ("--prompt", name)]
        said = call("--compare", *prompts, "--model-config", config, "--limit", "5")
    rows = {(row["prompt"], row["model"]): row for row in said["rows"]}
    assert set(rows) == {("profile", "none"), ("simple", "m"), ("skills-only", "m")}
    assert rows["profile", "none"]["own_jobs"] > rows["profile", "none"]["others_jobs"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--prompt", "simple"], "needs a language model"),
        (["--prompt", "nope", "--base-url", "http://127.0.0.1:1/v1", "--model", "m"], "no prompt 'nope'"),
        (["--prompt", "profile", "--prompt", "simple"], "--compare"),
        (["--base-url", "http://127.0.0.1:1/v1"], "go together"),
        (["--people", "p1,zz"], "no person 'zz'"),
        (["--protocol", "random"], "no protocol 'random'"),
        (["--compare", "--people", "p1"], "neither --people nor --inner"),
        (["--people", ""], "names nobody"),
        (["--prompt", "simple", "--base-url", "localhost:11434", "--model", "m"], "base_url: must begin with http"),
        (["--prompt", "simple", "--base-url", "", "--model", "m"], "base_url: must begin with http"),
        (["--prompt", "simple", "--base-url", "https://u:secret@h/v1", "--model", "m"], "no user, password"),
        (["--base-url", "http://127.0.0.1:1/v1", "--model", "m"], "asks no model"),
        (["--embedded"], "asks no model"),
        (["--prompt", "simple", "--embedded", "--base-url", "http://127.0.0.1:1/v1", "--model", "m"], "--compare"),
        (["--shuffled"], "go with --as"),
        (["--as", "town"], "would replace the dataset"),
    ],
)
def test_wrong_use_is_told(home, arguments, message):
    with pytest.raises(UsageError, match=message) as caught:
        call(*arguments)
    assert "secret" not in "".join(traceback.format_exception(caught.value))
