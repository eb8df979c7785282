import polars as pl
import pytest
from hypothesis import given, settings
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
        ("5 > 3 <b>and</b> 2 < 4", "5 > 3 and 2 < 4"),
        ("<p class='a\"b'>one<br class=\"it's\">two", "one two"),
        ("<a href='x>never closed", None),
        ("AT&T &notit; &#8217;&lt;b&gt;&amp;lt;", "AT&T ¬it; ’<b>&lt;"),
        ("<title>not shown</title>shown", "shown"),
        ("a<!-- > -->b<![CDATA[c]]>d", "abd"),
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


PIECES = st.sampled_from(
    [
        *(
            "word",
            " ",
            "\n",
            "\u00a0",
            "&nbsp;",
            "&amp;",
            "&lt;",
            "&#39;",
            "&bogus;",
            "&",
            "a & b",
            '"',
            "'",
            ">",
            "<",
            "< 3",
        ),
        *(
            "<p>",
            "</p>",
            "<P >",
            "<br/>",
            "<b>",
            "</b>",
            "<li>",
            "</li>",
            "<ul>",
            "</ul>",
            "<pre>",
            "</pre>",
            "</",
            "<>",
        ),
        *(
            "<div class='x'>",
            "</div>",
            '<p title="a > b">',
            '<a href="?a=1&b=2">',
            "</a>",
            "<span x=it's>",
            "<h7>",
            "<hr>",
        ),
        *(
            "<!-- c -->",
            "<script>x</script>",
            "<style>y</style>",
            "<?xml?>",
            "<noscript>n</noscript>",
            "<title>t</title>",
            "<template>t</template>",
            "<td>",
            "</td>",
        ),
    ]
)


@given(st.lists(st.lists(PIECES, max_size=12).map("".join), min_size=20, max_size=60))
@settings(max_examples=60, deadline=None)
def test_the_short_way_gives_what_the_parser_gives(fragments: list[str]) -> None:
    """A comment sends a fragment through the parser and says nothing itself."""
    column = pl.Series(fragments, dtype=pl.String)
    assert plain_text(column).to_list() == plain_text("<!---->" + column).to_list()


@given(st.lists(st.text(), max_size=5))
@settings(deadline=None)
def test_any_text_gives_one_clean_line(texts: list[str]) -> None:
    for text in plain_text(pl.Series("t", texts, dtype=pl.String)):
        assert text is None or (text and text == text.strip(" ") and not set(text) & set("\r\n\t\u00a0"))
