"""Hostile, broken and mutated files: the parent gets text or one clear error, and no child passes its limits."""

import json
import logging
import random
import re
import resource
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest
from hostile_files import files
from rendered import ANNA, docx_of, pdf_of, scan_of

from metier.errors import DataRejectedError, MissingExtraError
from metier.sources.documents import confine
from metier.sources.documents.child import python_child, run_confined
from metier.sources.documents.limits import Limits
from metier.sources.documents.pdf_gate import check_pdf
from metier.sources.documents.reading import read_document

built = cache(files)
NAMES = list(built())


def outcome(content: bytes) -> str | None:
    """The error's message; None for text. Any other exception fails the test."""
    try:
        document = read_document(content)
    except (DataRejectedError, MissingExtraError) as error:
        message = str(error)
    else:
        assert document.text
        return None
    assert "; cure: " in message, message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", NAMES)
def test_hostile_file(name):
    content, expected = built()[name]
    start, before = time.monotonic(), processor_time()
    error = outcome(content)
    assert processor_time() - before <= Limits().cpu_seconds + 1
    assert time.monotonic() - start <= Limits().wall_seconds + 5
    if expected is None:
        assert error is None
    elif expected:
        assert error is not None
        assert expected in error


MEASURED = """
import json, resource, sys
from metier.errors import DataRejectedError, MissingExtraError
from metier.sources.documents.reading import read_document
said = []
for path in sys.argv[1:]:
    try:
        said.append(None if read_document(path).text else "")
    except (DataRejectedError, MissingExtraError) as error:
        said.append(str(error))
print(json.dumps([said, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024]))
"""


def measured(contents: list[bytes], folder: Path) -> tuple[list[str | None], int]:
    """What is said of each document (None: it was read), and the bytes of the largest child.

    By a process of its own, whose only children are those of the documents; any other error fails the test.
    """
    paths = [folder / str(place) for place in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    done = subprocess.run([sys.executable, "-c", MEASURED, *paths], capture_output=True, text=True, check=True)
    said, largest = json.loads(done.stdout)
    return said, largest


def test_no_child_passes_the_limit_of_memory(tmp_path):
    heavy = ["1 GB stream", "nested Flate", "400,000 text operations", "PNG one pixel wide", "9 MB of text"]
    _, largest = measured([built()[name][0] for name in heavy], tmp_path)
    print(f"largest child: {largest >> 20} MB")
    assert largest <= Limits().memory_bytes


def processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def mutated(content: bytes, rng: random.Random) -> bytes:
    """A copy with bytes changed, cut out, doubled or cut off."""
    changed = bytearray(content)
    for _ in range(rng.choice([1, 3, 20])):
        place, length = rng.randrange(len(changed)), rng.choice([1, 4, 64, 1024])
        match rng.randrange(4):
            case 0:
                changed[place] = rng.randrange(256)
            case 1:
                del changed[place : place + length]
            case 2:
                changed[place:place] = changed[place : place + length]
            case 3:
                changed[place : place + length] = rng.randbytes(min(length, 8))
        if not changed:
            return b"x"
    return bytes(changed[: rng.randrange(1, len(changed) + 1)] if rng.random() < 0.1 else changed)


def campaign(count: int, folder: Path) -> tuple[list[str | None], int]:
    """What is said of so many mutated files, and the bytes of the largest child."""
    rng = random.Random(7)
    rtf = rb"{\rtf1\ansi{\colortbl;\red255\green255\blue255;}\fs24 " + ANNA.encode().replace(b"\n", rb"\par ") + b"}"
    html = b"<html><body><p>" + ANNA.encode().replace(b"\n", b"</p><p>") + b"</p></body></html>"
    whole = [pdf_of(ANNA), docx_of(ANNA), scan_of("Anna"), rtf, html, b'{"basics": {"name": "Anna"}, "work": []}']
    said, largest = measured([mutated(whole[number % len(whole)], rng) for number in range(count)], folder)
    refused = sum(one is not None for one in said)
    print(f"{count} mutated files: {count - refused} read, {refused} refused, largest child {largest >> 20} MB")
    return said, largest


def unclear(said: list[str | None]) -> list[str]:
    """Messages of more than one line or without a cure."""
    return [one for one in said if one is not None and ("; cure: " not in one or "\n" in one)]


def test_mutated_files(tmp_path):
    said, largest = campaign(60, tmp_path)
    assert not unclear(said)
    assert {one is None for one in said} == {True, False}, "some are to be read, some refused"
    assert largest <= Limits().memory_bytes


@pytest.mark.slow
def test_many_mutated_files(tmp_path):
    said, largest = campaign(2_000, tmp_path)
    assert not unclear(said)
    assert {one is None for one in said} == {True, False}
    assert largest <= Limits().memory_bytes


REFUSED = {
    "a socket": "import socket; socket.socket()",
    "another program": "import os; os.execv('/bin/true', ['true'])",
    "a second process": "import subprocess; subprocess.run(['/bin/true'])",
    "much memory": "bytearray(900_000_000)",
    "a large file": "open('big', 'wb').write(bytes(2_000_000))",
    "more time": "while True: pass",
}


@pytest.mark.parametrize("what", REFUSED)
def test_confined_process_is_refused(what, tmp_path):
    bounds = "memory=768 << 20, cpu=1, written=1_000_000, files=20"
    script = f"from metier.sources.documents.confine import confine; confine({bounds})\n{REFUSED[what]}"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode != 0
    assert not done.stderr or re.search("PermissionError|MemoryError|OSError|File too large", done.stderr)


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_confined_program_has_no_network(tmp_path):
    """What tesseract becomes part of: a program started by the script, with no audit hook of ours inside."""
    command = [sys.executable, "-I", "-S", confine.__file__, str(768 << 20), "5", "1000000", "20", "--"]
    tried = "import socket\ntry: socket.socket()\nexcept PermissionError: print('refused')"
    done = subprocess.run([*command, sys.executable, "-I", "-c", tried], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "refused\n"


def runs(code: str):
    """In the place of the command of a reader."""
    return lambda *_: [sys.executable, "-I", "-c", code]


def test_a_child_finds_what_its_parent_finds_but_not_in_the_current_folder(tmp_path, monkeypatch):
    """As for a metier of the user's own site or of PYTHONPATH, which `python -I` alone does not find."""
    document = tmp_path / "document"
    document.write_bytes(b"")
    for folder, module in (("installed", "far_away_reader"), ("current", "planted_reader")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{module}.py").write_text("def main(bounds): print(bounds['pages'])")
        monkeypatch.syspath_prepend(tmp_path / folder)
    monkeypatch.chdir(tmp_path / "current")
    limits = Limits(pages=77)
    assert run_confined(python_child("far_away_reader", limits), document, limits, "x") == b"77\n"
    with pytest.raises(DataRejectedError):
        run_confined(python_child("planted_reader", limits), document, limits, "x")


def test_the_limits_reach_the_reader_of_scans(monkeypatch):
    from metier.sources.documents import ocr

    monkeypatch.setattr(ocr.shutil, "which", lambda _: None)
    monkeypatch.setattr(ocr.importlib.util, "find_spec", lambda _: True)
    assert json.loads(ocr._command(Limits(cpu_seconds=77))[-1])["cpu_seconds"] == 77


def test_child_that_never_ends_is_killed(monkeypatch):
    from metier.sources.documents import reading

    monkeypatch.setattr(reading, "python_child", runs("import time; time.sleep(60)"))
    start = time.monotonic()
    with pytest.raises(DataRejectedError, match="cannot be read within"):
        read_document(b"Anna", Limits(wall_seconds=1))
    assert time.monotonic() - start < 20


def test_child_that_talks_too_much_is_cut_off(monkeypatch):
    from metier.sources.documents import reading

    monkeypatch.setattr(reading, "python_child", runs("while True: print('x' * 1000)"))
    with pytest.raises(DataRejectedError, match="cannot be read within"):
        read_document(b"Anna", Limits(answer_bytes=10_000))


def test_child_that_answers_nonsense_is_not_believed(monkeypatch):
    from metier.sources.documents import reading

    monkeypatch.setattr(reading, "python_child", runs('print(\'{"document": {"kind": "exe"}}\')'))
    with pytest.raises(DataRejectedError, match="without an answer"):
        read_document(b"Anna")


def test_what_pypdf_mends_is_not_told_and_other_logs_go_on(caplog):
    check_pdf(b"Anna%PDF-1.7\nxref\nAnna", Limits())  # pypdf would quote its first bytes
    logging.getLogger("metier").warning("still here")
    assert [record.getMessage() for record in caplog.records] == ["still here"]
