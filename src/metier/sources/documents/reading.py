"""`read_document`: a file's bytes go to a fresh, confined child process; what comes back is checked like any input."""

import tempfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from metier.errors import DataRejectedError
from metier.sources.documents.child import CURE, python_child, run_confined
from metier.sources.documents.document import Document
from metier.sources.documents.limits import Limits

_WORKER = "metier.sources.documents.worker"


class _Answer(BaseModel):
    """What the worker sends: an error, or a document and the number of page images it wrote for OCR."""

    model_config = ConfigDict(extra="forbid")
    error: str | None = None
    document: Document | None = None
    images: int = 0


def read_document(source: Path | str | bytes, limits: Limits | None = None) -> Document:
    """The text of a résumé as a reader sees it: PDF, DOCX, ODT, RTF, HTML, text, JSON Resume, PNG or JPEG.

    The kind is told by content, never by name. A PDF whose pages hold almost no text is a scan and goes to OCR, as
    images do. Text that no reader sees is taken out and listed in `Document.hidden`.

    Parameters
    ----------
    source : a path, or the document itself.
    limits : bounds of size, time and memory; `Limits()` when None.

    Raises
    ------
    DataRejectedError : the document is over a limit, broken, of another kind, or holds no text.
    MissingExtraError : a scan, and neither the program tesseract nor the extra [ocr] is installed.
    OSError : the path cannot be read.
    """
    limits = limits or Limits()
    if isinstance(source, bytes):
        return _read(source, "the document", limits)
    path = Path(source)
    with path.open("rb") as file:
        return _read(file.read(limits.file_bytes + 1), path.name, limits)


def _read(content: bytes, name: str, limits: Limits) -> Document:
    if len(content) > limits.file_bytes:
        raise DataRejectedError(
            f"{name}: larger than {limits.file_bytes:,} bytes, which no résumé is; cure: export it with smaller images"
        )
    with tempfile.TemporaryDirectory(prefix="metier-") as folder:
        document_file = Path(folder) / "document"
        document_file.write_bytes(content)
        output = run_confined(python_child(_WORKER, limits), document_file, limits, name)
        try:
            answer = _Answer.model_validate_json(output)
        except ValidationError:
            raise DataRejectedError(f"{name}: its reader stopped without an answer; {CURE}") from None
        if answer.error is not None or answer.document is None:
            raise DataRejectedError(f"{name}: {answer.error or 'nothing was read'}")
        document = answer.document
        if answer.images:
            from metier.sources.documents.ocr import recognise_pages

            images = [Path(folder) / f"page-{number}.png" for number in range(1, min(answer.images, limits.pages) + 1)]
            text = recognise_pages(images, limits, name)
            document = document.model_copy(update={"text": text, "how": "OCR"})
    if not document.text.strip():
        raise DataRejectedError(f"{name}: holds no text that a reader sees; cure: export the résumé again")
    return document
