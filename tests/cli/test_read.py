"""`metier read`: the record, the text, JSON Resume; one bad file among good ones."""

import json
import zipfile

import pytest
import typer
from typer.testing import CliRunner

from metier.cli.read import read
from metier.errors import DataRejectedError, UsageError

RESUME = "Anna Example\nanna@example.org\n\nExperience\nCook, Sample Ltd, 2019 - 2021\n\nSkills\nbaking, soup\u200b\n"


@pytest.fixture
def call():
    app = typer.Typer()
    app.command("read")(read)

    def run(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments], standalone_mode=False)

    return run


@pytest.fixture
def resume(tmp_path):
    path = tmp_path / "anna.pdf"  # the name lies: the kind is told by content
    path.write_text(RESUME, encoding="utf-8")
    return path


def test_table(call, resume):
    done = call(resume)
    assert "anna.pdf: text, text layer" in done.stdout
    for value in ("Anna Example", "Cook", "Sample Ltd", "2019", "baking, soup", "zero width"):
        assert value in done.stdout
    assert "left out 1 characters that no reader sees (zero width)" in done.stderr


def test_text(call, resume):
    assert call("--text", resume).stdout.strip() == RESUME.replace("\u200b", "").strip()


def test_json(call, resume):
    one = json.loads(call("--json", resume).stdout)
    assert one["work"] == [{"name": "Sample Ltd", "position": "Cook", "startDate": "2019", "endDate": "2021"}]
    assert json.loads(call("--json", resume, resume).stdout) == [one, one]


def test_out(call, resume, tmp_path):
    done = call("--out", tmp_path / "read", resume)
    written = tmp_path / "read" / "anna.pdf.json"
    assert done.stdout.strip() == str(written)
    assert json.loads(written.read_text(encoding="utf-8"))["basics"]["name"] == "Anna Example"
    call("--out", tmp_path / "read", "--text", resume)
    assert "Cook" in (tmp_path / "read" / "anna.pdf.txt").read_text(encoding="utf-8")


def test_one_bad_file_does_not_stop_the_others(call, resume, tmp_path):
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Anna, thank you.", encoding="utf-8")
    done = call("--json", letter, resume)
    assert done.return_value == DataRejectedError.exit_code
    assert len(json.loads(done.stdout)) == 1
    assert "no contact, job" in done.stderr
    assert isinstance(call(letter).exception, DataRejectedError)


def test_a_missing_file_does_not_stop_the_others(call, resume, tmp_path):
    done = call("--json", tmp_path / "gone.pdf", tmp_path, resume)
    assert done.return_value == DataRejectedError.exit_code
    assert len(json.loads(done.stdout)) == 1
    assert "gone.pdf: No such file" in done.stderr
    assert f"{tmp_path}: is a folder; cure: name the résumés in it, {tmp_path}/*" in done.stderr


def test_an_archive_is_to_be_unpacked(call, tmp_path):
    with zipfile.ZipFile(tmp_path / "cvs.zip", "w") as archive:
        archive.writestr("a.txt", "Anna")
    assert "cure: unpack it and name the résumés in it" in str(call(tmp_path / "cvs.zip").exception)


def test_two_files_of_one_name_are_not_written_over_each_other(call, resume, tmp_path):
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / resume.name
    twin.write_text(RESUME.replace("Anna", "Berta"), encoding="utf-8")
    error = call("--out", tmp_path / "read", resume, twin).exception
    assert isinstance(error, UsageError)
    assert str(twin) in str(error)
    assert not (tmp_path / "read").exists()
    assert call("--out", tmp_path / "read", resume, resume).exception is None


def test_text_and_json_exclude_each_other(call, resume):
    assert isinstance(call("--text", "--json", resume).exception, UsageError)


def test_a_text_that_is_no_resume_is_named(call, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear all, see you soon.")
    ran = call(str(tmp_path / "letter.txt"), str(tmp_path / "nosuch.pdf"))
    assert ran.return_value == 3
    assert "letter.txt: " in ran.stderr
    assert "nosuch.pdf: " in ran.stderr
    assert call(str(tmp_path / "nosuch.pdf")).exit_code != 0
