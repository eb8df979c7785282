"""Contact data out of a text before it leaves the machine: each e-mail, phone number, URL, street, postal code and name
becomes a placeholder, the same one for the same value, so that a reader can still tell two of a kind apart.

Privacy goes first where both cannot be had: a person's own names are masked wherever they stand capitalised, also in
"Baker & Sons" when the person is called Baker. Other people's names, and towns, are not looked for.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from phonenumbers import SUPPORTED_REGIONS, Leniency, PhoneNumberMatcher

from metier.sources.candidate import Contact
from metier.sources.documents.vocabulary import words

_AT, _DOT = r"(?:@|\s?[\[(]at[\])]\s?)", r"(?:\.|\s?[\[(]dot[\])]\s?)"
_REST = r"[^\s<>()\[\]\"',;]+"
_STATES = "|".join(sorted(words("places", "states")))

_PATTERNS = {
    "email": re.compile(rf"\b[\w.+'-]{{1,64}}{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}})+", re.IGNORECASE),
    # The second line takes "github.com/someone" and leaves "TCP/IP", "ASP.NET/C#" and "Booking.com".
    "url": re.compile(
        rf"(?:https?://|\bwww\.){_REST}|(?<![\w@.-])(?:[\w-]{{1,63}}\.)+(?:com|org|info|io|me|dev|co|us|uk|de|fr|ca|kr)/{_REST}",
        re.IGNORECASE,
    ),
    # 12 North 3rd St, Apt 4; PO Box 12; Hauptstraße 12a; 12 bis, rue de la Paix. Words that also mean something else
    # ("Way", "Place") count only before a comma, a unit or the end of the line.
    "street": re.compile(
        r"\b\d{1,6}[A-Za-z]?\s+(?:[NSEW]{1,2}\.?\s+)?(?:(?:[A-Z][\w.'-]*|\d+(?:st|nd|rd|th))[ ]+){1,3}"
        r"(?:(?:Street|Avenue|Road|Boulevard|Lane|Terrace|Parkway|Highway|St|Ave|Rd|Blvd|Ln|Pkwy|Hwy)\b\.?"
        r"|(?:Drive|Court|Circle|Square|Trail|Way|Place|Loop|Dr|Ct|Cir|Sq|Trl|Pl)\b\.?(?=\s*(?:[,;|•·#)\n]|$|Apt|Unit)))"
        r"(?:,?\s+(?:Apt|Apartment|Suite|Ste|Unit)\b\.?\s*#?\s*\w+|,?\s*#\s*\w+)?"
        r"|\bP\.?\s?O\.?\s+Box\s+\d+"
        r"|\b[A-ZÄÖÜ][\w-]*(?:straße|strasse|str\.|weg|platz|allee|gasse)\s+\d{1,4}\s?[a-z]?\b"
        r"|\b\d{1,4}(?:\s?(?:bis|ter))?,?\s+(?:rue|avenue|boulevard|chemin)\s+(?:[a-zà-ÿ']+\s+){0,3}[A-ZÀ-Ý][\w'-]+"
    ),
    # US codes after a state, which stays, and in their long form; Canadian and British codes.
    "zip": re.compile(
        rf"\b(?:{_STATES}),?\s+(?P<value>\d{{5}}(?:-\d{{4}})?)\b|(?<![\d-])\d{{5}}-\d{{4}}(?![\d-])"
        r"|\b[ABCEGHJ-NPRSTVXY]\d[A-Z]\s?\d[A-Z]\d\b|\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b"
    ),
    # Numbers that the phone library does not take for its region: behind a label, or with a leading 0.
    "phone": re.compile(
        r"\b(?:phone|tel|telephone|telefon|mobile|mobil|cell|fax|handy|whatsapp)\b[.:)]*\s*"
        r"(?P<value>[+(]?\d[\d ().-]{5,25}\d)"
        r"|(?<![\w.+-])0\d{1,4}[-/ ]\d{3,8}(?:[- ]\d{2,8}){0,3}(?!\w)",
        re.IGNORECASE,
    ),
}
PLACEHOLDER = re.compile(rf"\[(?:{'|'.join((*_PATTERNS, 'name'))}) \d+\]")
"""What stands in the place of contact data."""
_PERIOD = re.compile(r"\b(?:19|20)\d\d\s*[-–/]|[-–/]\s*(?:19|20)\d\d\b|\d\.000\b")
"""What a phone number never holds, but "2012 - 07/2015" and "45.000-55.000" do."""
_LOCAL = re.compile(r"\d{3}[-. ]\d{4}")
_LABEL = re.compile(r"(?:phone|tel|mobile|cell|fax|call|ph|[mtpc])\b[.:)]* ?\Z", re.IGNORECASE)
_AMOUNT = re.compile(r"[$€£¥#] ?\Z|\b(?:USD|EUR|GBP|no|number|id)[.:]? ?\Z", re.IGNORECASE)

Span = tuple[int, int, str]


@dataclass(frozen=True)
class Masked:
    """A text whose contact data are placeholders such as "[email 1]"."""

    text: str
    values: Mapping[str, str] = field(repr=False)
    """What each placeholder stands for: stays on this machine, and out of every log."""


def mask(text: str, contact: Contact | None = None) -> Masked:
    """`text` without e-mails, phone numbers, URLs, streets, postal codes, and the values and name parts of `contact`.

    >>> mask("Ada Lovelace, ada@example.org, Java 8 since 2015", Contact(name="Ada Lovelace")).text
    '[name 1], [email 1], Java 8 since 2015'
    """
    parts: list[str] = []
    placeholders: dict[tuple[str, str], str] = {}
    values: dict[str, str] = {}
    end = 0
    for start, stop, kind in contact_data(text, contact or Contact()):
        value = text[start:stop]
        key = kind, re.sub(r"[\W_]+", "", value).casefold()
        if key not in placeholders:
            free = (f"[{kind} {number}]" for number in count(1))
            placeholders[key] = next(name for name in free if name not in values and name not in text)
            values[placeholders[key]] = value
        parts += [text[end:start], placeholders[key]]
        end = stop
    return Masked("".join([*parts, text[end:]]), values)


def contact_data(text: str, contact: Contact) -> Iterator[Span]:
    """Start, end and kind of what `mask` replaces, in order and apart."""
    yield from _merged(_found(text, contact))


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Spans in order, those that overlap made one: the name in an e-mail address is part of the address."""
    last: Span | None = None
    for start, stop, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if last and start < last[1]:
            last = last[0], max(stop, last[1]), last[2]
            continue
        if last:
            yield last
        last = start, stop, kind
    if last:
        yield last


def _found(text: str, contact: Contact) -> Iterator[Span]:
    for kind, pattern in _PATTERNS.items():
        for found in pattern.finditer(text):
            span = found.span("value") if found.re.groups and found["value"] else found.span()
            if kind != "phone" or _is_phone(text, *span, labelled=bool(found["value"])):
                yield *span, kind
    region = contact.country if contact.country in SUPPORTED_REGIONS else "US"
    for match in PhoneNumberMatcher(text, region, leniency=Leniency.POSSIBLE):
        start = match.start + (match.raw_string[0] == "(" and ")" not in match.raw_string)
        if _is_phone(text, start, match.end):
            yield start, match.end, "phone"
    known = {"email": contact.email, "url": contact.url, "phone": contact.phone, "zip": contact.zip}
    for kind, value in known.items():
        if value:
            for found in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text, re.IGNORECASE):
                yield *found.span(), kind
    for form in _names(contact.name or ""):
        for found in re.finditer(form, text):
            yield *found.span(), "name"


def _is_phone(text: str, start: int, stop: int, *, labelled: bool = False) -> bool:
    """Whether what looks like a number to ring is neither a period, an amount nor a bare number of few digits."""
    value, before = text[start:stop], text[max(0, start - 12) : start]
    digits = sum(character.isdigit() for character in value)
    if digits < 7 or _PERIOD.search(value) or _AMOUNT.search(before):
        return False
    return labelled or digits >= 9 or bool(_LOCAL.fullmatch(value)) or bool(_LABEL.search(before))


def _names(name: str) -> Iterator[str]:
    """Patterns of a name: whole, turned round, with another middle or an initial, each capitalised part."""
    parts = re.findall(r"[^\W\d_][\w'’-]*", name)
    if not parts:
        return
    whole = r"[\s.]+".join(map(re.escape, parts))
    yield rf"(?i:(?<!\w){whole}(?!\w))"
    if len(parts) > 1:
        first, last = re.escape(parts[0]), re.escape(parts[-1])
        yield rf"(?i:(?<!\w){last},\s*{first}(?![\w@]))"
        yield rf"(?i:(?<!\w){first}\s+(?:[^\W\d_]\w*\.?\s+)?{last}(?!\w))"
        yield rf"(?<!\w)(?i:{re.escape(parts[0][0])})\.?\s+(?i:{last})(?!\w)"
    for part in parts:
        if len(part) > 2 or not part.isascii():
            forms = {part, part.capitalize(), part.title(), part.upper()}
            yield rf"(?<!\w)(?:{'|'.join(sorted(map(re.escape, forms)))})(?!\w)"
