"""A token for the first admin of each tenant, since when people may be found, and an index of lists of candidates."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

CANDIDATES = sa.text("action IN ('candidates.exported', 'candidates.served')")


def upgrade() -> None:
    """A token that waits is dropped: the next start prints another one."""
    op.drop_table("setup_tokens")
    op.create_table(
        "setup_tokens",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("made", sa.Double, nullable=False),
    )
    op.add_column("people", sa.Column("discoverable_since", sa.Double))
    op.execute("UPDATE people SET discoverable_since = updated WHERE discoverable")  # since then for certain
    op.create_index(
        "audit_of_candidates", "audit", ["tenant", "time"], sqlite_where=CANDIDATES, postgresql_where=CANDIDATES
    )


def downgrade() -> None:
    """As before; a token that waits is dropped."""
    op.drop_index("audit_of_candidates", "audit")
    op.drop_column("people", "discoverable_since")
    op.drop_table("setup_tokens")
    op.create_table(
        "setup_tokens",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("made", sa.Double, nullable=False),
    )
