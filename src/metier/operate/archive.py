"""The file of `metier backup`: a zip of database and bundles, sealed by the SHA-256 of its own bytes.

    manifest.json            format, metier's version, when, and size and SHA-256 of each file below
    metier.db                the database, as one moment saw it
    models/NAME/FILE         the bundles

The zip's comment, its last 64 bytes, is the SHA-256 of all bytes before it, so that no altered byte goes unnoticed. It
guards against accidents: who can rewrite the file can seal it again. Names other than these are refused.
"""

import hashlib
import json
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from metier.errors import DataRejectedError

MANIFEST = "manifest.json"
DATABASE = "metier.db"
_NAME = re.compile(rf"{re.escape(DATABASE)}|models/[^\W.-][\w.-]*/[^\W.-][\w.-]*")
_SEAL = 64
_CHUNK = 1 << 20
_MOST_MANIFEST = 64_000_000
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Entry(BaseModel):
    """Size and SHA-256 of a file in the archive."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bytes: int = Field(ge=0)
    sha256: Digest


class Manifest(BaseModel):
    """manifest.json"""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    metier: str
    made: str
    files: dict[str, Entry]

    @property
    def bundles(self) -> list[str]:
        """Names of the bundles inside."""
        return sorted({name.split("/")[1] for name in self.files if name != DATABASE})


def pack(
    archive: Path, files: Mapping[str, Path], *, version: str, made: str, check: Callable[[Manifest], None]
) -> tuple[Manifest, str]:
    """Write a new archive that only its owner may read; on the disk for good when this returns.

    Parameters
    ----------
    files : name inside the archive -> where it is now.
    check : called with the manifest before the archive is sealed; without a seal it is none.

    Returns
    -------
    The manifest, and the SHA-256 of the archive.
    """
    entries = {}
    with (
        os.fdopen(os.open(archive, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
    ):
        for name, path in files.items():
            with path.open("rb") as source, packed.open(name, "w", force_zip64=True) as inside:
                entries[name] = _copy(source, inside)
        manifest = Manifest(metier=version, made=made, files=entries)
        packed.writestr(MANIFEST, manifest.model_dump_json(indent=1))
        packed.comment = b"0" * _SEAL
    check(manifest)
    return manifest, _seal(archive)


def unpack(archive: Path, folder: Path, *, sha256: str | None = None) -> Manifest:
    """Check an archive to its last byte while writing its files into an empty folder.

    Parameters
    ----------
    sha256 : what the archive's own SHA-256 must be, as `metier backup` printed it; None to take its seal's word.

    Raises
    ------
    DataRejectedError : it is no archive of metier's, was altered, or holds a name that has no place in it.
    """
    _check_seal(archive, sha256)
    try:
        with zipfile.ZipFile(archive) as packed:
            manifest = _manifest(packed, archive)
            names = sorted(info.filename for info in packed.infolist())
            if names != sorted([MANIFEST, *manifest.files]):
                raise _altered(archive, "its files are not those of its manifest")
            for name, entry in manifest.files.items():
                if not _NAME.fullmatch(name):
                    raise _altered(archive, f"{name!r} has no place in it")
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(name) as inside, path.open("xb") as out:
                    found = _copy(inside, out, most=entry.bytes)
                if found != entry:
                    raise _altered(archive, f"{name} is not the one of its manifest")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _altered(archive, type(error).__name__) from error
    return manifest


def _manifest(packed: zipfile.ZipFile, archive: Path) -> Manifest:
    try:
        with packed.open(MANIFEST) as inside:
            return Manifest.model_validate(json.loads(inside.read(_MOST_MANIFEST)))
    except (KeyError, ValueError, ValidationError) as error:
        raise _altered(archive, f"no {MANIFEST} that this metier can read ({type(error).__name__})") from None


def _copy(source: IO[bytes], out: IO[bytes], most: int | None = None) -> Entry:
    """Copy at most one byte more than `most`: a small file cannot swell up."""
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK if most is None else min(_CHUNK, most + 1 - size)):
        out.write(chunk)
        digest.update(chunk)
        size += len(chunk)
    return Entry(bytes=size, sha256=digest.hexdigest())


def _seal(path: Path) -> str:
    """Put the SHA-256 of all before it in the place of the comment, on the disk for good; the whole file's SHA-256."""
    with path.open("r+b") as file:
        digest = _digest(file, path.stat().st_size - _SEAL)
        seal = digest.hexdigest().encode()
        file.seek(-_SEAL, os.SEEK_END)
        file.write(seal)
        file.flush()
        os.fsync(file.fileno())
    digest.update(seal)
    return digest.hexdigest()


def _check_seal(path: Path, sha256: str | None) -> None:
    with path.open("rb") as file:
        size = path.stat().st_size
        digest = _digest(file, max(0, size - _SEAL))
        seal = file.read(_SEAL)
    if size <= _SEAL or seal != digest.hexdigest().encode():
        raise _altered(path, "its seal does not fit its bytes")
    digest.update(seal)
    if sha256 is not None and sha256.strip().lower() != digest.hexdigest():
        raise _altered(path, "its SHA-256 is not the one given")


def _digest(file: IO[bytes], size: int) -> "hashlib._Hash":
    digest = hashlib.sha256()
    while size > 0 and (chunk := file.read(min(_CHUNK, size))):
        digest.update(chunk)
        size -= len(chunk)
    return digest


def _altered(path: Path, why: str) -> DataRejectedError:
    return DataRejectedError(f"{path} is no backup of metier's, or was altered: {why}; cure: take another copy of it")
