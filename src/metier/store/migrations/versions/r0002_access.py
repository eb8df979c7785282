"""Tenants, accounts, sessions and keys."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "tenants",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("made", sa.Double, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("audited", sa.BigInteger, nullable=False),
        sa.Column("audit_hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "accounts",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("person", sa.Text),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
        sa.UniqueConstraint("tenant", "login", name="logins"),
    )
    op.create_table(
        "setup_tokens",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("made", sa.Double, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("csrf", sa.Text, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
    )
    op.create_index("sessions_of_an_account", "sessions", ["tenant", "account"])
    op.create_table(
        "api_keys",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("made", sa.Double, nullable=False),
        sa.Column("expires", sa.Double),
        sa.Column("revoked", sa.Double),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("api_keys")
    op.drop_table("sessions")
    op.drop_table("setup_tokens")
    op.drop_table("accounts")
    op.drop_table("tenants")
