"""HTML of postings -> plain text, a column at a time."""

import polars as pl
from selectolax.lexbor import LexborHTMLParser

_BLOCKS = (
    "address|article|aside|blockquote|br|caption|dd|div|dl|dt|fieldset|figure|footer|form|h[1-6]|header|hr|li|main|nav|"
    "ol|option|p|pre|section|table|tbody|td|tfoot|th|thead|tr|ul"
)
_BLOCK_TAG = rf"(?i)<(/?(?:{_BLOCKS})[\s/>])"
"""Tags that end a word: "<p>one</p><p>two</p>" is two words, "one<b>ly</b>" is one."""


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
    spaced = html.str.replace_all(_BLOCK_TAG, " <${1}")
    marked = spaced.str.contains("[<&]").fill_null(False).arg_true()
    texts = pl.Series([_text(fragment) for fragment in spaced.gather(marked)], dtype=pl.String)
    lines = spaced.scatter(marked, texts) if len(marked) else spaced
    return lines.str.replace_all(r"\s+", " ").str.strip_chars().replace("", None).alias(html.name)


def _text(fragment: str) -> str:
    tree = LexborHTMLParser(fragment)
    tree.strip_tags(["script", "style"])
    return tree.body.text() if tree.body is not None else ""
