import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.sources.text import plain_text


def one(html: str | None) -> str | None:
    return plain_text(pl.Series("html", [html], dtype=pl.String)).item()


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one two"),
        ("un<b>happ</b>ily", "unhappily"),
        ("a<br>b<BR/>c<ul><li>d<li>e</ul>f", "a b c d e f"),
        ("R&amp;D&nbsp;lab &lt;3", "R&D lab <3"),
        ("<script>x<p>y</script>kept<style>p{}</style>", "kept"),
        ("before<!-- <p>not shown</p> -->after", "beforeafter"),
        ("line\r\n\u00a0 two\tthree", "line two three"),
        ('<p title="a > b">shown', "shown"),
        ("<td>1</td><td>2</td>", "1 2"),
        ("<preposition>in</preposition>side", "inside"),
        ("<p></p>", None),
        ("", None),
        (None, None),
    ],
)
def test_html_becomes_text(html: str | None, text: str | None) -> None:
    assert one(html) == text


def test_rows_keep_their_places() -> None:
    column = pl.Series("d", ["plain", "<b>x</b>", None, "also plain", "&amp;"])
    assert plain_text(column).to_list() == ["plain", "x", None, "also plain", "&"]
    assert plain_text(column).name == "d"


@given(st.lists(st.text(), max_size=5))
def test_any_text_gives_one_clean_line(texts: list[str]) -> None:
    for text in plain_text(pl.Series("t", texts, dtype=pl.String)):
        assert text is None or (text and text == text.strip(" ") and not set(text) & set("\r\n\t\u00a0"))
