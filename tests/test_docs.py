"""The reference is complete and its links lead somewhere. A failure names what is missing and where."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel

from metier.cli.app import app
from metier.cli.models import models
from metier.enrich.model_config import LanguageModelConfig
from metier.evaluate.experiment import Experiment, ModelEntry
from metier.evaluate.metrics import LIST_METRICS, METRICS
from metier.models.registry import MODELS, config_class
from metier.serve.settings import Settings
from metier.sources import table_map
from metier.sources.market.knobs import MarketKnobs
from metier.store.schema import metadata

REPOSITORY = Path(__file__).parent.parent
DOCS = REPOSITORY / "docs"
MAP = [part for part in vars(table_map).values() if isinstance(part, type) and issubclass(part, BaseModel)]
PAGES = sorted([*DOCS.rglob("*.md"), *REPOSITORY.glob("*.md")])


def page(name: str) -> str:
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """The text under the heading that names something in backticks or plainly, up to the next of its level."""
    found = re.search(rf"^(#+) .*?(?<![\w-]){re.escape(heading)}(?![\w-]).*?$", text, re.MULTILINE)
    if not found:
        return ""
    rest = text[found.end() :]
    following = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


def coded(text: str) -> set[str]:
    """The words set in code, in a line or in a block."""
    block = r"^```.*?^```"
    spans = re.findall(r"`([^`\n]+)`", re.sub(block, "", text, flags=re.DOTALL | re.MULTILINE))
    return set(re.findall(r"[\w-]+", " ".join([*spans, *re.findall(block, text, re.DOTALL | re.MULTILINE)])))


def test_command_page_is_generated():
    """`make docs` writes it."""
    command = [sys.executable, "-m", "typer", "metier.cli.app", "utils", "docs", "--name", "metier"]
    generated = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert page("cli.md").strip() == generated.strip(), "docs/reference/cli.md is old; cure: make docs"


def test_settings_page_is_generated(capsys):
    """`make docs` writes it."""
    models(markdown=True)
    assert page("settings.md") == capsys.readouterr().out, "docs/reference/settings.md is old; cure: make docs"


def test_page_of_the_study_is_printed_from_what_is_kept():
    """`make docs` writes it."""
    command = [sys.executable, REPOSITORY / "benchmarks" / "resume_page.py"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    kept = (DOCS / "why" / "does-the-resume-help.md").read_text(encoding="utf-8")
    assert kept == printed, "docs/why/does-the-resume-help.md is old; cure: make docs"


def test_rows_of_the_seed_table_are_those_of_the_readme():
    def table(text: str) -> list[list[str]]:
        lines = re.findall(r"^\| (.*) \|$", text, re.MULTILINE)
        return [[cell.strip("*` ") for cell in line.split(" | ")] for line in lines]

    results = (
        (REPOSITORY / "README.md").read_text(encoding="utf-8").partition("<!-- results")[2].partition("<!-- end")[0]
    )
    head, *rows = table(results)
    expected = {row[0]: row[1:] for row in rows}
    seed = table((DOCS / "why" / "the-seed-table.md").read_text(encoding="utf-8").partition("\n## ")[0])
    assert seed[0][3:] == head[1:]
    for _, _, model, *cells in seed[2:]:
        assert cells == expected[model], (
            f"docs/why/the-seed-table.md: {model} is not what the README has; cure: copy it"
        )


def commands(command, name):
    yield name, command
    for child, sub in getattr(command, "commands", {}).items():
        yield from commands(sub, f"{name} {child}")


@pytest.mark.parametrize(
    ("name", "command"), list(commands(typer.main.get_command(app), "metier")), ids=lambda value: str(value)
)
def test_every_command_and_option_is_explained(name, command):
    assert f"`{name}`" in page("cli.md")
    assert command.help, f"{name} has no docstring"
    for parameter in command.params:
        if parameter.name not in {"install_completion", "show_completion"}:
            assert parameter.help, f"{name} {parameter.name} has no help"


def test_every_setting_of_a_language_model_is_explained():
    text = (DOCS / "how-to" / "language-models.md").read_text(encoding="utf-8")
    assert not set(LanguageModelConfig.model_fields) - coded(text)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_and_setting_is_explained(name):
    assert section(page("models.md"), name), f"docs/reference/models.md has no section {name}"
    missing = set(config_class(name).model_fields) - coded(section(page("settings.md"), name))
    assert not missing, f"docs/reference/settings.md, section {name}, does not explain {missing}; cure: make docs"


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("metrics.md", [*METRICS, *LIST_METRICS]),
        ("experiment.md", [*Experiment.model_fields, *ModelEntry.model_fields]),
        ("market.md", list(MarketKnobs.model_fields)),
        ("api.md", list(Settings.model_fields)),
        ("store.md", [*metadata.tables, *(column.name for table in metadata.sorted_tables for column in table.c)]),
        ("sources.md", [field.alias or key for part in MAP for key, field in part.model_fields.items()]),
    ],
    ids=["metrics", "experiment", "market", "api", "store", "sources"],
)
def test_every_name_is_explained(where, names):
    missing = set(names) - coded(page(where))
    assert not missing, f"docs/reference/{where} does not explain {missing}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(path):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))
    broken = [target for target in targets if "://" not in target and not (path.parent / target).exists()]
    assert not broken, f"{path.relative_to(REPOSITORY)} links to {broken}"


def test_every_page_is_in_the_index():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    names = [str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md") if path.name != "index.md"]
    missing = [name for name in names if f"({name})" not in index]
    assert not missing, f"docs/index.md does not link {missing}"
