"""HTML of postings -> plain text, a column at a time.

Nearly all postings are tags and text and nothing else: those lose their tags by two regular expressions. Whatever is
not so simple, from a stray "<" to a script, goes through a full HTML parser, which takes five times as long.
"""

from html import unescape

import polars as pl
from selectolax.lexbor import LexborHTMLParser

_BLOCKS = (
    "address|article|aside|blockquote|br|caption|dd|div|dl|dt|fieldset|figure|footer|form|h[1-6]|header|hr|li|main|nav|"
    "ol|option|p|pre|section|table|tbody|td|tfoot|th|thead|tr|ul"
)
"""Elements that end a word: "<p>one</p><p>two</p>" is two words, "one<b>ly</b>" is one."""
_INSIDE = r"""(?:[^<>"']|"[^"<>]*"|'[^'<>]*')*"""
"""The rest of a tag whose quotes are closed and hold no angle bracket: its ">" is where a parser sees it."""
_BLOCK_TAG = rf"</?(?i-u:{_BLOCKS})(?:[ \t\n\r\f/]{_INSIDE})?>"
_TAG = rf"</?[a-zA-Z]{_INSIDE}>"
_BLOCK_START = rf"<(/?(?i-u:{_BLOCKS})[ \t\n\r\f/>])"
_NO_TEXT = ("script", "style")
_SPECIAL = [
    f"<{name}"
    for name in (*_NO_TEXT, "head", "title", "textarea", "template", "iframe", "svg", "math", "xmp", "plaintext", "no")
]
"""Elements whose content is no text or no HTML; "no" begins noscript, noembed and noframes."""


def plain_text(html: pl.Series) -> pl.Series:
    """Text of each HTML fragment, in one line.

    Entities are decoded, scripts, styles and comments dropped, words at block tags kept apart, runs of white space
    (NBSP and CR too) made one space.

    Parameters
    ----------
    html : (n,) String; text without tags passes through.

    Returns
    -------
    (n,) String; null where there is no text left.
    """
    bare = html.str.replace_all(_BLOCK_TAG, " ").str.replace_all(_TAG, "")
    left = bare.str.contains_any(["<", ">"]) | html.str.contains_any(_SPECIAL, ascii_case_insensitive=True)
    odd, coded = left.fill_null(False), bare.str.contains("&", literal=True).fill_null(False)
    bare = _replaced(bare, coded & ~odd, [unescape(text) for text in bare.filter(coded & ~odd)])
    spaced = html.filter(odd).str.replace_all(_BLOCK_START, " <${1}")
    bare = _replaced(bare, odd, [_parsed(fragment) for fragment in spaced])
    return bare.str.replace_all(r"\s\s+|[^\S ]", " ").str.strip_chars().replace("", None).alias(html.name)


def _replaced(column: pl.Series, where: pl.Series, texts: list[str]) -> pl.Series:
    return column.scatter(where.arg_true(), pl.Series(texts, dtype=pl.String)) if texts else column


def _parsed(fragment: str) -> str:
    tree = LexborHTMLParser(fragment)
    tree.strip_tags(list(_NO_TEXT))
    return tree.body.text() if tree.body is not None else ""
