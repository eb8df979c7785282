"""Damage to the rows of a file: bytes, fields, dates, ids."""

import numpy as np

NASTY = [
    b"", b" ", b"None", b"NA", b"nan", b"inf", b"-1", b"1e400", b"99999999999999999999", b"2199-01-01 00:00:00",
    b"2012-13-45 99:99:99", b"0000-00-00", b"1333554983", b"\xff\xfe", b"\x00", b"\\", b"\\t", b'"', b'a"b', b"<p>&amp",
    b"\r", b"\xef\xbb\xbf", "é".encode(), b"=1+1", b"../x",
]  # fmt: skip


def mutate(row: bytes, others: list[bytes], separator: bytes, rng: np.random.Generator) -> bytes:
    """`row` with one to three pieces of damage; it may become several lines, or another row."""
    for _ in range(rng.integers(1, 4)):
        at, byte = int(rng.integers(0, len(row) + 1)), bytes([rng.integers(0, 256)])
        fields = row.split(separator)
        field = int(rng.integers(0, len(fields)))
        match rng.integers(0, 8):
            case 0:
                row = row[:at] + byte + row[at + 1 :]
            case 1:
                row = row[:at] + byte + row[at:]
            case 2:
                row = row[:at]
            case 3:
                row = separator.join(fields[:field] + fields[field + 1 :])
            case 4:
                row = separator.join([*fields[:field], NASTY[rng.integers(len(NASTY))], *fields[field:]])
            case 5 | 6:
                row = separator.join([*fields[:field], NASTY[rng.integers(len(NASTY))], *fields[field + 1 :]])
            case _:
                row = others[rng.integers(len(others))]
    return row
