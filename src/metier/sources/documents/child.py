"""One confined child process: a program, a document on its standard input, and what it writes."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from threading import Timer

from metier.errors import DataRejectedError
from metier.sources.documents.limits import Limits

CURE = "cure: save the résumé again as PDF or as plain text"

_HERE = Path(__file__).parents[3]  # the folder of this package


def python_child(module: str, limits: Limits) -> list[str]:
    """The command of an isolated Python that runs `main(limits)` of a module, found where this process finds it.

    `python -I` hides what PYTHONPATH and the user's own site hold, so this process's folders are handed over, without
    the current one.
    """
    folders = [folder for folder in sys.path if Path(folder).is_absolute() and Path(folder) != Path.cwd()]
    start = (
        "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
        f"from {module} import main; main(json.loads(sys.argv[2]))"
    )
    return [sys.executable, "-I", "-c", start, json.dumps([*folders, str(_HERE)]), json.dumps(asdict(limits))]


def run_confined(command: list[str], standard_input: Path, limits: Limits, name: str) -> bytes:
    """Standard output of a program that knows no environment and works in a folder of its own; killed at the limits.

    The program must confine itself first (see `confine`). `name` is the document's, for the error message.
    """
    environment = {"LANG": "C.UTF-8", "OMP_THREAD_LIMIT": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
    with (
        standard_input.open("rb") as file,
        subprocess.Popen(  # noqa: S603 - our own program, no shell
            command,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=standard_input.parent,
            env=environment | {"TMPDIR": str(standard_input.parent)},
            start_new_session=True,
        ) as process,
    ):
        alarm = Timer(limits.wall_seconds, process.kill)
        alarm.daemon = True
        alarm.start()
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker: a pipe was asked for
            output = process.stdout.read(limits.answer_bytes + 1)
            if len(output) > limits.answer_bytes:
                process.kill()
            code = process.wait()
        finally:
            alarm.cancel()
            process.kill()
    if code or len(output) > limits.answer_bytes:
        raise DataRejectedError(
            f"{name}: cannot be read within {limits.memory_bytes >> 20} MB of memory, {limits.cpu_seconds} s of "
            f"processor time and {limits.answer_bytes:,} bytes of text, or breaks its reader; {CURE}"
        )
    return output
