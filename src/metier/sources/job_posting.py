"""schema.org JobPosting (https://schema.org/JobPosting), in and out: the form in which boards publish a job.

Properties that are not listed here are left out on the way in. HTML is cleaned once, on the way in: what is kept can be
shown.
"""

from datetime import UTC, datetime, time
from typing import Annotated, Any, Literal

import nh3
import polars as pl
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, field_validator, model_validator

from metier.sources.storable import storable_moment, storable_text
from metier.sources.text import plain_text

TAGS = {"a", "b", "br", "em", "h2", "h3", "h4", "h5", "h6", "i", "li", "ol", "p", "strong", "ul"}
"""What a description may consist of; every other element loses its tag, scripts and styles their content too."""
YEARLY = {"HOUR": 2080.0, "DAY": 260.0, "WEEK": 52.0, "MONTH": 12.0, "YEAR": 1.0}
"""Units of a salary -> how many of them make a year."""


def _date(value: str) -> str:
    storable_moment(value)
    return value


def cleaned(html: str) -> str:
    """HTML without anything that runs, loads or styles."""
    return nh3.clean(
        html,
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


_DATES = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}
Moment = Annotated[str, Field(max_length=40), AfterValidator(_date), WithJsonSchema(_DATES)]
"""An ISO 8601 date or moment of the years 1900 to 2200; without an offset it is UTC."""
Text = Annotated[str, Field(min_length=1, max_length=300)]
Html = Annotated[str, Field(max_length=100_000), AfterValidator(cleaned)]
Amount = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]


class _Thing(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True, strict=True)
    _storable = field_validator("*")(storable_text)


class Organization(_Thing):
    """Who hires."""

    type: Literal["Organization"] = Field(default="Organization", alias="@type")
    name: Text


class Address(_Thing):
    """A postal address, as far as it says where a job is."""

    type: Literal["PostalAddress"] = Field(default="PostalAddress", alias="@type")
    addressLocality: Text | None = None
    addressRegion: Text | None = None
    addressCountry: Text | None = None
    postalCode: Text | None = None


class Place(_Thing):
    """Where the work is done."""

    type: Literal["Place"] = Field(default="Place", alias="@type")
    address: Address


class Quantity(_Thing):
    """An amount or a range of amounts for a unit of time."""

    type: Literal["QuantitativeValue"] = Field(default="QuantitativeValue", alias="@type")
    value: Amount | None = None
    minValue: Amount | None = None
    maxValue: Amount | None = None
    unitText: Literal["HOUR", "DAY", "WEEK", "MONTH", "YEAR"] = "YEAR"


class Salary(_Thing):
    """What a job pays."""

    type: Literal["MonetaryAmount"] = Field(default="MonetaryAmount", alias="@type")
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    value: Quantity


class Identifier(_Thing):
    """The employer's own name for the posting."""

    type: Literal["PropertyValue"] = Field(default="PropertyValue", alias="@type")
    name: Text | None = None
    value: Annotated[str, Field(min_length=1, max_length=200)]


class JobPosting(_Thing):
    """A job as it is published."""

    context: Literal["https://schema.org", "https://schema.org/", "http://schema.org"] = Field(
        default="https://schema.org", alias="@context"
    )
    type: Literal["JobPosting"] = Field(default="JobPosting", alias="@type")
    id: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/]+$")] | None = Field(
        default=None, alias="@id"
    )
    """The board's own id of the posting."""
    title: Text
    description: Html = ""
    hiringOrganization: Organization | None = None
    jobLocation: Place | None = None
    jobLocationType: Literal["TELECOMMUTE"] | None = None
    baseSalary: Salary | None = None
    datePosted: Moment | None = None
    validThrough: Moment | None = None
    employmentType: Annotated[list[Text], Field(max_length=10)] | None = None
    identifier: Identifier | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "JobPosting":
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError("validThrough is before datePosted")
        return self

    @property
    def text(self) -> str:
        """The description without tags, in one line."""
        return plain_text(pl.Series([self.description], dtype=pl.String))[0] or ""

    @property
    def start(self) -> float | None:
        """Seconds since 1970 UTC at which it was posted."""
        return None if self.datePosted is None else _seconds(self.datePosted, time.min)

    @property
    def end(self) -> float | None:
        """Seconds since 1970 UTC after which it no longer stands; a date counts to its end."""
        return None if self.validThrough is None else _seconds(self.validThrough, time.max)

    @property
    def salary(self) -> tuple[float | None, float | None]:
        """Lowest and highest pay a year."""
        if self.baseSalary is None:
            return None, None
        pay = self.baseSalary.value
        low, high = (one if one is not None else pay.value for one in (pay.minValue, pay.maxValue))
        a_year = YEARLY[pay.unitText]
        return None if low is None else low * a_year, None if high is None else high * a_year

    def document(self) -> dict[str, Any]:
        """JSON-LD; what is unknown is left out."""
        return self.model_dump(by_alias=True, exclude_none=True)


def _seconds(moment: str, hour: time) -> float:
    """Seconds since 1970 UTC; a bare date stands at `hour`."""
    parsed = storable_moment(moment)
    if len(moment) <= len("2026-11-23"):
        parsed = datetime.combine(parsed.date(), hour)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
