"""The page of limits says what the code does."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import pytest

from metier.sources.documents.document import Reason
from metier.sources.documents.limits import Limits

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "documents.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "value"), asdict(Limits()).items())
def test_limit_is_documented(name, value):
    assert re.search(rf"^\| `{name}` \| {value:,} \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("reason", get_args(Reason))
def test_reason_is_documented(reason):
    assert f"| `{reason}` |" in PAGE
