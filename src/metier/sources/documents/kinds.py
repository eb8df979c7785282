"""The kind of a document by its first bytes and what is inside, never by its name."""

import re

from metier.sources.documents.parts import Refused

_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"{\\rtf": "rtf"}
_OTHERS = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Office file (.doc)",
    b"GIF8": "a GIF image",
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
    b"BM": "a BMP image",
    b"RIFF": "a WebP image or a sound",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x7fELF": "a program",
    b"MZ": "a program",
}
_HTML = re.compile(rb"\A\s*<(!doctype\s+html|html|head|body|\?xml[^>]*>\s*<(!doctype\s+html|html))\b", re.IGNORECASE)
_ELEMENT = re.compile(rb"</(p|div|span|li|ul|h[1-6]|table|td|body|html|a|b|strong|em)\s*>", re.IGNORECASE)


def kind_of(content: bytes) -> str:
    """One of `metier.sources.documents.document.Kind`, or "zip", which only a look inside can tell.

    Raises
    ------
    Refused : empty, or of a kind that is not read.
    """
    if not content.strip(b"\x00 \t\r\n"):
        raise Refused("the file is empty; cure: export the résumé again")
    if b"%PDF-" in content[:1024]:
        return "pdf"
    if content.startswith(b"PK\x03\x04"):
        return "zip"
    for signature, kind in _SIGNATURES.items():
        if content.startswith(signature):
            return kind
    for signature, kind in _OTHERS.items():
        if content.startswith(signature) and b"\x00" in content[:4096]:  # a text may begin with "BM" or "MZ", too
            raise Refused(f"this is {kind}, which is not read; cure: save it as PDF, DOCX, PNG or plain text")
    head = content[:4096].removeprefix(b"\xef\xbb\xbf")
    if _HTML.match(head) or len(_ELEMENT.findall(content[:100_000])) >= 3:
        return "html"
    if head.lstrip()[:1] == b"{":
        return "json-resume"
    return "text"
