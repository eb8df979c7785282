"""Files of a bundle as memory that processes share: nothing is read before it is used, and nothing twice."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import overload

import numpy as np
import polars as pl

from metier.bundle.state import Tensors

DTYPES = {
    "BOOL": np.bool_,
    "U8": np.uint8,
    "I8": np.int8,
    "U16": np.uint16,
    "I16": np.int16,
    "F16": np.float16,
    "U32": np.uint32,
    "I32": np.int32,
    "F32": np.float32,
    "U64": np.uint64,
    "I64": np.int64,
    "F64": np.float64,
}


def mapped(path: Path) -> Tensors:
    """The tensors of a safetensors file, mapped: 8 bytes with the length of a JSON header, the header, the bytes.

    What is written to them stays in the process. ValueError or KeyError for a file of another form.
    """
    if path.stat().st_size < 8:
        raise ValueError("it is no safetensors file")
    whole = np.memmap(path, np.uint8, mode="c")
    start = 8 + int(whole[:8].view("<u8")[0])
    header = json.loads(whole[8:start].tobytes())
    return {
        name: np.asarray(whole[start:])[slice(*about["data_offsets"])]
        .view(np.dtype(DTYPES[about["dtype"]]).newbyteorder("<"))
        .reshape(about["shape"])
        for name, about in header.items()
        if name != "__metadata__"
    }


class Texts(Sequence[str]):
    """The column `text` of a Parquet file, read when the first one is asked for; empty where there is none."""

    def __init__(self, path: Path, rows: int) -> None:
        self._path, self._rows = path, rows

    @cached_property
    def _column(self) -> pl.Series:
        return pl.read_parquet(self._path, columns=["text"])["text"]

    def __len__(self) -> int:
        return self._rows

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return self._column[row].fill_null("").to_list()
        return self._column[int(row)] or ""
