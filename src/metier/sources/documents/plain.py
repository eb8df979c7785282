"""Text files and JSON Resume."""

import json

from metier.sources.documents.limits import Limits
from metier.sources.documents.parts import Parts, Refused

_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def decoded(content: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 with its mark, or else Windows-1252.

    Raises
    ------
    Refused : the bytes are no text.
    """
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    odd = sum(1 for letter in text if (letter < " " and letter not in "\t\n\r\f") or letter == "\ufffd")
    if odd > len(text) / 50:
        raise Refused("is neither a text nor a document that is read; cure: save the résumé as PDF, DOCX or plain text")
    return text


def read_text(content: bytes) -> Parts:
    """A text file as it is, a form feed for a new page.

    Raises
    ------
    Refused : the bytes are no text.
    """
    pages = decoded(content).split("\f")
    return Parts(pages=pages, count=len(pages))


def read_json_resume(content: bytes, limits: Limits) -> Parts:
    """A JSON Resume: the record it states, and its text as lines.

    Raises
    ------
    Refused : no JSON, too deep, or not the shape of a JSON Resume.
    """
    from metier.errors import DataRejectedError
    from metier.sources.json_resume import as_text, from_json_resume

    try:
        value = json.loads(decoded(content))
        candidate = from_json_resume(value)
    except (ValueError, RecursionError) as error:
        raise Refused(
            f"is no JSON that can be read ({type(error).__name__}); cure: check it at a JSON validator"
        ) from None
    except DataRejectedError as error:
        raise Refused(str(error)) from None
    return Parts(pages=[as_text(candidate)], resume=candidate.model_dump(mode="json"))
