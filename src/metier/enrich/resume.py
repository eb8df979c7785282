"""A completed résumé: what a model answers, held to a schema, every item with the labels it rests on."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, StringConstraints

from metier.enrich.masking import PLACEHOLDER
from metier.sources.candidate import Record

Section = Literal["headline", "summary", "skills", "experience", "education"]
SECTIONS: tuple[Section, ...] = get_args(Section)

_MASKED = re.compile(rf"[^\S\n]*{PLACEHOLDER.pattern}")
MOST_STATEMENTS = 6
"""Sentences of summary that a model may write; the extractive one has as many as the person's own text."""

MOST_CITES = 4
"""Labels that a model may cite for an item: what cites everything says where nothing comes from."""

Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]
Quote = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Cites = Annotated[tuple[Annotated[str, StringConstraints(max_length=8)], ...], Field(max_length=20)]


class Statement(Record):
    """A sentence in the completer's own words."""

    text: Sentence
    cites: Cites


class Skill(Record):
    """A skill, and the words it was found in."""

    name: Phrase
    quote: Quote
    cites: Cites


class Experience(Record):
    """A job held."""

    title: Phrase | None
    employer: Phrase | None
    years: Phrase | None
    quote: Quote
    cites: Cites


class Education(Record):
    """A course of study."""

    degree: Phrase | None
    field: Phrase | None
    school: Phrase | None
    years: Phrase | None
    quote: Quote
    cites: Cites


Item = Statement | Skill | Experience | Education


class Resume(Record):
    """The whole; a prompt asks for some of the sections, the others stay empty."""

    headline: Statement | None = None
    summary: Annotated[tuple[Statement, ...], Field(max_length=100)] = ()
    skills: Annotated[tuple[Skill, ...], Field(max_length=25)] = ()
    experience: Annotated[tuple[Experience, ...], Field(max_length=20)] = ()
    education: Annotated[tuple[Education, ...], Field(max_length=6)] = ()

    def items(self) -> list[tuple[str, Item]]:
        """Every item with its place, "headline" or "skills/3"."""
        found: list[tuple[str, Item]] = [("headline", self.headline)] if self.headline else []
        for section in SECTIONS[1:]:
            found += [(f"{section}/{place}", item) for place, item in enumerate(getattr(self, section))]
        return found

    def without(self, places: Sequence[str]) -> "Resume":
        """A copy without the items at these places."""
        kept = [(place.partition("/")[0], item) for place, item in self.items() if place not in set(places)]
        sections = {section: tuple(item for where, item in kept if where == section) for section in SECTIONS}
        return Resume.model_validate(sections | {"headline": next(iter(sections["headline"]), None)})

    def text(self) -> str:
        """The résumé as plain text, one line a section, without masked contact data: what encoders and models read."""
        lines = [
            self.headline.text if self.headline else "",
            " ".join(one.text for one in self.summary),
            "Skills: " + ", ".join(one.name for one in self.skills) if self.skills else "",
            _line("Experience: ", [_joined(one.title, one.employer, one.years) for one in self.experience]),
            _line("Education: ", [_joined(one.degree, one.field, one.school, one.years) for one in self.education]),
        ]
        return "\n".join(bare for line in lines if (bare := _MASKED.sub("", line).strip()))


def answer_schema(sections: Sequence[Section]) -> dict[str, Any]:
    """The JSON Schema of an answer with these sections, all of them required."""
    whole = _without_titles(Resume.model_json_schema())
    for item in whole["$defs"].values():
        item["properties"]["cites"] |= {"maxItems": MOST_CITES}
    properties = {section: whole["properties"][section] for section in sections}
    for one in properties.values():
        one.pop("default", None)
    if "summary" in properties:
        properties["summary"] |= {"maxItems": MOST_STATEMENTS}
    return {**whole, "properties": properties, "required": list(sections)}


def _without_titles(schema: Any) -> Any:
    """`schema` without pydantic's "title" and "description" texts; a property may have such a name."""
    if isinstance(schema, dict):
        return {
            key: {name: _without_titles(part) for name, part in value.items()}
            if key in ("properties", "$defs")
            else _without_titles(value)
            for key, value in schema.items()
            if key not in ("title", "description")
        }
    return [_without_titles(part) for part in schema] if isinstance(schema, list) else schema


def _line(head: str, parts: list[str]) -> str:
    return head + "; ".join(parts) if parts else ""


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)
