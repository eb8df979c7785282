"""docs/reference/sources.md explains every code and every key of a map."""

import re
from pathlib import Path
from typing import get_args

import pytest

from metier.sources import table_map
from metier.sources.quarantine import SCHEMA, Code
from metier.sources.table_map import Kind, Part

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "sources.md").read_text()
CODED = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`\n]+)`", PAGE))))
PARTS = [value for value in vars(table_map).values() if isinstance(value, type) and issubclass(value, Part)]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_key_of_a_map_is_explained(part: type[Part]) -> None:
    assert {field.alias or name for name, field in part.model_fields.items()} <= CODED


def test_every_code_kind_and_column_is_explained() -> None:
    assert {*get_args(Code), *get_args(Kind), *SCHEMA} <= CODED


def test_the_map_on_the_page_is_valid(tmp_path) -> None:
    [toml] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "map.toml").write_text(toml)
    read = table_map.read_map(tmp_path / "map.toml")
    assert read.people.joins[0].many
    assert len(read.history) == 2
