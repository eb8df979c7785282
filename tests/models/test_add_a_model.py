"""The model in the how-to page is a real one."""

import re
import sys
from pathlib import Path
from types import ModuleType

from metier.testing.contract import check_contract

PAGE = Path(__file__).parent.parent.parent / "docs" / "how-to" / "add-a-model.md"


def test_the_example_keeps_the_contract(monkeypatch):
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    module = ModuleType("state_popularity")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # pydantic looks annotations up there
    exec(code, module.__dict__)
    check_contract(module.StatePopularity)
