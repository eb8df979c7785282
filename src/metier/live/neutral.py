"""What a person is called, how they are reached and which pronoun they go by, out of a text before it is scored.

Those who say the same of their work shall find the same jobs. Recognised are mail, phone, web addresses, streets and
postal codes anywhere; the name in the head of a résumé that holds one of these, behind "Name:" or after "my name is";
pronouns of the third person and forms of address. Not recognised are names that stand elsewhere in running prose, and
schools, which are part of what a person can do.
"""

import re
from functools import cache

from metier.enrich.masking import contact_data
from metier.sources.documents.contact import contact_of
from metier.sources.documents.sections import sections_of
from metier.sources.documents.vocabulary import occupations, words

BLANK = "\x00"
"""Stands for each character that is taken out, so that all others keep their places."""
_SIGN = re.compile(
    r"@|[\[(]at[\])]|https?:|www\.|\w\.(?:com|org|info|io|me|dev|co|us|uk|de|fr|ca|kr)\b"  # mail and web
    r"|(?m:^\s*(?i:full\s+)?(?i:name)\s*[:–-])"
)
_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(
    r"\d[\d ().+-]{5,}\d|\b\d{5}\b|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|\b[A-Z]\d[A-Z] ?\d[A-Z]\d\b"  # phones, codes
    r"|\b\d{1,6}[A-Za-z]?\s+(?:[\w.'-]+\s+){1,5}(?:Street|Avenue|Road|Boulevard|Lane|Terrace|Parkway|Highway|Drive|Court"
    r"|Circle|Square|Trail|Way|Place|Loop|St|Ave|Rd|Blvd|Ln|Pkwy|Hwy|Dr|Ct|Cir|Sq|Trl|Pl)\b|\bBox\s+\d"
    r"|(?:straße|strasse|str\.|weg|platz|allee|gasse)\s+\d|\d,?\s+(?:bis\s+|ter,?\s+)?(?:rue|avenue|boulevard|chemin)\s"
    r"|(?i:phone|tel|telefon|mobile?|cell|fax|handy|whatsapp)[.:)]*\s*[+(]?\d"
)
"""Without a sign or such a number there is nothing to look for, and the slow search is left out."""
_PRONOUNS = re.compile(
    r"(?<![\w'’])(?:[Hh]e|[Ss]he|[Hh]im|[Hh]er|[Hh]is|[Hh]ers|[Hh]imself|[Hh]erself|[Tt]he(?:y|m|irs?|mself|mselves))"
    r"(?:['’](?:s|d|ll|re|ve))?(?!\w)|(?<!\w)(?:Mr|Mrs|Ms|Miss|Mx)\b\.?(?=\s+[^\W\d_])"
)
"""In small letters or capitalised: "MS" is a degree and "HIS" a hospital's software."""
_EMPTY = re.compile(r"[ \t]*[(\[]\s*(?:/\s*)+[)\]]")
"""What is left of "(she/her)"."""
_CALLED = re.compile(r"\b(?i:my name is|i am called)\s+((?:[^\W\d_][\w'’-]*)(?:\s+[A-Z][\w'’-]*){0,3})")
_NAME = re.compile(r"[^\W\d_][\w'’.-]*(?: [^\W\d_a-z][\w'’.-]*){1,3}")
_GAP = re.compile(rf"[\s{BLANK}]+")


def neutral(text: str) -> str:
    """`text` with BLANK in the place of each character of contact data and pronouns; as long as before.

    >>> neutral("Ms. Ada Lovelace\\nada@example.org\\nNurse; she writes.").replace(BLANK, "_")
    '___ ____________\\n_______________\\nNurse; ___ writes.'
    """
    spans = [found.span() for found in _PRONOUNS.finditer(text)] + [found.span(1) for found in _CALLED.finditer(text)]
    if _SIGN.search(text) or (_DIGIT.search(text) and _NUMBER.search(text)):
        contact = contact_of(sections_of(_without_pronouns(text)))
        if contact.name is None and (contact.email or contact.phone or contact.url):
            contact = contact.model_copy(update={"name": _first_line(text)})
        spans += [(start, end) for start, end, _ in contact_data(text, contact)]
    characters = list(text)
    for start, end in spans:
        characters[start:end] = BLANK * (end - start)
    return "".join(characters)


def _without_pronouns(text: str) -> str:
    """For the search of a name: "Ada Lovelace (she/her)" is one."""
    return _EMPTY.sub("", _PRONOUNS.sub("", text))


def _first_line(text: str) -> str | None:
    """The name in a first line that reads like a job: "Greg Baker" is one because no title begins with "Greg"."""
    line = re.split(r"[,|•·\t\n]| [-–] ", _without_pronouns(text).strip(), maxsplit=1)[0].strip()
    return line if _NAME.fullmatch(line) and line.split()[0].casefold() not in _title_words() else None


@cache
def _title_words() -> frozenset[str]:
    """Words of titles, in small letters."""
    return frozenset(word for title in occupations() for word in re.findall(r"\w+", title)) | words("titles", "nouns")


def closed(text: str) -> str:
    """A text without its blanks: one space for each gap and what white space is around it.

    >>> closed(neutral("Nurse. She, her colleagues say, is calm."))
    'Nurse. , colleagues say, is calm.'
    """
    return _GAP.sub(lambda gap: " " if BLANK in gap[0] else gap[0], text).strip() if BLANK in text else text
