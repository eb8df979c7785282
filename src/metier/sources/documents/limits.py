"""What a document may cost before it is refused."""

from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Limits:
    """Bounds of one document; a résumé is far below each of them."""

    file_bytes: int = 10 * MEGABYTE
    """Size of the file."""
    archive_entries: int = 200
    """Entries of a DOCX or ODT, which are zip archives."""
    archive_ratio: int = 100
    """Unpacked size of an entry over its packed size; entries that unpack to less than 100 kB are not asked."""
    archive_bytes: int = 50 * MEGABYTE
    """Size of all entries unpacked."""
    stream_bytes: int = 50 * MEGABYTE
    """Size of all streams of a PDF unpacked, images apart."""
    pages: int = 30
    """Pages of a PDF."""
    pixels: int = 25_000_000
    """Width times height of an image, in a PDF too."""
    depth: int = 500
    """Elements, groups or values inside one another."""
    characters: int = 200_000
    """Length of the text."""
    memory_bytes: int = 768 * 1024 * 1024
    """Address space of a child process."""
    cpu_seconds: int = 10
    """Processor time of a child process; a scan takes one child a page."""
    wall_seconds: int = 60
    """Waiting time for a child process."""
    written_bytes: int = 32 * MEGABYTE
    """Size of a file that a child process writes: the image of a page for OCR."""
    open_files: int = 64
    """Files a child process holds open."""
    answer_bytes: int = 4 * MEGABYTE
    """Size of the JSON a child process answers with."""
