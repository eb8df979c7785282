"""The child process that parses one document: bytes on standard input, limits as an argument, JSON on standard output.

It confines itself before it reads the first byte, and imports the parser of the document's kind only.
"""

import json
import sys
from typing import Any

from metier.sources.documents.archive import checked_archive
from metier.sources.documents.confine import confine
from metier.sources.documents.kinds import kind_of
from metier.sources.documents.limits import Limits
from metier.sources.documents.parts import Parts, Refused, tidy, without_zero_width


def main(bounds: dict[str, int]) -> None:
    """Confine, read, answer. An error within the limits is an answer, too. `bounds` are the fields of `Limits`."""
    limits = Limits(**bounds)
    confine(memory=limits.memory_bytes, cpu=limits.cpu_seconds, written=limits.written_bytes, files=limits.open_files)
    try:
        answer = parse(sys.stdin.buffer.read(), limits)
    except Refused as refusal:
        answer = {"error": str(refusal)}
    except MemoryError:
        answer = {"error": f"needs more than {limits.memory_bytes >> 20} MB of memory; cure: save it as plain text"}
    except Exception as error:  # whatever a parser raises, the parent is told in one line
        answer = {"error": f"breaks its reader ({type(error).__name__}); cure: save the résumé as PDF or plain text"}
    sys.stdout.write(json.dumps(answer))


def parse(content: bytes, limits: Limits) -> dict[str, Any]:
    """The document as JSON: what `metier.sources.documents.reading` takes.

    Raises
    ------
    Refused : the document is not read; the message says why.
    """
    kind, parts = take_apart(content, limits)
    pages, hidden = [], list(parts.hidden)
    for page in parts.pages:
        text, empty = without_zero_width(page)
        pages.append(tidy(text).replace("\f", "\n"))
        if empty:
            hidden.append(("zero width", empty))
    text = "\f".join(pages)
    if len(text) + sum(len(passage) for _, passage in hidden) > limits.characters:
        raise Refused(f"holds more than {limits.characters:,} characters; cure: send the résumé alone")
    shown = [{"reason": reason, "text": text if reason == "zero width" else tidy(text)} for reason, text in hidden]
    document = {
        "kind": kind,
        "how": "text layer",
        "text": text,
        "pages": parts.count,
        "hidden": shown,
        "notes": parts.notes,
        "resume": parts.resume,
    }
    return {"document": document, "images": parts.images}


def take_apart(content: bytes, limits: Limits) -> tuple[str, Parts]:
    """The kind of a document, and its parts by the parser of that kind."""
    kind = kind_of(content)
    if kind == "zip":
        archive, kind = checked_archive(content, limits)
        if kind == "docx":
            from metier.sources.documents.docx import read_docx

            return kind, read_docx(content)
        from metier.sources.documents.opendocument import read_odt

        return kind, read_odt(archive)
    if kind == "pdf":
        from metier.sources.documents.pdf import read_pdf

        return kind, read_pdf(content, limits)
    if kind in ("png", "jpeg"):
        from metier.sources.documents.image import read_image

        return kind, read_image(content, limits)
    from metier.sources.documents import plain

    if kind == "json-resume":
        return kind, plain.read_json_resume(content, limits)
    if kind == "rtf":
        from metier.sources.documents.rtf import read_rtf

        return kind, read_rtf(plain.decoded(content), limits)
    if kind == "html":
        from metier.sources.documents.html import read_html

        return kind, read_html(plain.decoded(content), limits)
    return kind, plain.read_text(content)
