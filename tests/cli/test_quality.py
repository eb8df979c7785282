"""`metier quality`: what it prints, writes and refuses, through an app that holds nothing else."""

import json

import pytest
import typer
from typer.testing import CliRunner

from metier.cli.quality import quality
from metier.data.workspace import Workspace
from metier.errors import UsageError
from metier.sources.market import save_truth
from metier.sources.market.generate import generate
from metier.sources.market.knobs import MarketKnobs

APP = typer.Typer()
APP.command()(quality)
QUICK = ("--permutations", "499", "--people", "250")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    market = generate(MarketKnobs(people=300, windows=1), 2)
    Workspace(home).save("town", market.tables, {}, extras=lambda folder: save_truth(market, folder / "oracle"))
    return home


def call(home, *arguments: str):
    """The result of the command; a foreseen error is raised."""
    ran = CliRunner().invoke(APP, ["town", "--home", str(home), *map(str, arguments)])
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran


def test_json_holds_rows_words_and_the_way_to_the_page(home, tmp_path):
    said = json.loads(call(home, "--json", "--out", tmp_path / "report", "--omit", "0.4", *QUICK).stdout)
    assert (said["dataset"], said["protocol"], said["people"], said["true_skills"]) == ("town", "temporal", 250, True)
    assert said["settings"]["omit"] == 0.4
    assert {row["label"] for row in said["rows"]} == {"count", "content"}
    assert [heading for heading, _ in said["words"]] == [
        "By number of applications",
        "By what is missing",
        "What works",
    ]
    assert said["report"] == str(tmp_path / "report" / "quality.html")
    html = (tmp_path / "report" / "quality.html").read_text(encoding="utf-8")
    assert "metier quality town --protocol temporal --omit 0.4 --permutations 499 --people 250" in html
    written = json.loads((tmp_path / "report" / "quality.json").read_text())
    assert written["rows"] == said["rows"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--protocol", "random"], "no protocol 'random'"),
        (["--omit", "1.5"], "--omit"),
        (["--few", "0.8"], "--few: .*0.8 is above --many"),
        (["--protocol", "given"], "needs interactions marked"),
    ],
)
def test_wrong_use_is_told(home, arguments, message):
    with pytest.raises(UsageError, match=message):
        call(home, *arguments)
