"""The gate before PDFium: pypdf unpacks every stream under limits, so that a bomb meets a limit and not the memory."""

import io
import logging
from contextlib import suppress

from pypdf import PdfReader, apply_configuration
from pypdf.errors import FileNotDecryptedError, LimitReachedError, PyPdfError
from pypdf.generic import IndirectObject, StreamObject

from metier.sources.documents.limits import Limits
from metier.sources.documents.parts import Refused

_CURE = "cure: print the résumé to PDF again, or save it as DOCX or plain text"
_MOST_OBJECTS = 20_000

logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)  # it tells what it mends, in the words of the file


def check_pdf(content: bytes, limits: Limits) -> None:
    """Refuse a PDF over the limits; one that is merely broken passes, because PDFium mends more than pypdf does.

    Raises
    ------
    Refused : too many pages or objects, streams that unpack to too much, an image of too many pixels, a password.
    """
    try:
        with apply_configuration(
            zlib_maximum_output_length=limits.stream_bytes,
            lzw_maximum_output_length=limits.stream_bytes,
            run_length_maximum_output_length=limits.stream_bytes,
            stream_decoding_work_maximum_length=2 * limits.stream_bytes,
            jbig2dec_binary=None,
        ):
            _check(PdfReader(io.BytesIO(content)), limits)
    except (LimitReachedError, RecursionError):
        raise Refused(f"unpacks to more than {limits.stream_bytes:,} bytes or has no end; {_CURE}") from None
    except FileNotDecryptedError:
        raise Refused("asks for a password; cure: save it without one") from None
    except (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, ImportError):
        return  # broken in a way that pypdf cannot mend, or encrypted with an algorithm that it does not bring


def _check(reader: PdfReader, limits: Limits) -> None:
    numbers = {number: generation for generation, table in reader.xref.items() for number in table}
    numbers |= dict.fromkeys(reader.xref_objStm, 0)
    if len(numbers) > _MOST_OBJECTS:
        raise Refused(f"holds {len(numbers):,} objects, more than {_MOST_OBJECTS:,}; {_CURE}")
    with suppress(KeyError, TypeError, ValueError, AttributeError, PyPdfError):  # PDFium counts them again
        if len(reader.pages) > limits.pages:
            raise Refused(f"has {len(reader.pages)} pages, more than {limits.pages}; cure: send the résumé alone")
    total = 0
    for number, generation in numbers.items():
        try:
            stream = reader.get_object(IndirectObject(number, generation, reader))
        except (LimitReachedError, FileNotDecryptedError, RecursionError):
            raise
        except Exception:  # noqa: S112 - pypdf meets a broken object with errors of many kinds
            continue
        if isinstance(stream, StreamObject):
            total += _unpacked(stream, limits)
        if total > limits.stream_bytes:
            raise Refused(f"unpacks to more than {limits.stream_bytes:,} bytes; {_CURE}")


def _unpacked(stream: StreamObject, limits: Limits) -> int:
    """Bytes of a stream; 0 for an image, which is bounded by its pixels."""
    if stream.get("/Subtype") == "/Image":
        width, height = stream.get("/Width"), stream.get("/Height")
        if isinstance(width, int) and isinstance(height, int) and width * height > limits.pixels:
            raise Refused(f"holds an image of {width} x {height} pixels, more than {limits.pixels:,}; {_CURE}")
        return 0
    try:
        return len(stream.get_data())
    except (LimitReachedError, RecursionError):
        raise
    except Exception:  # a broken stream, which PDFium will skip
        return 0
