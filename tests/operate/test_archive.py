"""The archive: every byte of it counts, and no name in it leads anywhere else."""

import hashlib
import json
import random
import zipfile

import pytest

from metier.errors import DataRejectedError
from metier.operate.archive import pack, unpack

FILES = {"metier.db": b"rows " * 500, "models/a/manifest.json": b"{}", "models/a/model.safetensors": bytes(range(256))}


def made(tmp_path, files=FILES):
    sources = {}
    for place, (name, content) in enumerate(files.items()):
        sources[name] = tmp_path / f"source{place}"
        sources[name].write_bytes(content)
    archive = tmp_path / "copy.backup"
    _, digest = pack(archive, sources, version="0", made="now", check=lambda manifest: None)
    return archive, digest


def sealed(archive):
    """Seal a file again, as somebody would who alters one on purpose."""
    content = archive.read_bytes()[:-64]
    archive.write_bytes(content + hashlib.sha256(content).hexdigest().encode())


def rebuilt(archive, change):
    """The archive with files and manifest as `change` left them, sealed."""
    with zipfile.ZipFile(archive) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    change(files, manifest["files"])
    with zipfile.ZipFile(archive, "w") as packed:
        for name, content in {**files, "manifest.json": json.dumps(manifest).encode()}.items():
            packed.writestr(name, content)
        packed.comment = b"0" * 64
    sealed(archive)


def test_what_goes_in_comes_out(tmp_path):
    archive, digest = made(tmp_path)
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == digest
    assert archive.stat().st_mode & 0o777 == 0o600
    manifest = unpack(archive, tmp_path / "out", sha256=digest.upper())
    assert manifest.bundles == ["a"]
    assert {name: (tmp_path / "out" / name).read_bytes() for name in FILES} == FILES
    with zipfile.ZipFile(archive) as packed:  # any other program can read it, too
        assert packed.testzip() is None


def test_every_altered_byte_is_refused(tmp_path):
    archive, _ = made(tmp_path)
    content = archive.read_bytes()
    rng = random.Random(0)
    places = [0, len(content) - 1, len(content) - 65, *rng.sample(range(len(content)), 200)]
    for n, place in enumerate(places):
        archive.write_bytes(content[:place] + bytes([content[place] ^ (1 << n % 8)]) + content[place + 1 :])
        with pytest.raises(DataRejectedError, match="was altered"):
            unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("cut", [0, 1, 63, 64, 65, 500])
def test_a_part_of_an_archive_is_refused(tmp_path, cut):
    archive, _ = made(tmp_path)
    archive.write_bytes(archive.read_bytes()[:cut])
    with pytest.raises(DataRejectedError, match="was altered"):
        unpack(archive, tmp_path / "out")


def test_another_archive_than_the_one_named_is_refused(tmp_path):
    archive, _ = made(tmp_path)
    with pytest.raises(DataRejectedError, match="SHA-256 is not the one given"):
        unpack(archive, tmp_path / "out", sha256="0" * 64)


NAMES = [
    "../evil", "/etc/evil", "models/../../evil", "models/a/../../../evil", "models/a/b/c", "models//evil", "evil",
    "models/.hidden/x", "models/a/.x", "models\\a\\x", "C:/evil", "metier.db-wal", "models/a/x\n",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leads_elsewhere_is_refused_even_under_a_right_seal(tmp_path, name):
    archive, _ = made(tmp_path)

    def add(files, entries):
        files[name] = b"evil"
        entries[name] = {"bytes": 4, "sha256": hashlib.sha256(b"evil").hexdigest()}

    rebuilt(archive, add)
    out = tmp_path / "a" / "b" / "out"
    out.mkdir(parents=True)
    with pytest.raises(DataRejectedError, match=r"has no place in it|files are not those"):
        unpack(archive, out)
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize(
    "change",
    [
        lambda files, entries: files.pop("metier.db"),
        lambda files, entries: entries.pop("metier.db"),
        lambda files, entries: files.update({"metier.db": b"other"}),
        lambda files, entries: entries["metier.db"].update(bytes=10),
        lambda files, entries: entries["metier.db"].update(sha256="0" * 64),
        lambda files, entries: entries["metier.db"].update(extra=1),
        lambda files, entries: files.update({"models/a/more": b""}),
    ],
)
def test_files_that_are_not_those_of_the_manifest_are_refused(tmp_path, change):
    archive, _ = made(tmp_path)
    rebuilt(archive, change)
    with pytest.raises(DataRejectedError):
        unpack(archive, tmp_path / "out")


def test_a_small_file_cannot_swell_up(tmp_path):
    """The file is longer than the 10 bytes that the manifest promises: 11 are written."""
    archive, _ = made(tmp_path)
    rebuilt(archive, lambda files, entries: entries["metier.db"].update(bytes=10))
    with pytest.raises(DataRejectedError):
        unpack(archive, tmp_path / "out")
    assert (tmp_path / "out" / "metier.db").stat().st_size == 11


def test_what_the_check_refuses_is_no_archive(tmp_path):
    def refuse(manifest):
        raise ValueError

    with pytest.raises(ValueError):
        pack(tmp_path / "copy", {}, version="0", made="now", check=refuse)
    with pytest.raises(DataRejectedError):
        unpack(tmp_path / "copy", tmp_path / "out")
