"""What other people's text may do to the terminal: nothing."""

import json

import pytest

from metier.cli.terminal import cell, note, print_json, print_table, progress


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), (0.12345, "0.1235"), (1234, "1,234"), ("a\x1b[31mred\x9b", "a [31mred "), ("[bold]x", "[bold]x")],
)
def test_cell(value, shown):
    assert cell(value).plain == shown


def test_table_prints_markup_as_it_is(capsys):
    print_table(["a", "n"], [["[red]job[/red]", 1.5], ["x", None]], title="jobs")
    out = capsys.readouterr().out
    assert "[red]job[/red]" in out
    assert "1.5000" in out


def test_json_refuses_nan(capsys):
    print_json({"a": "é"})
    assert json.loads(capsys.readouterr().out) == {"a": "é"}
    with pytest.raises(ValueError, match="JSON"):
        print_json(float("nan"))


def test_notes_and_bars_stay_off_stdout(capsys):
    with progress() as bar:
        bar.add_task("work", total=2)
        note("careful\nnow")
    assert capsys.readouterr() == ("", "metier: careful now\n")
