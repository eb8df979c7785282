"""RTF -> text a reader sees. striprtf knows the format; hidden text is taken out of the source before it reads it."""

import re
from typing import NamedTuple

from striprtf.striprtf import rtf_to_text

from metier.sources.documents.limits import Limits
from metier.sources.documents.parts import GONE, Parts, Refused
from metier.sources.documents.style import WHITE, similar

_TOKEN = re.compile(r"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'[0-9a-fA-F]{2}|\\[^a-z]|[{}]|[^\\{}]+|\\")
_COLOURS = re.compile(r"\{\\colortbl([^{}]*)\}")
_CHANNELS = re.compile(r"\\red(\d{1,3})\s*\\green(\d{1,3})\s*\\blue(\d{1,3})")


class _Look(NamedTuple):
    hidden: bool = False
    ink: int = 0
    ground: int = WHITE
    size: int = 24  # half points

    def reason(self) -> str | None:
        """Why no reader sees it; None when one does."""
        if self.hidden:
            return "hidden by style"
        if self.size < 8:
            return "tiny"
        return "colour of the background" if similar(self.ink, self.ground) else None


def read_rtf(content: str, limits: Limits) -> Parts:
    """Text of the document, pictures and objects apart.

    Raises
    ------
    Refused : groups too deep inside one another, or no RTF that striprtf reads.
    """
    colours = _colours(content)
    parts, kept, taken = Parts(), list[str](), list[tuple[str, str]]()
    look, outer = _Look(), list[_Look]()
    for match in _TOKEN.finditer(content):
        token, word, number = match[0], match[1], match[2]
        if match[0] == "{":
            outer.append(look)
            if len(outer) > limits.depth:
                raise Refused(f"holds groups {limits.depth} deep; cure: save the résumé as PDF")
        elif match[0] == "}":
            look = outer.pop() if outer else look
        elif word:
            look = _after(look, word, int(number) if number else None, colours)
        reason = look.reason()
        if reason and (word == "u" or not word) and token not in ("{", "}"):
            taken.append((reason, token))
            kept.append(GONE)
        else:
            kept.append(token + GONE if reason and word in ("line", "par") else token)
    try:
        parts.pages = [_plain("".join(kept))]
        for reason, token in taken:
            parts.hide(reason, token)
        parts.hidden = [(why, _plain("{\\rtf1 " + text + "}")) for why, text in parts.hidden]
    except (ValueError, LookupError, OverflowError, TypeError) as error:
        raise Refused(f"is a damaged RTF ({type(error).__name__}); cure: save the résumé as PDF") from None
    return parts


def _plain(source: str) -> str:
    return str(rtf_to_text(source, errors="replace"))  # type: ignore[no-untyped-call]


def _colours(content: str) -> list[int | None]:
    """The colour table; None is the program's own choice."""
    table = _COLOURS.search(content)
    found: list[int | None] = []
    for entry in table[1].split(";")[:256] if table else ():
        match = _CHANNELS.search(entry)
        red, green, blue = (min(int(part), 255) for part in match.groups()) if match else (0, 0, 0)
        found.append(red << 16 | green << 8 | blue if match else None)
    return found


def _after(look: _Look, word: str, number: int | None, colours: list[int | None]) -> _Look:
    """The look after a control word."""
    chosen = colours[number] if number is not None and 0 <= number < len(colours) else None
    if word == "v":
        return look._replace(hidden=number != 0)
    if word == "plain":
        return _Look()
    if word == "fs" and number is not None:
        return look._replace(size=number)
    if word == "cf":
        return look._replace(ink=0 if chosen is None else chosen)
    if word in ("cb", "highlight", "chcbpat", "cbpat"):
        return look._replace(ground=WHITE if chosen is None else chosen)
    return look
