"""HTML -> text a reader sees. Styles are read where they can hide text: inline, and by the rules of <style>."""

import re
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from metier.sources.documents.limits import Limits
from metier.sources.documents.parts import GONE, Parts, Refused
from metier.sources.documents.style import WHITE, colour, points, similar

_NO_TEXT = {"script", "style", "head", "title", "template", "noscript", "iframe", "object", "svg", "math", "textarea"}
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset", "figure", "footer"),
    *("form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section"),
    *("table", "tbody", "tfoot", "thead", "tr", "ul", "caption"),
}
_CONTAINER = re.compile(
    r"<(/?)(?:div|span|table|section|article|ul|ol|b|i|em|strong|font|a|blockquote|center)\b", re.IGNORECASE
)
_RULE = re.compile(r"([^{}@;]{1,200})\{([^{}]{0,2000})\}")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_AWAY = re.compile(r"(?:left|top|right|bottom|text-indent|margin-left|margin-top):-\d{3,}")


class _Look(NamedTuple):
    """How the text of an element is shown; children inherit it."""

    hidden: str | None = None
    ink: int = 0
    ground: int = WHITE
    size: float = 12.0


def read_html(content: str, limits: Limits) -> Parts:
    """Text of a page: scripts, styles and comments dropped, hidden text set apart.

    Raises
    ------
    Refused : elements too deep inside one another, or no body.
    """
    _check_depth(content, limits)
    tree = LexborHTMLParser(content)
    if tree.body is None:
        raise Refused("holds no page; cure: save the résumé as PDF")
    styles = _styles_by_rule(tree)
    parts, text = Parts(), list[str]()
    waiting: list[tuple[LexborNode | str, _Look, int]] = [(tree.body, _Look(), 0)]
    while waiting:
        node, look, depth = waiting.pop()
        if isinstance(node, str):
            text.append(node)
            continue
        if node.tag == "-text":
            _add_text(node.text(deep=False), look, text, parts)
            continue
        if node.tag == "-comment":
            parts.hide("comment", (node.html or "").removeprefix("<!--").removesuffix("-->").strip() + " ")
        if node.tag in _NO_TEXT or (node.tag or "-").startswith(("-", "!")):
            continue
        if depth > limits.depth:
            raise Refused(f"holds elements {limits.depth} deep; cure: save the résumé as PDF")
        attributes = node.attributes
        style = ";".join([*styles.get(node.mem_id, ()), attributes.get("style") or ""])
        look = _shown(look, style, hidden="hidden" in attributes, ink=attributes.get("color"))
        if node.tag in ("td", "th"):
            waiting.append(("\t", look, depth))
        elif node.tag in _BLOCKS:
            text.append("\n")
            waiting.append(("\n", look, depth))
        waiting.extend(reversed([(child, look, depth + 1) for child in node.iter(include_text=True)]))
    parts.pages = ["".join(text)]
    return parts


def _check_depth(content: str, limits: Limits) -> None:
    """The parser takes time by the square of the depth, so what is plainly too deep does not reach it."""
    depth = 0
    for closing in _CONTAINER.findall(content):
        depth += -1 if closing else 1
        if depth > limits.depth:
            raise Refused(f"holds elements {limits.depth} deep; cure: save the résumé as PDF")


def _add_text(found: str, look: _Look, text: list[str], parts: Parts) -> None:
    line = re.sub(r"\s+", " ", found)
    reason = look.hidden
    if reason is None and look.size < 4:
        reason = "tiny"
    if reason is None and similar(look.ink, look.ground):
        reason = "colour of the background"
    if reason and line.strip():
        parts.hide(reason, line.strip() + " ")
        text.append(GONE)
    elif not reason:
        text.append(line)


def _styles_by_rule(tree: LexborHTMLParser) -> dict[int, list[str]]:
    """Declarations of the <style> rules that may hide, by node. @media and the like count as if they applied."""
    found: dict[int, list[str]] = {}
    for sheet in tree.css("style")[:20]:
        for selector, declarations in _RULE.findall(_COMMENT.sub("", sheet.text()))[:500]:
            if not re.search(r"display|visibility|font|color|background|opacity|left|top|indent", declarations):
                continue
            try:
                nodes = tree.css(selector.strip())
            except (SelectolaxError, ValueError, RuntimeError):
                continue  # a selector beyond the parser hides nothing
            for node in nodes:
                found.setdefault(node.mem_id, []).append(declarations)
    return found


def _shown(look: _Look, style: str, *, hidden: bool, ink: str | None) -> _Look:
    declared = {}
    for declaration in style.lower().split(";"):
        name, _, value = declaration.partition(":")
        declared[name.strip()] = value.replace("!important", "").strip()
    tight = re.sub(r"\s+", "", style.lower())
    if hidden or declared.get("display") == "none" or declared.get("visibility") in ("hidden", "collapse"):
        return look._replace(hidden="hidden by style")
    if re.fullmatch(r"0*\.?0*%?", declared.get("opacity", "1")):
        return look._replace(hidden="invisible ink")
    if _AWAY.search(tight):
        return look._replace(hidden="off the page")
    ground = colour(declared.get("background-color") or declared.get("background", ""))
    own_ink = colour(declared.get("color") or ink or "")
    return look._replace(
        ink=look.ink if own_ink is None else own_ink,
        ground=look.ground if ground is None else ground,
        size=points(declared.get("font-size", ""), look.size),
    )
