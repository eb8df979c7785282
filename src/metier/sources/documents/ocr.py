"""Page images -> text, by tesseract where it is installed, else by rapidocr; one confined child process a page."""

import importlib.util
import shutil
import sys
from pathlib import Path

from metier.errors import MissingExtraError
from metier.sources.documents import confine
from metier.sources.documents.child import python_child, run_confined
from metier.sources.documents.limits import Limits
from metier.sources.documents.parts import tidy


def recognise_pages(images: list[Path], limits: Limits, name: str) -> str:
    """Text of the images in their order, pages apart by a form feed.

    Raises
    ------
    MissingExtraError : neither tesseract nor rapidocr is installed.
    DataRejectedError : an image takes more than the limits allow.
    """
    command = _command(limits)
    texts = [tidy(run_confined(command, image, limits, name).decode(errors="replace")) for image in images]
    return "\f".join(text.replace("\f", "") for text in texts)


def _command(limits: Limits) -> list[str]:
    """A program that reads an image on standard input and writes its text."""
    if program := shutil.which("tesseract"):
        bounds = [limits.memory_bytes, limits.cpu_seconds, limits.written_bytes, limits.open_files]
        confined = [sys.executable, "-I", "-S", confine.__file__, *map(str, bounds), "--"]
        return [*confined, program, "stdin", "stdout"]
    if importlib.util.find_spec("rapidocr") and importlib.util.find_spec("onnxruntime"):
        return python_child("metier.sources.documents.rapid", limits)
    raise MissingExtraError("reading a scan without the program tesseract", "ocr")
