"""PDF -> text a reader sees, through PDFium. What is seen is decided on the page as it is drawn, not on promises.

Each stretch of text (one text object of the page) is compared with the pixels where it stands: ink of the colour that
is there anyway, or no ink at all, is no text for a reader.
"""

import ctypes
import math
from collections import Counter
from itertools import groupby
from typing import NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from metier.sources.documents.limits import Limits
from metier.sources.documents.parts import GONE, Parts, Refused
from metier.sources.documents.pdf_gate import check_pdf
from metier.sources.documents.style import CONTRAST, similar

SMALLEST = 4.0
"""Points; smaller letters are not read."""
SCAN_CHARACTERS = 40
"""A PDF with fewer visible characters a page is a scan."""
_DRAWN = 1.5  # pixels a point, for the comparison
_COLUMNS = 64  # of pixels, at least, that are looked at in a stretch of text
_OCR = 200 / 72  # pixels a point, for OCR
_INVISIBLE = (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)
_STROKED = (raw.FPDF_TEXTRENDERMODE_STROKE, raw.FPDF_TEXTRENDERMODE_STROKE_CLIP)


def read_pdf(content: bytes, limits: Limits) -> Parts:
    """Text of each page, without what no reader sees; images of the pages when there is next to no text.

    Raises
    ------
    Refused : over a limit, protected by a password, or not a PDF that can be opened.
    """
    check_pdf(content, limits)
    try:
        document = pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        cure = "cure: save it without a password" if "assword" in str(error) else "cure: print the résumé to PDF again"
        raise Refused(f"cannot be opened as a PDF; {cure}") from None
    if len(document) > limits.pages:
        raise Refused(f"has {len(document)} pages, more than {limits.pages}; cure: send the résumé alone")
    parts = Parts(count=len(document))
    left, broken = limits.characters, set()
    for number in range(len(document)):
        try:
            page = document[number]
            text_page = page.get_textpage()
        except pdfium.PdfiumError:
            parts.notes.append(f"page {number + 1} is broken and was left out")
            parts.pages.append("")  # the pages after it keep their numbers
            broken.add(number + 1)
            continue
        left -= text_page.count_chars()
        if left < 0:
            raise Refused(f"holds more than {limits.characters:,} characters; cure: send the résumé alone")
        parts.pages.append(_visible_text(page, text_page, parts))
        text_page.close()
        page.close()
    if sum(len("".join(text.split())) for text in parts.pages) < SCAN_CHARACTERS * len(document):
        parts.pages = []
        _draw_for_ocr(document, limits, parts)
    else:
        texts = enumerate(parts.pages, 1)
        empty = [str(number) for number, text in texts if not text.strip() and number not in broken]
        if empty:
            parts.notes.append(f"no text on page {', '.join(empty)}: blank, or a picture that was not recognised")
    return parts


class _Character(NamedTuple):
    text: str
    owner: int | None  # address of its text object; None for a space or line end that PDFium put in
    outside: bool
    box: tuple[float, float, float, float]  # left, right, bottom, top in points
    number: int


def _visible_text(page: pdfium.PdfPage, text_page: pdfium.PdfTextPage, parts: Parts) -> str:
    count = text_page.count_chars()
    if not count:
        return ""
    ground = _Ground(page)
    kept = []
    for (owner, outside), run in groupby(_characters(page, text_page, count), key=lambda one: (one.owner, one.outside)):
        characters = list(run)
        text = "".join(character.text for character in characters)
        reason = None
        if owner is not None and text.strip():
            reason = "off the page" if outside else _unseen(text_page, characters, ground)
        if reason is None:
            kept.append(text)
        else:
            parts.hide(reason, text + " ")
            kept.append(GONE)
    # PDFium gives code units: letters beyond 0xFFFF come as two.
    return "".join(kept).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _characters(page: pdfium.PdfPage, text_page: pdfium.PdfTextPage, count: int) -> list[_Character]:
    left, bottom, right, top = page.get_bbox()
    corners = [ctypes.c_double() for _ in range(4)]
    found = []
    for index in range(count):
        code = raw.FPDFText_GetUnicode(text_page, index)
        text = "-" if code in (2, 0xFFFE) else chr(code)  # PDFium's signs for a hyphen at the end of a line
        item = None if raw.FPDFText_IsGenerated(text_page, index) == 1 else raw.FPDFText_GetTextObject(text_page, index)
        owner = ctypes.cast(item, ctypes.c_void_p).value if item else None
        raw.FPDFText_GetCharBox(text_page, index, *corners)
        box = (corners[0].value, corners[1].value, corners[2].value, corners[3].value)
        x, y = (box[0] + box[1]) / 2, (box[2] + box[3]) / 2
        outside = owner is not None and not (left <= x <= right and bottom <= y <= top)
        found.append(_Character(text, owner, outside, box, index))
    return found


def _unseen(text_page: pdfium.PdfTextPage, run: list[_Character], ground: "_Ground") -> str | None:
    """Why no reader sees the run; None when one does."""
    first = run[0].number
    item = raw.FPDFText_GetTextObject(text_page, first)
    mode = raw.FPDFTextObj_GetTextRenderMode(item)
    ask = raw.FPDFText_GetStrokeColor if mode in _STROKED else raw.FPDFText_GetFillColor
    channels = [ctypes.c_uint() for _ in range(4)]
    ask(text_page, first, *channels)
    red, green, blue, alpha = (channel.value for channel in channels)
    if mode in _INVISIBLE or alpha < CONTRAST:  # next to transparent
        return "invisible ink"
    matrix = raw.FS_MATRIX()
    raw.FPDFText_GetMatrix(text_page, first, matrix)
    scale = min(math.hypot(matrix.a, matrix.b), math.hypot(matrix.c, matrix.d))
    if raw.FPDFText_GetFontSize(text_page, first) * scale < SMALLEST:
        return "tiny"
    inked = [character.box for character in run if character.text.strip()]
    lefts, rights, bottoms, tops = zip(*inked, strict=True)
    colours = ground.colours((min(lefts), min(bottoms)), (max(rights), max(tops)))
    if not colours:
        return "off the page"
    most = max(colours, key=colours.__getitem__)
    if similar(most, blue | green << 8 | red << 16):
        return "colour of the background"
    return None if any(not similar(most, colour) for colour in colours) else "covered"


class _Ground:
    """The page as it is drawn."""

    def __init__(self, page: pdfium.PdfPage):
        width, height = page.get_size()
        scale = min(_DRAWN, math.sqrt(4_000_000 / max(width * height, 1.0)))
        self.bitmap = page.render(scale=scale, prefer_bgrx=True)
        self.pixels = memoryview(self.bitmap.buffer).cast("B").cast("I")
        self.place = self.bitmap.get_posconv(page).to_bitmap

    def colours(self, lower_left: tuple[float, float], upper_right: tuple[float, float]) -> Counter[int]:
        """Pixels of each colour (0xRRGGBB) in a box given in points, and around it, so that ground outweighs ink."""
        (x0, y0), (x1, y1) = self.place(*lower_left), self.place(*upper_right)
        left, right, top, bottom = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
        margin = 3 + (bottom - top) // 4
        row = self.bitmap.stride // 4
        step = max(1, (right - left) // _COLUMNS)
        columns = slice(max(left - margin, 0), max(min(right + margin + 1, self.bitmap.width), 0), step)
        found: Counter[int] = Counter()
        for y in range(max(top - margin, 0), min(bottom + margin + 1, self.bitmap.height)):
            found.update(self.pixels[y * row : y * row + self.bitmap.width][columns])
        return Counter({colour & 0xFFFFFF: number for colour, number in found.items()})


def _draw_for_ocr(document: pdfium.PdfDocument, limits: Limits, parts: Parts) -> None:
    from metier.sources.documents.image import write_slices

    for page in document:
        width, height = page.get_size()
        scale = min(_OCR, math.sqrt(limits.pixels / max(width * height, 1.0)))
        write_slices(page.render(scale=scale, grayscale=True).to_pil(), limits, parts)
