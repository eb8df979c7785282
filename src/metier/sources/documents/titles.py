"""What names a job, and what names who employs."""

import re

from metier.sources.documents.vocabulary import occupations, words

_WORD = re.compile(r"[^\W\d_][\w'’+#.-]*")
_LINKS = {"of", "for", "to", "and", "&", "in", "the", "a", "an", "at", "with", "on"}
SEPARATOR = re.compile(r"\t|\s*[|•·@]\s*|\s+[-–—]\s+|,\s+|\s*[()]\s*|\s+at\s+(?=[A-Z])|:\s+|;\s*")
"""What stands between the parts of a line such as "Engineer, Example Ltd | London"."""


def is_title(text: str) -> bool:
    """Whether a few words name a job: an occupation of the vocabulary, or a noun for one last or before "of".

    >>> is_title("Senior Software Engineer"), is_title("Head of Sales"), is_title("Led a team of five engineers")
    (True, True, False)
    """
    text = text.strip(" .:;-–")
    if not 2 <= len(text) <= 80 or not text[:1].isupper():
        return False
    if text.casefold() in occupations():
        return True
    found = _WORD.findall(text)
    if not found or len(found) > 8 or sum(word[0].islower() and word not in _LINKS for word in found) > 2:
        return False
    nouns = words("titles", "nouns")
    kept = [word.casefold().rstrip(".") for word in found]
    before = [kept[place - 1] for place in range(1, len(kept)) if kept[place] in ("of", "for", "in", "to")]
    last = kept[-2] if len(kept) > 1 and kept[-1] in ("i", "ii", "iii", "iv") else kept[-1]
    return last in nouns or any(word in nouns for word in before)


def is_employer(text: str) -> bool:
    """Whether a name carries a mark of a firm or a house ("Ltd", "Hospital", "Bank")."""
    return any(word.strip(",()").casefold() in words("employers", "marks") for word in text.split())


def is_name(text: str) -> bool:
    """Whether words may name an employer: few, most of them with a capital."""
    found = _WORD.findall(text)
    large = sum(word[0].isupper() or word.casefold() in _LINKS for word in found)
    return 0 < len(found) <= 12 and len(text) <= 90 and large >= (0.5 if is_employer(text) else 0.7) * len(found)
