"""Stored answers, exposures and models."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "recommendations",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("filters", sa.String(64), primary_key=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "exposures",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("job", sa.Text, primary_key=True),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("shown", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "models",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("bundle", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("made", sa.Double, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
    )
    op.create_index(
        "one_live_model",
        "models",
        ["tenant"],
        unique=True,
        sqlite_where=sa.text("state = 'live'"),
        postgresql_where=sa.text("state = 'live'"),
    )
    op.create_table(
        "model_changes",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("model_changes")
    op.drop_table("models")
    op.drop_table("exposures")
    op.drop_table("recommendations")
