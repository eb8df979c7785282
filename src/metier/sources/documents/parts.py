"""What a parser hands on: pages of text, what it took out, and images where the text is still to be recognised."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field


class Refused(Exception):
    """A document that is not read; the message says why and ends with a cure. Stays inside the child process."""


@dataclass
class Parts:
    """One document, taken apart."""

    pages: list[str] = field(default_factory=list)
    hidden: list[tuple[str, str]] = field(default_factory=list)
    """(reason, text) of each passage that no reader sees."""
    notes: list[str] = field(default_factory=list)
    images: int = 0
    """Page images written as page-1.png, page-2.png ... into the working folder, for OCR."""
    count: int = 1
    """Pages of the document."""
    resume: dict[str, object] | None = None

    def hide(self, reason: str, text: str) -> None:
        """Note a passage that no reader sees; the same reason goes on in one passage."""
        if self.hidden and self.hidden[-1][0] == reason:
            self.hidden[-1] = (reason, self.hidden[-1][1] + text)
        else:
            self.hidden.append((reason, text))

    def shown(self, text: str, reason: str | None) -> str:
        """`text` where there is no reason to hide it; else it is noted, and `GONE` stands in its place."""
        if reason is None or not text.strip():
            return text
        self.hide(reason, text + " ")
        return GONE


GONE = "\x1c"
"""Stands where hidden text was taken out. It is white space; a line of nothing else goes with it, since an empty line
more would change scores a little."""
# Joiners shape the letters of Arabic and Indian scripts and stay between them; elsewhere they are as empty as the rest.
_ZERO_WIDTH = re.compile(
    "[\u00ad\u034f\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]+"
    "|(?<![\u0600-\u0dff])[\u200c\u200d]+|[\u200c\u200d]+(?![\u0600-\u0dff])"
)
_TAGS = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}  # invisible twins of the ASCII characters
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_SPACES = re.compile(r"[^\S\n\f]+")


def without_zero_width(text: str) -> tuple[str, str]:
    """The text without characters of no width, and these; invisible twins of letters are shown as the letters."""
    found = "".join(_ZERO_WIDTH.findall(text))
    return _ZERO_WIDTH.sub("", text), found.translate(_TAGS)


def tidy(text: str) -> str:
    """One kind of line end, tabs kept, other white space made one space, at most one empty line in a row."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    kept = (line.replace(GONE, " ") for line in text.split("\n") if line.strip() or GONE not in line)
    lines = (
        "\t".join(_SPACES.sub(" ", cell).strip() for cell in _CONTROL.sub("", line).split("\t")).strip()
        for line in kept
    )
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def joined_cells(cells: Iterable[str]) -> str:
    """A table row: cells of one line each stand side by side, tabs between; longer ones below each other."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return ("\n" if any("\n" in cell for cell in filled) else "\t").join(filled)
