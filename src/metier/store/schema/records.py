"""What was asked and done: bulk imports, repeated requests, erasures and the audit chain."""

import sqlalchemy as sa

from metier.store.schema.base import ID, metadata

CANDIDATES = sa.text("action IN ('candidates.exported', 'candidates.served')")
"""Rows of the audit that are lists of people shown to recruiters: few among many, with an index of their own."""

imports = sa.Table(
    "imports",
    metadata,
    sa.Column("tenant", ID, primary_key=True),
    sa.Column("id", ID, primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("accepted", sa.BigInteger, nullable=False),
    sa.Column("duplicates", sa.BigInteger, nullable=False),
    sa.Column("refused", sa.BigInteger, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("ended", sa.Double),
    sa.Index("imports_by_sequence", "tenant", "sequence"),
)
"""Bulk calls and what became of their lines."""

import_refusals = sa.Table(
    "import_refusals",
    metadata,
    sa.Column("tenant", ID, primary_key=True),
    sa.Column("import", ID, primary_key=True),
    sa.Column("line", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("reason", sa.Text, nullable=False),
)
"""The quarantine: a reason names a field and a rule, never a value."""

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("tenant", ID, primary_key=True),
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("body_hash", ID, nullable=False),
    sa.Column("person", sa.Text),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("expires", sa.Double, nullable=False, index=True),
)
"""Answers to requests that a caller may repeat; `person` is whom the answer is about."""

erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("tenant", ID, primary_key=True),
    sa.Column("id", ID, primary_key=True),
    sa.Column("subject", ID, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Index("erasures_of_a_subject", "tenant", "subject"),
)
"""Receipts; `subject` is the SHA-256 of the erased person's id, so that a dataset can be rid of them as well."""

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("tenant", ID, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("object", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
    sa.Column("previous", ID, nullable=False),
    sa.Column("hash", ID, nullable=False),
    sa.Index("audit_of_an_object", "tenant", "object", "number"),
    sa.Index("audit_of_candidates", "tenant", "time", sqlite_where=CANDIDATES, postgresql_where=CANDIDATES),
)
"""Append-only: triggers refuse UPDATE and DELETE. `number` is 1, 2, 3, ...; `details` is JSON as it was hashed."""
