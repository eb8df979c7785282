"""Colours and sizes as styles write them, and when a reader tells ink from ground."""

import re

WHITE = 0xFFFFFF
CONTRAST = 24
"""Least difference of a colour channel, 0 to 255, between ink and ground that a reader sees."""
_NAMED = {
    **{"white": WHITE, "black": 0, "snow": 0xFFFAFA, "ivory": 0xFFFFF0, "whitesmoke": 0xF5F5F5, "red": 0xFF0000},
    **{"ghostwhite": 0xF8F8FF, "floralwhite": 0xFFFAF0, "blue": 0x0000FF, "navy": 0x80, "green": 0x8000},
    **{"gray": 0x808080, "grey": 0x808080, "silver": 0xC0C0C0, "yellow": 0xFFFF00, "orange": 0xFFA500},
}
_PIXELS = {"pt": 1.0, "px": 0.75, "in": 72.0, "cm": 28.35, "mm": 2.835, "pc": 12.0}


def difference(one: int, other: int) -> int:
    """Largest difference of a channel, 0 to 255, of two colours 0xRRGGBB."""
    return max(abs((one >> shift & 255) - (other >> shift & 255)) for shift in (0, 8, 16))


def similar(ink: int, ground: int) -> bool:
    """Whether no reader sees this ink on this ground."""
    return difference(ink, ground) < CONTRAST


def colour(text: str) -> int | None:
    """0xRRGGBB of "#fff", "FFFFFF", "rgb(255, 255, 255)" or a name; None for what cannot be told.

    >>> colour("#fff") == colour("rgb(255 255 255)") == colour("White") == 0xFFFFFF
    True
    """
    text = text.strip().lower()
    if match := re.match(r"#?([0-9a-f]{6}|[0-9a-f]{3})(?![0-9a-z])", text):
        digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
        return int(digits, 16)
    if match := re.match(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})", text):
        red, green, blue = (min(int(part), 255) for part in match.groups())
        return red << 16 | green << 8 | blue
    return _NAMED.get(text.split()[0]) if text else None


def points(text: str, inherited: float) -> float:
    """Points of "12px", "1.2em", "80%" or "0"; the inherited size for what cannot be told.

    >>> points("16px", 10), points("50%", 10), points("large", 10)
    (12.0, 5.0, 10)
    """
    match = re.fullmatch(r"(\d{0,6}(?:\.\d{1,6})?)([a-z%]*)", text.strip().lower())
    if not match or not match[1]:
        return inherited
    number, unit = float(match[1]), match[2]
    if unit in ("em", "%", "rem"):
        return number * (12.0 if unit == "rem" else inherited) / (100 if unit == "%" else 1)
    return number * _PIXELS.get(unit, 1.0 if number == 0 else 0.75) if unit in _PIXELS or number == 0 else inherited
