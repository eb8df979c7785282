"""Blocks of a large file that were read before, so that an import that was killed need not read them again."""

import hashlib
import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from metier import __version__
from metier.sources.quarantine import FileLog

ACCOUNT = "metier.account"
"""Key of a block's account in the metadata of its Parquet file."""


@dataclass(frozen=True)
class KeptBlocks:
    """A folder with a Parquet file a block, named by what the block was made of.

    So a block of another file, from another place in it, or of another version of metier is never taken for it, and
    nothing has to be known of where the former import stopped.

    Parameters
    ----------
    folder : appears with the first block; whoever finishes the import removes it.
    """

    folder: Path

    def get(self, source: Any, read: Callable[[], tuple[FileLog, pl.DataFrame]]) -> tuple[FileLog, pl.DataFrame]:
        """The account and the frame that `read` gave for this source, or gives now.

        Parameters
        ----------
        source : plain JSON; everything that the result depends on, but for the version of metier.
        """
        digest = hashlib.sha256(json.dumps([__version__, source], ensure_ascii=False).encode()).hexdigest()
        path = self.folder / f"{digest}.parquet"
        with suppress(FileNotFoundError, pl.exceptions.PolarsError):  # not there, or torn when the power failed
            return FileLog.parse(pl.read_parquet_metadata(path)[ACCOUNT]), pl.read_parquet(path)
        log, frame = read()
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f".{digest}.{os.getpid()}.{threading.get_ident()}"
        frame.write_parquet(partial, compression="lz4", metadata={ACCOUNT: log.dump()})
        partial.replace(path)
        return log, frame
