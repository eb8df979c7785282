"""The person whose traces are looked for, and the words they left, and how they are looked for."""

import polars as pl

PERSON = "person-canary-7"
CANARIES = ("canarytext", "canaryname", "canary@example.org", "canaryhidden", "canarycompleted", "canarylogin")
"""What the person wrote or what was made of it. Their id stays in the audit log."""


def containing(home, words):
    """Files of a folder that hold one of the words, whatever their kind; Parquet's columns are unpacked first."""
    found = {}
    for path in sorted(path for path in home.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += pl.read_parquet(path).write_ndjson().encode()
        hits = [word for word in words if word.encode() in content]
        if hits:
            found[str(path.relative_to(home))] = hits
    return found
