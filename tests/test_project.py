"""House rules that no linter knows: file length, names, what may be imported, how fast the command starts."""

import ast
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from metier.models.registry import MODELS

REPOSITORY = Path(__file__).parent.parent
SOURCES = sorted(path for folder in ("src", "benchmarks", "tools") for path in (REPOSITORY / folder).rglob("*.py"))
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_file_is_short_and_well_named(path: Path):
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "misc"}
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_no_code_travels_in_data():
    """Nothing unpickles, evaluates or loads an object from a file."""
    modules = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Import(names=names):
                    bad = modules & {alias.name.split(".")[0] for alias in names}
                case ast.ImportFrom(module=str(module)):
                    bad = modules & {module.split(".")[0]}
                case ast.Call(func=ast.Name(id=name)):
                    bad = {name} & {"eval", "exec", "compile", "__import__"}
                case ast.keyword(arg="allow_pickle"):
                    bad = {"allow_pickle"}
                case _:
                    continue
            found += [f"{path.relative_to(REPOSITORY)}:{node.lineno} {one}" for one in bad if hasattr(node, "lineno")]
    assert not found


def test_command_line_imports_nothing_heavy():
    code = "import sys, metier.cli.app; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert "typer" in loaded
    assert not loaded & {"numpy", "scipy", "polars", "numba", "sklearn", "implicit", "altair", "pydantic", "jinja2"}


def test_help_answers_in_300_ms():
    """The best of five: a machine that runs other things as well may be slow once."""
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([Path(sys.executable).with_name("metier"), "--help"], check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.3, seconds


def test_every_requirement_is_pinned_to_a_version_it_allows():
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    pins = {canonicalize_name(name): version for name, version in pins.items()}
    extras = PROJECT["project"]["optional-dependencies"]
    asked = [
        *PROJECT["project"]["dependencies"],
        *extras["dev"],
        *extras["torch"],
        *PROJECT["build-system"]["requires"],
    ]
    for requirement in map(Requirement, asked):
        version = pins.get(canonicalize_name(requirement.name))
        assert version, f"constraints.txt does not pin {requirement.name}"
        assert requirement.specifier.contains(version), f"{requirement} does not allow {version}"


def test_version_is_in_the_changelog():
    import metier

    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(metier.__version__)}\]", changelog, re.MULTILINE)


def test_make_lists_its_targets(require_program):
    shown = subprocess.run([require_program("make")], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for target in ("demo", "test", "test-slow", "lint", "bench", "client", "docs", "clean"):
        assert f"make {target} " in shown


def test_the_import_rule_names_every_model():
    """A model added to the registry is added to the contract that keeps evaluation blind to it."""
    rules = PROJECT["tool"]["importlinter"]
    forbidden = next(rule for rule in rules["contracts"] if rule["name"].startswith("evaluation"))["forbidden_modules"]
    assert set(forbidden) == {place.partition(":")[0] for place in MODELS.values()}
