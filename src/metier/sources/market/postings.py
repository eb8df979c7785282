"""The postings of one window, and how they are worded: as official HTML and as the plain text in it."""

from dataclasses import dataclass
from html import escape

import numpy as np
import polars as pl

from metier.sources.market.draws import hide, pick, skill_bits
from metier.sources.market.knobs import MarketKnobs
from metier.sources.market.world import World

LIFE_DAYS = 30
"""A posting lives 30 days, as in the printed rows of the real table; a fifth are taken down earlier (assumption)."""
SKILL_ASKED = 0.5
"""Chance that a posting asks for a skill of its occupation (assumption)."""


@dataclass(frozen=True)
class Wording:
    """Of each posting: title, HTML of description and requirements (None = left out), and the plain text of both."""

    titles: list[str]
    descriptions: list[str]
    requirements: list[str | None]
    texts: list[str]


def draw_postings(
    world: World, knobs: MarketKnobs, count: int, window: int, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`count` postings: their row of the jobs table but for ids and texts, and the truth about them.

    They start from 30 days before the window to its end, so that 81 % are live in its last four days, as published.
    """
    published = world.published
    # Postings and people do not meet: each occupation is short of people in some cities and has too many in others.
    cells = world.occupation_share[:, None] * world.city_share
    cells = cells * np.exp(knobs.mismatch * rng.normal(size=cells.shape))
    occupation, city = np.divmod(rng.choice(cells.size, count, p=cells.ravel() / cells.sum()), len(world.city))
    levels = [one["share"] for one in world.wording["levels"]]
    seniority = rng.choice(len(levels), count, p=levels)
    days = published["windows"]["days"]
    start = window_start(world, window) + (rng.uniform(-LIFE_DAYS, days, count) * 86_400_000).astype("timedelta64[ms]")
    life = np.where(rng.random(count) < 0.8, LIFE_DAYS, rng.integers(7, LIFE_DAYS, count))
    # One that ended before the window would not be in it.
    life = np.where(start + life.astype("timedelta64[D]") < window_start(world, window), LIFE_DAYS, life)
    end = (start.astype("datetime64[D]") + life + 1).astype("datetime64[s]") - np.timedelta64(1, "s")
    zips = np.char.add(np.array(world.zip3)[city], np.char.zfill(rng.integers(1, 40, count).astype(str), 2))
    table = pl.DataFrame(
        {
            "window": pl.Series(np.full(count, window), dtype=pl.Int16),
            "city": np.array(world.city)[city],
            "state": np.array(world.state)[city],
            "country": ["US"] * count,
            "zip": hide(zips, published["known"]["job_zip"], rng),
            "start": pl.Series(start).cast(pl.Datetime("us")),
            "end": pl.Series(end.astype("datetime64[ms]")).cast(pl.Datetime("us")),
        }
    )
    skills = skill_bits((np.where(world.skill_table, SKILL_ASKED, 0.0))[occupation], rng)
    truth = pl.DataFrame(
        {
            "window": table["window"],
            "occupation": occupation.astype(np.int16),
            "city": city.astype(np.int16),
            "seniority": seniority.astype(np.float32),
            "popularity": rng.normal(0, 1, count).astype(np.float32),
            "skills": pl.Series(skills, dtype=world.bits_type),
        }
    )
    return table, truth


def window_start(world: World, window: int) -> np.datetime64:
    """First moment of a window (from 1)."""
    windows = world.published["windows"]
    return np.datetime64(windows["first_start"], "ms") + np.timedelta64((window - 1) * windows["days"], "D")


def word_postings(world: World, knobs: MarketKnobs, truth: pl.DataFrame, rng: np.random.Generator) -> Wording:
    """Write the postings; one generator state gives one wording, so the HTML need not be kept.

    Parameters
    ----------
    truth : the truth of n postings of one window.
    """
    words = world.wording
    bits = np.unpackbits(truth["skills"].to_numpy().view(np.uint8), axis=1, bitorder="little")
    chances = rng.random((len(truth), 14))
    employer = words["blocks"]["employer"]
    drawn = rng.random((len(truth), len(employer) if knobs.employer else 0)).argsort(axis=1)[:, : knobs.employer]
    written = Wording([], [], [], [])
    latent = (truth["occupation"], truth["city"], truth["seniority"])
    for one, city, seniority, asked, p, told in zip(*latent, bits, chances.tolist(), drawn.tolist(), strict=True):
        occupation, town = world.occupations[one], world.city[city]
        family, level = world.families[occupation.family], words["levels"][int(seniority)]
        name = pick(occupation.postings, p[0])
        title = pick(level["postings"], p[1]).format(title=name, city=town)
        # The spelling of each skill changes from posting to posting, with one number for all of them.
        skills = [pick(world.skills[s], (p[2] * (i + 1)) % 1) for i, s in enumerate(np.flatnonzero(asked).tolist())]
        opening = pick(family.openings, p[3]).format(title=name, city=town)
        about = [pick(words["blocks"]["heads"], p[4]), opening, pick(family.duties, p[5])]
        about += [pick(words["blocks"]["offers"], p[6]), pick(words["blocks"]["closings"], p[7])]
        about += [employer[line].format(city=town) for line in told]
        degree = DEGREE_ASKED[min(int(family.schooling + p[8] - 0.5), len(DEGREE_ASKED) - 1)]
        needs = [pick(words["blocks"]["skills"], p[9]), pick(level["years"], p[10]).format(title=occupation.name)]
        needs += [pick(words["blocks"]["degrees"], p[11]).format(degree=degree)]
        layout = LAYOUTS[int(p[12] * len(LAYOUTS))]
        html_about, html_needs = layout(about, []), layout(needs, skills)
        written.titles.append(title)
        if p[13] < world.published["known"]["job_requirements"] - STOCK_REQUIREMENTS:
            written.texts.append(" ".join(about) + "\n" + " ".join([*needs, *skills]))
            written.descriptions.append(html_about)
            written.requirements.append(html_needs)
        else:
            is_stock = p[13] < world.published["known"]["job_requirements"]
            written.texts.append(" ".join([*about, *needs, *skills]))
            written.descriptions.append(f"{html_about}<br>{html_needs}")
            written.requirements.append(words["stock_requirements"] if is_stock else None)
    return written


STOCK_REQUIREMENTS = 0.15
"""Share of postings with all in the description and a stock phrase under requirements (seen often; assumption)."""

DEGREE_ASKED = (
    "High school diploma or GED",
    "High school diploma",
    "Technical school or GED",
    "Associate's degree",
    "Bachelor's degree",
    "Bachelor's or Master's degree",
    "Master's degree",
)
"""By schooling, 0 to 6."""


def _paragraphs(lines: list[str], bullets: list[str]) -> str:
    items = "".join(f"<li>{escape(one)}</li>\r" for one in bullets)
    return "\r".join(f"<p>{escape(one)}</p>" for one in lines) + (f"\r<ul>\r{items}</ul>" if items else "")


def _breaks(lines: list[str], bullets: list[str]) -> str:
    head, *rest = [*lines, *bullets]
    return f"<b>{escape(head)}</b><br>\r" + "<br />".join(f"&nbsp;{escape(one)}" for one in rest)


def _divisions(lines: list[str], bullets: list[str]) -> str:
    rows = "".join(f"<div>{escape(one)}</div>\n" for one in lines)
    cells = "".join(f"<tr><td>{escape(one)}</td></tr>" for one in bullets)
    return f"<strong>{rows}</strong><p>&nbsp;</p>" + (f"<table>{cells}</table>" if cells else "")


def _plain(lines: list[str], bullets: list[str]) -> str:
    return "\r\n".join(map(escape, lines)) + "".join(f"\t{escape(one)}" for one in bullets)


LAYOUTS = (_paragraphs, _paragraphs, _breaks, _divisions, _plain)
