"""Images -> page-high slices for OCR, as grey PNG files in the working folder."""

import io
from collections.abc import Iterator

from PIL import Image, ImageOps, ImageStat

from metier.sources.documents.limits import Limits
from metier.sources.documents.parts import Parts, Refused

HIGHEST = 2400
"""Pixels: a scan of a whole résumé in one tall image is cut, so that no slice takes OCR longer than a page does."""


def read_image(content: bytes, limits: Limits) -> Parts:
    """A PNG or JPEG, cut into slices that wait for OCR.

    Raises
    ------
    Refused : too many pixels, or broken.
    """
    Image.MAX_IMAGE_PIXELS = None  # the limit below is ours, and lower
    try:
        image = Image.open(io.BytesIO(content), formats=["PNG", "JPEG"])
        width, height = image.size
        if width * height > limits.pixels:
            raise Refused(f"has {width} x {height} pixels, more than {limits.pixels:,}; cure: scan it at 200 dpi")
        if height > limits.pages * HIGHEST:
            raise Refused(f"is more than {limits.pages} pages high; cure: send the résumé alone")
        turned = ImageOps.exif_transpose(image)
        if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info:
            paper = Image.new("RGBA", turned.size, "white")
            turned = Image.alpha_composite(paper, turned.convert("RGBA"))
        parts = Parts()
        write_slices(turned.convert("L"), limits, parts)
    except (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, ArithmeticError) as error:
        raise Refused(f"is a broken image ({type(error).__name__}); cure: scan or save it again") from None
    return parts


def write_slices(image: Image.Image, limits: Limits, parts: Parts) -> None:
    """Write a grey image as one PNG, or several when it is tall; `parts.images` counts them.

    Raises
    ------
    Refused : more slices than a document may have pages.
    """
    for piece in slices(image.convert("L"), HIGHEST):
        if parts.images == limits.pages:
            raise Refused(f"is more than {limits.pages} pages high; cure: send the résumé alone")
        parts.images += 1
        piece.save(f"page-{parts.images}.png", compress_level=1)


def slices(image: Image.Image, highest: int) -> Iterator[Image.Image]:
    """The image in pieces at most so many pixels high, cut between the lines of its text."""
    top = 0
    while top < image.height:
        bottom = min(top + highest, image.height)
        if bottom < image.height:
            bottom = _emptiest_row(image, bottom - highest // 4, bottom)
        yield image.crop((0, top, image.width, bottom))
        top = bottom


def _emptiest_row(image: Image.Image, first: int, last: int) -> int:
    """The row with the least contrast, the lowest of equals."""
    spread = {y: ImageStat.Stat(image.crop((0, y, image.width, y + 1))).stddev[0] for y in range(last - 1, first, -1)}
    return min(spread, key=spread.__getitem__)
