"""DOCX -> text a reader sees: headers, then paragraphs, tables and text boxes in their order, then footers."""

import io
from collections.abc import Iterator
from typing import Any, NamedTuple

from docx import Document as open_docx
from docx.oxml.ns import qn

from metier.sources.documents.parts import GONE, Parts, Refused, joined_cells
from metier.sources.documents.style import WHITE, colour, similar

_SMALLEST = 8  # half points
_SPACES = {qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:tab"): "\t", qn("w:noBreakHyphen"): "-"}
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_SHAPE = "{http://schemas.microsoft.com/office/word/2010/wordprocessingShape}"
_OLD_TWIN = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
"""The same text box again, for programs before 2010."""


class _Look(NamedTuple):
    """How a run is shown; None: not said, or (ground) a colour that only the theme knows."""

    hidden: bool = False
    ink: int | None = None
    ground: int | None = WHITE
    size: float | None = None

    def reason(self) -> str | None:
        """Why no reader sees it; None when one does."""
        if self.hidden:
            return "hidden by style"
        if self.size is not None and self.size < _SMALLEST:
            return "tiny"
        unseen = self.ink is not None and self.ground is not None and similar(self.ink, self.ground)
        return "colour of the background" if unseen else None


def read_docx(content: bytes) -> Parts:
    """Text of the document. Deleted text, comments and field codes are no text; external parts are never asked for.

    Raises
    ------
    Refused : not a Word document inside.
    """
    try:
        document = open_docx(io.BytesIO(content))
        return _Reader(document).read()
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError, OSError) as error:
        raise Refused(f"is a damaged DOCX ({type(error).__name__}); cure: save the résumé as PDF") from None


class _Reader:
    def __init__(self, document: Any):
        self.document = document
        self.parts = Parts()
        self.styles = {style.get(qn("w:styleId")): style for style in document.styles.element.iter(qn("w:style"))}

    def read(self) -> Parts:
        page = self.document.element.find(qn("w:background"))
        ground = WHITE if page is None else colour(page.get(qn("w:color")) or "")
        look = _Look(ground=ground)
        regions = [*self._margins("header"), self.document.element.body, *self._margins("footer")]
        self.parts.pages = ["\n".join(line for region in regions for line in self._lines(region, look))]
        return self.parts

    def _margins(self, side: str) -> Iterator[Any]:
        """Headers or footers of all sections, each once."""
        for section in self.document.sections:
            for kind in (f"first_page_{side}", side) if section.different_first_page_header_footer else (side,):
                margin = getattr(section, kind)
                if not margin.is_linked_to_previous:
                    yield margin._element

    def _lines(self, element: Any, look: _Look) -> Iterator[str]:
        """Text of the paragraphs below an element; a table row of short cells is one line."""
        for child in element.iterchildren():
            if child.tag == qn("w:p"):
                yield self._paragraph(child, look)
            elif child.tag == qn("w:tr"):
                yield joined_cells("\n".join(self._lines(cell, _shaded(cell, "w:tcPr", look))) for cell in child)
            elif child.tag not in (_OLD_TWIN, qn("w:sectPr")) and isinstance(child.tag, str):
                yield from self._lines(child, look)

    def _paragraph(self, paragraph: Any, look: _Look) -> str:
        look = _shaded(paragraph, "w:pPr", look)
        named = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
        style = "" if named is None else named.get(qn("w:val"), "")
        listed = paragraph.find(f"{qn('w:pPr')}/{qn('w:numPr')}") is not None or style.startswith("List")
        text = "".join(self._inline(paragraph, self._styled(style, look)))
        return f"• {text}" if listed and text.strip() else text

    def _inline(self, element: Any, look: _Look) -> Iterator[str]:
        for child in element.iterchildren():
            if child.tag == qn("w:r"):
                properties = child.find(qn("w:rPr"))
                shown = look
                if properties is not None:
                    named = properties.find(qn("w:rStyle"))
                    shown = look if named is None else self._styled(named.get(qn("w:val"), ""), look)
                    shown = _with(properties, shown)
                yield from self._inline(child, shown)
            elif child.tag == qn("w:t"):
                yield self._seen(child.text or "", look)
            elif child.tag in _SPACES:
                yield _SPACES[child.tag] + (GONE if look.reason() else "")
            elif child.tag == f"{_SHAPE}txbx":
                yield "\n" + "\n".join(self._lines(child, look._replace(ground=_fill(child.getparent(), look)))) + "\n"
            elif child.tag == qn("w:txbxContent"):
                yield "\n" + "\n".join(self._lines(child, look)) + "\n"
            elif child.tag not in (_OLD_TWIN, qn("w:pPr"), qn("w:rPr")) and isinstance(child.tag, str):
                yield from self._inline(child, look)

    def _seen(self, text: str, look: _Look) -> str:
        return self.parts.shown(text, look.reason())

    def _styled(self, name: str, look: _Look, depth: int = 0) -> _Look:
        """The look with a named style, and those it is based on, applied."""
        style = self.styles.get(name)
        if style is None or depth > 10:
            return look
        parent = style.find(qn("w:basedOn"))
        if parent is not None:
            look = self._styled(parent.get(qn("w:val"), ""), look, depth + 1)
        properties = style.find(qn("w:rPr"))
        return look if properties is None else _with(properties, look)


def _with(properties: Any, look: _Look) -> _Look:
    """The look with run properties applied."""
    found = {child.tag: child.get(qn("w:val")) for child in properties}
    size = found.get(qn("w:sz")) or ""
    look = _shade(properties, look)
    if qn("w:highlight") in found:
        look = look._replace(ground=colour(found[qn("w:highlight")] or ""))
    return look._replace(
        hidden=found[qn("w:vanish")] not in ("false", "0", "off") if qn("w:vanish") in found else look.hidden,
        ink=colour(found[qn("w:color")] or "") if qn("w:color") in found else look.ink,
        size=float(size) if size.isdecimal() else look.size,
    )


def _shaded(element: Any, properties: str, look: _Look) -> _Look:
    found = element.find(qn(properties))
    return look if found is None else _shade(found, look)


def _shade(properties: Any, look: _Look) -> _Look:
    shade = properties.find(qn("w:shd"))
    fill = None if shade is None else shade.get(qn("w:fill"))
    return look if fill in (None, "auto") else look._replace(ground=colour(fill))


def _fill(shape: Any, look: _Look) -> int | None:
    """Colour of a text box; None when it is the theme's, the look's own when the box is clear."""
    fill = shape.find(f"{_SHAPE}spPr/{_DRAWING}solidFill")
    if fill is None:
        return None if shape.find(f"{_SHAPE}style") is not None else look.ground
    named = fill.find(f"{_DRAWING}srgbClr")
    return None if named is None else colour(named.get("val", ""))
