"""Who may come in: tenants, accounts, sessions and keys. Of every secret only a hash is here."""

import sqlalchemy as sa

from metier.store.schema.base import ID, metadata

tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("audited", sa.BigInteger, nullable=False),
    sa.Column("audit_hash", ID, nullable=False),
)
"""One row a tenant. It also holds the tenant's counters, and so the lock that its writers take in turn."""

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("tenant", ID, primary_key=True),
    sa.Column("id", ID, primary_key=True),
    sa.Column("login", sa.Text, nullable=False),
    sa.Column("password", sa.Text, nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("person", sa.Text),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.UniqueConstraint("tenant", "login", name="logins"),
)
"""Who signs in with a password, of which the argon2 hash is kept."""

setup_tokens = sa.Table(
    "setup_tokens",
    metadata,
    sa.Column("tenant", ID, primary_key=True),
    sa.Column("hash", ID, nullable=False, unique=True),
    sa.Column("made", sa.Double, nullable=False),
)
"""At most one row a tenant, until it has an admin."""

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("hash", ID, primary_key=True),
    sa.Column("tenant", ID, nullable=False),
    sa.Column("account", ID, nullable=False),
    sa.Column("csrf", sa.Text, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("expires", sa.Double, nullable=False),
    sa.Index("sessions_of_an_account", "tenant", "account"),
)
"""Signed-in browsers."""

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("tenant", ID, primary_key=True),
    sa.Column("id", ID, primary_key=True),
    sa.Column("hash", ID, nullable=False, unique=True),
    sa.Column("prefix", sa.String(16), nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("account", ID, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("expires", sa.Double),
    sa.Column("revoked", sa.Double),
)
"""Programs that act for a tenant; `account` made the key."""
