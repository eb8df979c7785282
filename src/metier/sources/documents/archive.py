"""The gate before DOCX and ODT: nothing is unpacked that the limits do not allow."""

import io
import re
import zipfile
import zlib

from metier.sources.documents.limits import Limits
from metier.sources.documents.parts import Refused

_CURE = "cure: save the résumé as PDF"
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")
_DECLARATION = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_SMALL = 100_000


def checked_archive(content: bytes, limits: Limits) -> tuple[zipfile.ZipFile, str]:
    """The archive, every entry of which was unpacked once under the limits, and its kind: "docx" or "odt".

    Raises
    ------
    Refused : not a zip, too many entries, too large or too tightly packed, encrypted, an archive inside, an XML part
        that declares a document type or entities, or neither DOCX nor ODT.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
        if len(entries) > limits.archive_entries:
            raise Refused(f"holds {len(entries)} parts, more than {limits.archive_entries}; {_CURE}")
        if len({entry.filename for entry in entries}) < len(entries):
            raise Refused(f"holds two parts of one name; {_CURE}")
        total = 0
        for entry in entries:
            total += _checked_entry(archive, entry, limits, limits.archive_bytes - total)
        names = set(archive.namelist())
        if "[Content_Types].xml" in names and any(name.startswith("word/") for name in names):
            return archive, "docx"
        if "mimetype" in names and archive.read("mimetype").startswith(b"application/vnd.oasis.opendocument.text"):
            return archive, "odt"
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, RuntimeError, NotImplementedError, zlib.error) as error:
        raise Refused(f"is a damaged or encrypted zip archive ({type(error).__name__}); {_CURE}") from None
    raise Refused("is a zip archive but neither DOCX nor ODT; cure: unpack it and name the résumés in it")


def _checked_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits, left: int) -> int:
    """Bytes of an entry, counted while unpacking: what the archive's own table says may be a lie."""
    size, tail, start = 0, b"", b""
    with archive.open(entry) as stream:
        while block := stream.read(1 << 16):
            start = start or block[:8]
            size += len(block)
            if size > left:
                raise Refused(f"unpacks to more than {limits.archive_bytes:,} bytes; {_CURE}")
            if size > _SMALL and size > limits.archive_ratio * max(entry.compress_size, 1):
                raise Refused(f"holds a part packed more than {limits.archive_ratio} to 1; {_CURE}")
            if _DECLARATION.search((tail + block).replace(b"\x00", b"")):
                raise Refused(f"declares a document type or entities, which no résumé needs; {_CURE}")
            tail = block[-32:]
    if start.startswith(_ARCHIVES):
        raise Refused(f"holds an archive inside; {_CURE}")
    return size
