"""A bundle on disk: safetensors, Parquet and JSON under a SHA-256 manifest.

    model.safetensors   what `fit` learned            config.json     model name, settings, learned facts, about
    data.safetensors    interactions, features        encoders.json   how people and jobs became features
    people.parquet      id, window, place, text       jobs.parquet    id, window, title, place, dates, text and what
                                                      filters ask for: employer, remote, salary, currency, level
    README.md           the model card                manifest.json   format version, SHA-256 of each file above

`load` refuses a folder that differs from its manifest in any byte or file. The hashes guard against accidents; who
can rewrite the manifest can rewrite the model, so take bundles only from people you trust. No code is stored.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Literal, Self, TypeVar

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as dump_tensors

from metier import __version__
from metier.bundle.answer import Bundle, ProfilePart
from metier.bundle.card import card
from metier.bundle.mapped import Texts, mapped
from metier.bundle.state import Facts, Tensors, pack, restore, state, unpack
from metier.data import Dataset, Features, Interactions, Tables, Vocabulary
from metier.data.tables import TIME, Schema, conform
from metier.data.workspace import swap
from metier.errors import BundleError, MetierError, UsageError
from metier.features.assemble import Assembled
from metier.features.encoder import Encoder
from metier.models.base import Recommender
from metier.models.profile import Profile
from metier.models.registry import MODELS, create

T = TypeVar("T")

PROFILE_IN = {"profile": "", "ranker": "sources_/profile_/"}
"""Model whose bundle can answer live -> where the tensors of its `profile` are."""

FILES = {
    "README.md",
    "config.json",
    "data.safetensors",
    "encoders.json",
    "jobs.parquet",
    "model.safetensors",
    "people.parquet",
}
TEXTS: Schema = {"id": pl.String, "window": pl.Int16, "text": pl.String}
PLACE: Schema = {"city": pl.String, "state": pl.String, "country": pl.String}
OFFER: Schema = {
    "employer": pl.String,
    "remote": pl.Boolean,
    "salary_min": pl.Float64,
    "salary_max": pl.Float64,
    "currency": pl.String,
    "level": pl.Int8,
}
"""Attributes of jobs that are kept as they are, where the data have them by these names; else null."""
PEOPLE: Schema = {**TEXTS, **PLACE, "zip": pl.String}
JOBS: Schema = {**TEXTS, **PLACE, "title": pl.String, "start": TIME, "end": TIME, "zip": pl.String, **OFFER}
FIRST_PEOPLE: Schema = TEXTS
FIRST_JOBS: Schema = {**TEXTS, **PLACE, "title": pl.String, "start": TIME, "end": TIME}
"""The columns of format 1; the others are null there."""
INTERACTIONS = {"users": np.int32, "items": np.int32, "weights": np.float32, "times": np.float64}


class Strict(BaseModel):
    """Base of the JSON files: a field too many is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")

    @classmethod
    def read(cls, path: Path) -> Self:
        """The file's content; ValueError names the keys that are wrong, not their values."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            found = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False)]
            raise ValueError("; ".join(found)) from None


class Manifest(Strict):
    """manifest.json"""

    format: Literal[1, 2] = 2
    metier: str
    sha256: dict[str, str]


class Config(Strict):
    """config.json"""

    model: str
    settings: Facts
    facts: Facts
    about: Facts


class Encoders(Strict):
    """encoders.json"""

    people: Encoder
    jobs: Encoder


def save(folder: Path, model: Recommender, tables: Tables, assembled: Assembled, about: Facts) -> None:
    """Write a bundle; the folder appears whole or not at all, in the place of an older one.

    `assembled` is what the model was fitted on and `tables` what it was assembled from; `about` is any JSON.
    """
    data = assembled.dataset
    tensors, facts = state(model)
    config = Config(model=_registered(model), settings=model.config.model_dump(mode="json"), facts=facts, about=about)
    encoders = Encoders(people=assembled.people, jobs=assembled.jobs)
    people = tables.people.with_columns(text=pl.Series(data.user_texts, dtype=pl.String)).select(list(PEOPLE))
    jobs = _with_offers(tables.jobs).with_columns(text=pl.Series(data.item_texts, dtype=pl.String)).select(list(JOBS))
    partial = folder.with_name(f".{folder.name}.{os.getpid()}")
    partial.mkdir(parents=True)
    try:
        (partial / "model.safetensors").write_bytes(dump_tensors(tensors))
        (partial / "data.safetensors").write_bytes(dump_tensors(_data_tensors(data)))
        (partial / "config.json").write_text(config.model_dump_json(indent=2))
        (partial / "encoders.json").write_text(encoders.model_dump_json())
        people.write_parquet(partial / "people.parquet")
        jobs.write_parquet(partial / "jobs.parquet")
        (partial / "README.md").write_text(card(config.model, config.settings, config.about, data))
        manifest = Manifest(metier=__version__, sha256={name: _sha256(partial / name) for name in sorted(FILES)})
        (partial / "manifest.json").write_text(manifest.model_dump_json(indent=2))
        swap(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def load(folder: Path) -> Bundle:
    """A bundle that is complete, unaltered and fits together; anything else is a BundleError naming the file."""
    return _load(folder, check_files(folder).format, shared=False)


def load_shared(folder: Path, expected: str) -> Bundle:
    """The bundle of this digest for one of several processes, one of which has checked its files.

    Arrays are mapped, so that the processes share them; `user_texts` are read when the first is asked for, and the
    texts in the two tables are null. BundleError as `load`, and where another bundle has taken the folder's place.
    """
    check_same(folder, expected)
    bundle = _load(folder, _read(folder / "manifest.json", Manifest.read).format, shared=True)
    check_same(folder, expected)
    return bundle


def _load(folder: Path, form: int, *, shared: bool) -> Bundle:
    def table(name: str, schema: Schema, first: Schema) -> pl.DataFrame:
        left_out = {"text"} if shared else set()
        return _read(folder / name, lambda path: _table(path, schema, first if form == 1 else schema, left_out))

    def texts(name: str, column: pl.Series) -> Sequence[str]:
        return Texts(folder / name, len(column)) if shared else column.to_list()

    config = _read(folder / "config.json", Config.read)
    encoders = _read(folder / "encoders.json", Encoders.read)
    people, jobs = table("people.parquet", PEOPLE, FIRST_PEOPLE), table("jobs.parquet", JOBS, FIRST_JOBS)
    said = texts("people.parquet", people["text"]), texts("jobs.parquet", jobs["text"])
    tensors = mapped if shared else _tensors
    data = _read(folder / "data.safetensors", lambda path: _dataset(tensors(path), people, jobs, said, encoders))
    fresh = _read(folder / "config.json", lambda _: create(config.model, config.settings))
    model = _read(folder / "model.safetensors", lambda path: _fitted(fresh, tensors(path), config.facts, data))
    return Bundle(config.model, model, data, encoders.people, encoders.jobs, people, jobs, config.about)


def load_profile(folder: Path) -> ProfilePart:
    """What newcomers are answered from, out of a bundle of `profile` or `ranker`; the rest stays on disk.

    Raises
    ------
    BundleError : as `load`, and where another bundle takes the folder's place meanwhile.
    UsageError : a bundle of another model, or of a ranker without `profile` among its sources.
    """
    first = digest(folder) if (folder / "manifest.json").is_file() else ""
    manifest = check_files(folder)
    config = _read(folder / "config.json", Config.read)
    part = PROFILE_IN.get(config.model)
    if part is None:
        raise UsageError(
            f"{folder} holds a {config.model!r}; cure: metier train DATASET --model ranker --as {folder.name}"
        )
    settings = config.settings if not part else config.settings.get("source_settings", {}).get("profile", {})
    if part and "profile" not in config.settings.get("sources", ()):
        raise UsageError(f"{folder} holds a ranker without the source 'profile'; cure: train one with it")
    encoders = _read(folder / "encoders.json", Encoders.read)
    written = FIRST_JOBS if manifest.format == 1 else JOBS
    jobs = _read(folder / "jobs.parquet", lambda path: _table(path, JOBS, written))
    heard = FIRST_PEOPLE if manifest.format == 1 else PEOPLE
    people = _read(folder / "people.parquet", lambda path: _table(path, PEOPLE, heard)).drop("text")
    fresh = _read(folder / "config.json", lambda _: create("profile", settings))
    facts = {name.removeprefix(part): fact for name, fact in config.facts.items() if name.startswith(part)}
    profile = _read(
        folder / "model.safetensors", lambda path: _profile(restore(fresh, _under(path, part), facts), len(jobs))
    )
    pairs = _read(
        folder / "data.safetensors", lambda path: _interactions(_under(path, "interactions."), len(people), len(jobs))
    )
    check_same(folder, first)
    return ProfilePart(folder, config.model, first, profile, encoders.people, encoders.jobs, people, jobs, pairs)


def answers_live(folder: Path) -> bool:
    """Whether a folder says that it holds a bundle which `load_profile` may read; nothing of it is checked."""
    try:
        return Config.read(folder / "config.json").model in PROFILE_IN
    except (OSError, ValueError):
        return False


def digest(folder: Path) -> str:
    """SHA-256 of a bundle's manifest, and so of all it holds: 64 hex digits."""
    return _sha256(folder / "manifest.json")


def version(name: str, digest: str) -> str:
    """ "<name>@<first 12 hex digits of the digest>": how answers name the bundle they came from."""
    return f"{name}@{digest[:12]}"


def check_same(folder: Path, expected: str) -> None:
    """BundleError unless the folder still holds the bundle of this digest."""
    if not (folder / "manifest.json").is_file() or digest(folder) != expected:
        raise BundleError(f"{folder} was replaced while it was read; cure: load it again")


def open_people(folder: Path, expected: str) -> BinaryIO:
    """people.parquet of the bundle of this digest; it stays the same file when another bundle takes the folder's place.

    BundleError where that has happened already.
    """
    file = _read(folder / "people.parquet", lambda path: path.open("rb"))
    try:
        check_same(folder, expected)
    except BundleError:
        file.close()
        raise
    return file


def person_text(people: BinaryIO, row: int) -> str:
    """What a person of a bundle says, from its open people.parquet; threads may share the file."""
    texts = pl.scan_parquet(people).select("text")
    return str(texts.slice(row, 1).collect().item() or "")


def check_files(folder: Path) -> Manifest:
    """The manifest of a folder that holds what it lists, byte for byte, and nothing else; BundleError otherwise."""
    listing = folder / "manifest.json"
    if not listing.is_file():
        raise BundleError(
            f"{folder} has no manifest.json, so it is no bundle; cure: metier train ... --as {folder.name}"
        )
    manifest = _read(listing, Manifest.read)
    if set(manifest.sha256) != FILES:
        raise BundleError(f"{listing} lists {sorted(manifest.sha256)}; a bundle has {sorted(FILES)}")
    for path in folder.iterdir():
        if path.name not in FILES | {"manifest.json"} or path.is_symlink() or not path.is_file():
            raise BundleError(f"{path} does not belong to a bundle; cure: remove it")
    for name, expected in manifest.sha256.items():
        path = folder / name
        if not path.is_file():
            raise BundleError(f"{path} is missing; cure: copy the whole folder again, or train again")
        if _sha256(path) != expected:
            raise BundleError(f"{path} was altered: its SHA-256 is not the one in manifest.json; cure: train again")
    return manifest


def _read(path: Path, reader: Callable[[Path], T]) -> T:
    """What a reader makes of a file; whatever a damaged file provokes becomes a BundleError that names it."""
    foreseen = (OSError, LookupError, TypeError, ValueError, AttributeError, MetierError)
    try:
        return reader(path)
    except (*foreseen, SafetensorError, pl.exceptions.PolarsError) as error:
        raise BundleError(
            f"{path} cannot be used: {error}; cure: train again, or use the metier that wrote it"
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tensors(path: Path) -> Tensors:
    return load_tensors(path.read_bytes())


def _profile(found: Recommender, jobs: int) -> Profile:
    """A profile of so many jobs; ValueError or NotFittedError where it is none."""
    if not isinstance(found, Profile) or len(found.meaning_) != jobs:
        raise ValueError(f"it does not fit its {jobs} jobs")
    if ((found.sample_ < 0) | (found.sample_ >= jobs)).any():
        raise ValueError("row numbers of 'sample_' are out of range")
    return found


def _under(path: Path, part: str) -> Tensors:
    """The tensors whose names begin with `part`, without it; no other is read."""
    with safe_open(path, "numpy") as file:
        return {name.removeprefix(part): file.get_tensor(name) for name in file.keys() if name.startswith(part)}  # noqa: SIM118


def _table(path: Path, schema: Schema, written: Schema, left_out: Container[str] = ()) -> pl.DataFrame:
    """A table in `schema`; what is not among the columns `written`, or is `left_out`, is null."""
    there = pl.read_parquet_schema(path)
    if there != dict(written):
        raise ValueError(f"columns {there}; a bundle has {dict(written)}")
    return conform(pl.read_parquet(path, columns=[name for name in there if name not in left_out]), schema)


def _with_offers(jobs: pl.DataFrame) -> pl.DataFrame:
    """Jobs with the columns of JOBS; an attribute of another kind than its name says (a salary in words) is null."""
    fit = {
        name: kind
        for name, kind in OFFER.items()
        if (has := jobs.schema.get(name)) is not None and (has == kind or (has.is_numeric() and kind.is_numeric()))
    }
    kept = jobs.select(name for name in jobs.columns if name not in OFFER or name in fit)
    return conform(kept.with_columns(pl.col(name).cast(kind, strict=False) for name, kind in fit.items()), JOBS)


def _data_tensors(data: Dataset) -> Tensors:
    pairs = {f"interactions.{name}": getattr(data.interactions, name) for name in INTERACTIONS}
    return pairs | pack("user_features", data.user_features.matrix) | pack("item_features", data.item_features.matrix)


def _dataset(
    tensors: Tensors,
    people: pl.DataFrame,
    jobs: pl.DataFrame,
    texts: tuple[Sequence[str], Sequence[str]],
    encoders: Encoders,
) -> Dataset:
    """The dataset of stored tensors; ValueError when a dtype, a shape, a row number or a value is off."""
    return Dataset(
        Vocabulary("person", people["id"].to_list()),
        Vocabulary("job", jobs["id"].to_list()),
        _interactions({name: tensors[f"interactions.{name}"] for name in INTERACTIONS}, len(people), len(jobs)),
        _features("user_features", tensors, len(people), encoders.people),
        _features("item_features", tensors, len(jobs), encoders.jobs),
        *texts,
    )


def _interactions(tensors: Tensors, people: int, jobs: int) -> Interactions:
    arrays = {name: tensors[name] for name in INTERACTIONS}
    for name, dtype in INTERACTIONS.items():
        if arrays[name].dtype != dtype:
            raise ValueError(f"interactions.{name} is {arrays[name].dtype}, not {np.dtype(dtype)}")
    pairs = Interactions(**arrays)
    for numbers, size in ((pairs.users, people), (pairs.items, jobs)):
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < size:
            raise ValueError(f"interactions name rows {numbers.min()} to {numbers.max()}, there are {size}")
    if not np.isfinite(pairs.weights).all() or np.isinf(pairs.times).any():
        raise ValueError("interactions hold infinities or weights that are not numbers")
    return pairs


def _features(name: str, tensors: Tensors, rows: int, encoder: Encoder) -> Features:
    columns = encoder.encode(pl.DataFrame())  # no rows, all columns
    matrix = unpack(name, tensors, (rows, len(columns.names)))
    if not np.isfinite(matrix.data).all():
        raise ValueError(f"{name} holds values that are not finite")
    return replace(columns, matrix=matrix)


def _fitted(fresh: Recommender, tensors: Tensors, facts: Facts, data: Dataset) -> Recommender:
    """The model with its learned state; scoring one person fails when arrays do not fit each other or the data."""
    model = restore(fresh, tensors, facts)
    first = np.zeros(min(1, len(data.users)), np.int32)
    shape = model.score(data.query(first)).shape
    if shape != (len(first), len(data.items)):
        raise ValueError(f"the model gives scores of shape {shape}, the bundle has {len(data.items)} jobs")
    return model


def _registered(model: Recommender) -> str:
    """The registry's name for a model; TypeError for one that `load` could not make."""
    where = f"{type(model).__module__}:{type(model).__qualname__}"
    for name, place in MODELS.items():
        if place == where:
            return name
    raise TypeError(f"{where} is not in metier.models.registry.MODELS, so its bundle could not be loaded")
