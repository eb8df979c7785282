"""One run a dataset: a second one would pay for the same completions at the same time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from metier.data.workspace import Workspace
from metier.errors import UsageError


@contextmanager
def only_run(workspace: Workspace, dataset: str) -> Iterator[None]:
    """Hold the dataset's lock; the system gives it back when the process ends, however that ends.

    Raises
    ------
    UsageError : another process on this machine holds it.
    """
    folder = workspace.dataset(dataset)
    with folder.with_name(f".{folder.name}.enrich-lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"another metier enrich is at work on {dataset!r}; cure: wait for it, or end it; nothing will be lost"
            ) from None
        yield
