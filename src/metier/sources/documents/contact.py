"""Name, mail, phone, address and web page, from the head of a résumé and its labelled lines."""

import re
from collections.abc import Iterable

from phonenumbers import Leniency, PhoneNumberMatcher

from metier.sources.candidate import Contact
from metier.sources.documents.sections import Section
from metier.sources.documents.titles import is_title
from metier.sources.documents.vocabulary import headings, words

_REGION = "US"
"""Where a phone number without a country code is taken to be."""
_HEAD = 12  # lines
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}")
_URL = re.compile(r"(?:https?://|www\.|(?:linkedin|github|gitlab)\.com/)[^\s,;|<>\"']{3,200}", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_][^\W\d_'’-]*\.?(?: (?:[^\W\d_]['’])?[^\W\d_][^\W\d_'’-]*(?:-[^\W\d_]+)?\.?){1,4}")
_NO_NAME = {"resume", "résumé", "curriculum", "vitae", "cv", "page", "address", "phone", "email", "mobile", "contact"}
_LABELLED = re.compile(
    r"^(name|full name|location|address|current location|city)\s*[:\-–]\s*(\S.{1,120})$", re.IGNORECASE
)
_PLACE = re.compile(
    r"(?:^|[,|•·\t]\s?|\d )([A-Z][A-Za-z.'’ -]{1,40}), ([A-Z]{2})(?: (\d{5}(?:-\d{4})?))?(?=$|[\s,|•·])"
)
_CITY = re.compile(r"^([A-Z][A-Za-z.'’ -]{1,40}), ([A-Z][A-Za-z.'’ -]{2,40})$")


def contact_of(sections: Iterable[Section]) -> Contact:
    """How to reach the person; what is not stated plainly stays None."""
    sections = list(sections)
    own = [line for part in sections if part.name in ("head", "contact") for line in part.lines if line][:_HEAD]
    every = [line for part in sections for line in part.lines if line]
    head = "\n".join(own)
    found: dict[str, str | None] = {"email": _first(_EMAIL, head) or _first(_EMAIL, "\n".join(every))}
    found["url"] = _first(_URL, _EMAIL.sub(" ", head))
    found["phone"] = _phone(head)
    labels = {match[1].casefold(): match[2].strip() for line in every if (match := _LABELLED.match(line))}
    found["name"] = labels.get("name") or labels.get("full name")
    reachable = found["email"] or found["phone"] or found["url"]
    if found["name"] is None and own and reachable:
        found["name"] = _name(own)
    located = labels.get("location") or labels.get("current location") or labels.get("address") or labels.get("city")
    return Contact(**found, **_place(own, located))


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    return match[0].rstrip(".)") if match else None


def _phone(head: str) -> str | None:
    numbers = PhoneNumberMatcher(head[:2_000], _REGION, leniency=Leniency.VALID, max_tries=20)
    return next((number.raw_string for number in numbers), None)


def _name(own: list[str]) -> str | None:
    """The first line that may be one: two to five words, no digit, no title, no heading."""
    for line in own[:3]:
        part = re.split(r"[,|•·\t]| [-–] ", line)[0].strip()
        letters = part.casefold().split()
        if _NO_NAME & set(letters):
            continue
        if not _NAME.fullmatch(part) or not part[0].isupper() or is_title(part) or part.casefold() in headings():
            return None
        return part if all(word[0].isupper() or len(word) <= 3 for word in part.split()) else None
    return None


def _place(own: list[str], located: str | None) -> dict[str, str | None]:
    for line in [*([located] if located else []), *own]:
        match = _PLACE.search(line)
        if match and match[2] in words("places", "states"):
            return {"city": match[1].strip(), "state": match[2], "zip": match[3]}
    if located and (match := _CITY.match(located)):
        return {"city": match[1].strip(), "country": match[2].strip()}
    return {"city": located if located and re.fullmatch(r"[A-Z][A-Za-z.'’ -]{1,40}", located) else None}
