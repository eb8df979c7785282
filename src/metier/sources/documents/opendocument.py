"""ODT -> text a reader sees: headers, body with its tables and text boxes, footers."""

import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple

from lxml import etree

from metier.sources.documents.parts import Parts, Refused, joined_cells
from metier.sources.documents.style import WHITE, colour, points, similar

_BASE = "{urn:oasis:names:tc:opendocument:xmlns:"
_TEXT, _STYLE, _TABLE, _OFFICE = (f"{_BASE}{part}:1.0}}" for part in ("text", "style", "table", "office"))
_FO = f"{_BASE}xsl-fo-compatible:1.0}}"
_NO_TEXT = {f"{_TEXT}tracked-changes", f"{_OFFICE}annotation", f"{_TEXT}sequence-decls", f"{_TEXT}note"}
_SPACES = {f"{_TEXT}tab": "\t", f"{_TEXT}line-break": "\n"}


class _Look(NamedTuple):
    """How text is shown."""

    hidden: bool = False
    ink: int | None = None
    ground: int = WHITE
    size: float = 12.0

    def reason(self) -> str | None:
        """Why no reader sees it; None when one does."""
        if self.hidden:
            return "hidden by style"
        if self.size < 4:
            return "tiny"
        return "colour of the background" if self.ink is not None and similar(self.ink, self.ground) else None


def read_odt(archive: zipfile.ZipFile) -> Parts:
    """Text of the document; comments, notes and deleted text are left out.

    Raises
    ------
    Refused : no readable content inside.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        content = etree.fromstring(archive.read("content.xml"), parser)
        named = archive.namelist()
        styles = etree.fromstring(archive.read("styles.xml"), parser) if "styles.xml" in named else content
        return _Reader(content, styles).read()
    except (etree.XMLSyntaxError, KeyError, zipfile.BadZipFile) as error:
        raise Refused(f"is a damaged ODT ({type(error).__name__}); cure: save the résumé as PDF") from None


class _Reader:
    def __init__(self, content: Any, styles: Any):
        self.content, self.common = content, styles
        self.parts = Parts()
        every = [*styles.iter(f"{_STYLE}style"), *content.iter(f"{_STYLE}style")]
        self.styles = {style.get(f"{_STYLE}name"): style for style in every}

    def read(self) -> Parts:
        body = self.content.find(f"{_OFFICE}body")
        if body is None:
            raise KeyError("body")
        regions = [*self.common.iter(f"{_STYLE}header"), body, *self.common.iter(f"{_STYLE}footer")]
        self.parts.pages = ["\n".join(line for region in regions for line in self._lines(region, _Look()))]
        return self.parts

    def _lines(self, element: Any, look: _Look) -> Iterator[str]:
        for child in element:
            if not isinstance(child.tag, str) or child.tag in _NO_TEXT:
                continue
            own = self._styled(child, look)
            if child.tag in (f"{_TEXT}p", f"{_TEXT}h"):
                yield "".join(self._inline(child, own))
            elif child.tag == f"{_TABLE}table-row":
                yield joined_cells("\n".join(self._lines(cell, self._styled(cell, own))) for cell in child)
            elif child.tag == f"{_TEXT}list-item":
                yield from (f"• {line}" for line in self._lines(child, own))
            else:
                yield from self._lines(child, own)

    def _inline(self, element: Any, look: _Look) -> Iterator[str]:
        yield self._seen(element.text or "", look)
        for child in element:
            if child.tag in _SPACES:
                yield _SPACES[child.tag]
            elif child.tag == f"{_TEXT}s":
                yield " "
            elif isinstance(child.tag, str) and child.tag.endswith("}text-box"):
                yield "\n" + "\n".join(self._lines(child, look)) + "\n"
            elif isinstance(child.tag, str) and child.tag not in _NO_TEXT:
                yield from self._inline(child, self._styled(child, look))
            yield self._seen(child.tail or "", look)

    def _seen(self, text: str, look: _Look) -> str:
        return self.parts.shown(text, look.reason())

    def _styled(self, element: Any, look: _Look) -> _Look:
        name = element.get(f"{_TEXT}style-name") or element.get(f"{_TABLE}style-name")
        if element.get(f"{_TEXT}display") == "none":
            look = look._replace(hidden=True)
        return self._named(name, look)

    def _named(self, name: str | None, look: _Look, depth: int = 0) -> _Look:
        style = self.styles.get(name)
        if style is None or depth > 10:
            return look
        look = self._named(style.get(f"{_STYLE}parent-style-name"), look, depth + 1)
        for properties in style:
            ground = colour(properties.get(f"{_FO}background-color", ""))
            ink = colour(properties.get(f"{_FO}color", ""))
            look = look._replace(
                hidden=look.hidden or properties.get(f"{_TEXT}display") == "none",
                ink=look.ink if ink is None else ink,
                ground=look.ground if ground is None else ground,
                size=points(properties.get(f"{_FO}font-size", ""), look.size),
            )
        return look
