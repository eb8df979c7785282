"""The stylesheet: enough contrast in both colour schemes, and no colour that escapes the check."""

import re
from importlib.resources import files
from itertools import product

import pytest

SHEET = (files("metier.serve") / "static" / "metier.css").read_text(encoding="utf-8")
GROUNDS = ("page", "card", "tint")
TEXT = [
    *product(("ink", "muted", "accent", "good", "bad"), GROUNDS),
    ("on-accent", "accent"),
    ("bad", "bad-tint"),
    ("ink", "bad-tint"),
]
SHAPES = [*product(("field", "focus", "bar"), ("page", "card")), ("focus", "tint"), ("accent", "page"), ("bad", "card")]
"""Borders of fields, the ring of the focus, bars: 3 is enough."""


def colours(scheme):
    """name -> "#rrggbb" of a colour scheme."""
    light, dark = re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)
    named = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    return named if scheme == "light" else named | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark))


def luminance(colour):
    """WCAG 2.2, relative luminance.

    >>> luminance("#ffffff"), luminance("#000000")
    (1.0, 0.0)
    """
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """WCAG 2.2, contrast ratio, from 1 to 21."""
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_wcag_s():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(TEXT, 4.5), (SHAPES, 3.0)], ids=["text", "shapes"])
def test_colours_are_told_apart(scheme, pairs, least):
    named = colours(scheme)
    poor = {pair: round(ratio, 2) for pair in pairs if (ratio := contrast(*(named[name] for name in pair))) < least}
    assert not poor


def test_every_colour_is_a_variable():
    rules = re.sub(r":root \{.*?\}", "", SHEET, flags=re.DOTALL)
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(", rules)
    used = set(re.findall(r"var\(--([\w-]+)\)", rules))
    assert used <= colours("light").keys()
    assert colours("light").keys() == colours("dark").keys()


def test_dark_has_all_colours_of_its_own():
    light, dark = re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)
    assert set(re.findall(r"--([\w-]+):", light)) == set(re.findall(r"--([\w-]+):", dark))


def test_nothing_is_fetched_from_elsewhere():
    assert not re.findall(r"url\(|@import|@font-face", SHEET)
