"""Words, numbers and degrees in a sentence, normalised so that a claim can be held against what it cites."""

import re
from collections.abc import Collection
from functools import lru_cache

from metier.enrich.phrases import fold, words
from metier.sources.documents.vocabulary import degree_letters

_BARE = {"BA", "BS", "JD", "MD"}
"""Of two letters only these are degrees without dots: "MS" is a program as often, "MA" a state, "AS" a word."""
_WORDS = {"bed", "med"}
"""Letters of degrees that are words without dots."""


def _letters(level: str) -> str:
    """A pattern of the vocabulary's degrees of a level: with dots, and without where nothing else is meant."""
    forms = []
    for parts in degree_letters(level):
        bare = "".join(parts)
        dot = r"\." if len(bare) == len(parts) else r"\. ?"  # "Ph. D." is one, "M. A. Smith" is not
        forms.append(rf"(?i:{dot.join(parts)}\.?)")
        if bare in _BARE or (len(bare) > 2 and bare.casefold() not in _WORDS):
            forms.append(bare if bare in _BARE else f"(?i:{bare})")
    return rf"(?<![\w.])(?:{'|'.join(forms)})(?!\w)"


_DEGREES = {
    level: re.compile(f"{named}|{_letters(level)}")
    for level, named in {
        "doctorate": r"(?i:\bdoctora\w*|\bdoctor of\b)",
        "master": r"(?i:\bmaster['’]?s\b|\bmasters?(?= (?:of|in|degree)\b))",
        "bachelor": r"(?i:\bbachelor\w*|\bundergraduate degree\b)",
        "associate": r"(?i:\bassociate['’]s\b|\bassociates?(?= (?:of|in|degree)\b))",
        "vocational": r"(?i:\bvocational\b|\btrade school\b|\btechnical school\b)",
        "high school": r"(?i:\bhigh school\b|\bsecondary school\b)",
    }.items()
}
"""How each level of schooling is written, in words or by the letters in the vocabulary of résumés."""
_NUMBER_WORDS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty"
)
_NUMBERS = {word: str(number) for number, word in enumerate(_NUMBER_WORDS.split(), start=2)}
_SAME = {
    "sr": "senior",
    "jr": "junior",
    "mgr": "manager",
    "asst": "assistant",
    "temp": "temporary",
    "exp": "experience",
}
_GLUE_WORDS = (
    "a an and any are as at been being both but by currently did do does for former formerly from had has have having "
    "he held her his i in including is it its me my of on or our over s she some such than that the their them they "
    "this those through to under up was we were which while who whose will with within work worked working works able "
    "ability abilities across also area areas background based career completed currently degree earned employed "
    "employee experience experienced expertise field graduate graduated hands holding holds holder individual "
    "interested job jobs knowledge looking most near offering past person position positions previous previously "
    "professional proven recent recently responsible role roles seeking seeks served several since skill skilled "
    "skills specialist studied time training used uses using various well worker year years"
)
_GLUE = frozenset(fold(word) for word in _GLUE_WORDS.split())
"""Words that join facts and claim nothing themselves."""
_WISHES = ("seek", "sought", "looking", "interest", "applied", "apply", "applie", "applicant", "application")
_YEARS = re.compile(r"\b(\d+|" + "|".join(_NUMBERS) + r")\+?[ -]years?\b", re.IGNORECASE)
_NAME = re.compile(r"(?<=[^\s.!?:;•\"“(])\s+(?:\(|\"|“)?([A-Z][\w&.'’-]+)")


def tokens(text: str) -> list[str]:
    """The words of a text in one spelling: lower case, singular, digits for number words, abbreviations written out.

    >>> tokens("Sr. Buyers, twelve stores (Temp)")
    ['senior', 'buyer', '12', 'store', 'temporary']
    """
    found = (word.folded for word in words(text))
    return [_SAME.get(word) or _NUMBERS.get(word) or word.rstrip("+") or word for word in found]


def content(text: str) -> list[str]:
    """The tokens that claim something."""
    return [token for token in tokens(text) if token not in _GLUE]


def numbers(text: str) -> set[str]:
    """Tokens with a digit."""
    return {token for token in tokens(text) if any(character.isdigit() for character in token)}


def durations(text: str) -> set[str]:
    """Numbers of years claimed.

    >>> sorted(durations("Five years of sales and 12+ years of retail, 3 stores"))
    ['12', '5']
    """
    return {_NUMBERS.get(number.lower(), number) for number in _YEARS.findall(text)}


def degrees(text: str) -> set[str]:
    """Levels of schooling named.

    >>> sorted(degrees("MBA, B.S. and a high school diploma; sales associate, scrum master"))
    ['bachelor', 'high school', 'master']
    >>> sorted(degrees("Ph. D., a JD, AAS and b.com; MS Office, MA, bed making, M. A. Smith"))
    ['associate', 'bachelor', 'doctorate']
    """
    return {level for level, pattern in _DEGREES.items() if pattern.search(text)}


def bare_of_degrees(text: str) -> str:
    """The text without the words that name a level."""
    for pattern in _DEGREES.values():
        text = pattern.sub(" ", text)
    return text


def names(sentence: str) -> list[str]:
    """Words in capitals inside a sentence, which is how employers, schools and products are written.

    >>> names("Worked for Acme Corp as a clerk. Then left.")
    ['Acme', 'Corp']
    """
    return [found.strip(".") for found in _NAME.findall(sentence)]


def wishes(text: str) -> bool:
    """Whether a sentence says that something is sought, not that it was done.

    >>> wishes("Seeks work as a nurse"), wishes("Worked as a nurse")
    (True, False)
    """
    return any(token.startswith(_WISHES) for token in tokens(text))


def holds(text: str, phrase: str) -> bool:
    """Whether the words of a phrase stand in the text, in a row.

    >>> holds("Floor Associate, Temp (2009)", "floor associate temp")
    True
    """
    sought, there = tokens(phrase), tokens(text)
    return any(there[at : at + len(sought)] == sought for at in range(len(there) - len(sought) + 1))


def covered(claimed: Collection[str], there: Collection[str]) -> list[bool]:
    """For each token claimed, whether it or a form of the same stem is there."""
    stems = {stem(token) for token in there}
    return [token in there or stem(token) in stems for token in claimed]


@lru_cache(maxsize=1 << 16)
def stem(token: str) -> str:
    """A token without a common ending, at least four letters long.

    >>> [stem(token) for token in ("manager", "managed", "management", "managing", "welder", "welding", "nurse")]
    ['manag', 'manag', 'manag', 'manag', 'weld', 'weld', 'nurs']
    """
    for ending in ("ment", "ing", "ion", "er", "or", "ed", "e"):
        if token.endswith(ending) and len(token) - len(ending) >= 4:
            shorter = token[: -len(ending)]
            return stem(shorter) if ending == "ment" else shorter
    return token
