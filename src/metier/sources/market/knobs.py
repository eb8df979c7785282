"""The settings of the synthetic labour market."""

from pydantic import BaseModel, ConfigDict, Field


class MarketKnobs(BaseModel):
    """Size and tastes of a market.

    The defaults were set once: sizes and shares to what is published about the CareerBuilder 2012 data
    (`published.toml`), the tastes by the few published figures that constrain them and by common sense where there is
    none. They are never tuned for a model. "Weight" is in nats of utility: a job one nat better is e times as likely.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    people: int = Field(4000, ge=50, le=390_000)
    """Number of people; the published data has 389,708. Ours: a size that a laptop evaluates in a minute."""

    windows: int = Field(7, ge=1, le=7)
    """Periods of 13 days with people and jobs of their own. Published: seven, from 1 April 2012."""

    jobs_per_person: float = Field(2.8, ge=0.5, le=20)
    """Postings for each person. Published: 1,092,096 / 389,708. Applications per person (4.1) follow from
    the published counts per person."""

    postings_per_state: int = Field(350, ge=1)
    """A small market covers only the most populous states, one for so many postings of a window: spread over the whole
    country, no state would hold a posting for each occupation and nobody could choose. At 45,000 people all are
    covered. Assumption."""

    employer: int = Field(0, ge=0, le=30)
    """Sentences of each posting about the employer, the same thirty for everybody: with 20 of them its HTML has the
    2.5 kB of a real one. Ours: none, so that what is read sets postings apart."""

    occupation: float = Field(6.5, ge=0, le=20)
    """Weight of a posting in the sought occupation; another one of its family gets half. Assumption: four of ten
    applications go to the person's own occupation and two of three to its family (20,000 people)."""

    skills: float = Field(3.0, ge=0, le=20)
    """Weight of having all skills that a posting asks for, in proportion to the share one has. Assumption."""

    state: float = Field(5.0, ge=0, le=20)
    """Weight of a posting in the state where one looks. Set with `distance` so that three of four to
    seven of eight applications, by the size of the market, stay in the person's own state; published: 83 %."""

    distance: float = Field(1.0, ge=0, le=20)
    """Weight lost per ln(1 + km / 25) between the city where one looks and the posting; see `state`."""

    seniority: float = Field(0.7, ge=0, le=20)
    """Weight lost per level (of four) between person and posting. Assumption."""

    popularity: float = Field(3.2, ge=0, le=5)
    """Weight of one standard deviation of a posting's attraction, which is normal. Set so that two thirds of the
    postings get no application and the others 4 in the mean, both published."""

    mismatch: float = Field(0.7, ge=0, le=3)
    """Spread of ln(postings per seeker) over occupations and cities; at 0 postings are spread as people are.
    Assumption."""

    noise: float = Field(1.0, gt=0, le=10)
    """Scale of the Gumbel noise on every utility: all weights are divided by it. Assumption."""

    career_change: float = Field(0.15, ge=0, le=1)
    """Share of people who seek another occupation than the one they worked in. Assumption."""

    detour: float = Field(0.2, ge=0, le=1)
    """Share of sessions that look for another occupation than the sought one, four of five of them in its family.
    Assumption."""

    travel: float = Field(0.1, ge=0, le=1)
    """Share of sessions that look around another city than home, drawn by population. Assumption."""

    new_session: float = Field(0.248, ge=0, le=1)
    """Chance that the next application of a person opens a new session. Published: 639,534 sessions of 30 idle
    minutes among 1,603,111 applications of 321,235 people."""

    @property
    def postings_per_window(self) -> float:
        """Mean number of postings of a window."""
        return self.people * self.jobs_per_person / self.windows
