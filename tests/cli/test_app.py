"""Exit codes, errors on stderr, and a quick start."""

import io
import json
import subprocess
import sys

import pytest

from metier import __version__
from metier.cli import app, models

COMMANDS = ["describe", "train", "recommend", "models", "doctor", "demo", "evaluate", "compare", "import", "export"]


def test_version(metier):
    assert metier("--version") == (0, f"metier {__version__}\n", "")


def test_bare_command_is_the_help(metier):
    assert metier() == metier("--help")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(metier, command):
    ran = metier(command, "--help")
    assert ran.code == 0
    assert f"Usage: metier {command}" in ran.out
    assert ran.err == ""


def test_unknown_option_is_wrong_use(metier):
    ran = metier("models", "--nonsense")
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert "--nonsense" in ran.err
    assert "metier models --help" in ran.err


def test_group_without_command(metier):
    assert metier("import") == (2, "", "metier: Missing command. See metier import --help.\n")


def test_error_is_one_line(metier):
    ran = metier("describe", "nowhere")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("metier: no dataset 'nowhere'")
    assert ran.err.count("\n") == 1
    assert "cure: metier import" in ran.err


@pytest.mark.parametrize("arguments", [("describe", "nowhere"), ("models", "--nonsense"), ("nocommand",)])
def test_error_as_json(metier, arguments):
    ran = metier(*arguments, "--json")
    error = json.loads(ran.err)["error"]
    assert ran.out == ""
    assert ran.code == error["exit_code"] == 2
    assert error["message"]


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt(), 130), (PermissionError(13, "denied", "f"), 1)])
def test_interrupt_and_system_errors(metier, monkeypatch, raised, code):
    def fail(*_):
        raise raised

    monkeypatch.setattr(models, "_describe", fail)
    ran = metier("models")
    assert ran.code == code
    assert "Traceback" not in ran.err


def test_a_question_that_is_not_answered_with_yes(metier, tmp_path, monkeypatch):
    for answer in ("n\n", ""):
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        ran = metier("person", "erase", "p1", "--home", tmp_path)
        assert (ran.code, ran.out.strip()) == (1, "")
        assert ran.err.endswith("metier: stopped at the question; nothing was changed\n")


def test_a_bug_keeps_its_traceback(metier, monkeypatch):
    monkeypatch.setattr(models, "_describe", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        metier("models")


def test_main_exits_with_the_code():
    with pytest.raises(SystemExit) as stop:
        app.main(["describe", "nowhere"])
    assert stop.value.code == 2


def test_what_a_command_writes_is_its_owner_s_alone(tmp_path):
    """Whatever the shell's umask says; it is taken at the door of the process, so the test takes that door."""
    home = tmp_path / "home"
    command = [sys.executable, "-c", "from metier.cli.app import main; main()"]
    arguments = ["import", "market", "--people", "50", "--as", "town", "--home", str(home)]
    ran = subprocess.run([*command, *arguments], capture_output=True, text=True, umask=0o022)
    assert ran.returncode == 0, ran.stderr
    modes = {path: path.stat().st_mode & 0o777 for path in [home, *home.rglob("*")]}
    assert len(modes) > 5
    assert modes == {path: 0o700 if path.is_dir() else 0o600 for path in modes}


def test_output_to_a_closed_pipe():
    """`metier models --json | head -0`: no traceback."""
    command = [sys.executable, "-c", "from metier.cli.app import main; main(['models', '--json'])"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    assert process.wait() == 1
    process.stderr.close()


def test_no_color_without_a_terminal(metier):
    assert "\x1b" not in metier("models").out
