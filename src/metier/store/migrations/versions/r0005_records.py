"""Imports, idempotency keys, erasures and the audit chain with its triggers."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

SQLITE = [
    f"CREATE TRIGGER audit_no_{act} BEFORE {act} ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
    for act in ("update", "delete")
] + [
    # INSERT OR REPLACE deletes without firing the trigger above
    "CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit "
    "WHERE tenant = NEW.tenant AND number = NEW.number) BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
]
POSTGRESQL = [
    "CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
    "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit()",
    "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit()",
]


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "imports",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("accepted", sa.BigInteger, nullable=False),
        sa.Column("duplicates", sa.BigInteger, nullable=False),
        sa.Column("refused", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
        sa.Column("ended", sa.Double),
    )
    op.create_index("imports_by_sequence", "imports", ["tenant", "sequence"])
    op.create_table(
        "import_refusals",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("import", sa.String(64), primary_key=True),
        sa.Column("line", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "idempotency",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("actor", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("body_hash", sa.String(64), nullable=False),
        sa.Column("person", sa.Text),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
    )
    op.create_index("ix_idempotency_expires", "idempotency", ["expires"])
    op.create_table(
        "erasures",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
    )
    op.create_index("erasures_of_a_subject", "erasures", ["tenant", "subject"])
    op.create_table(
        "audit",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("audit_of_an_object", "audit", ["tenant", "object", "number"])
    for statement in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("audit")
    op.drop_table("erasures")
    op.drop_table("idempotency")
    op.drop_table("import_refusals")
    op.drop_table("imports")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change_of_audit")
