"""What is served: models, answers that may be served again, and how often a job was shown."""

import sqlalchemy as sa

from metier.store.schema.base import ID, metadata

recommendations = sa.Table(
    "recommendations",
    metadata,
    sa.Column("tenant", ID, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("filters", ID, primary_key=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
"""Answers as served; valid while `generation` is the tenant's."""

exposures = sa.Table(
    "exposures",
    metadata,
    sa.Column("tenant", ID, primary_key=True),
    sa.Column("job", sa.Text, primary_key=True),
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("shown", sa.BigInteger, nullable=False),
)
"""How often a job was among the jobs shown; `day` counts from 1970-01-01 UTC."""

models = sa.Table(
    "models",
    metadata,
    sa.Column("tenant", ID, primary_key=True),
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("bundle", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("before", sa.Text),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("changed", sa.Double, nullable=False),
    sa.Index(
        "one_live_model",
        "tenant",
        unique=True,
        sqlite_where=sa.text("state = 'live'"),
        postgresql_where=sa.text("state = 'live'"),
    ),
)
"""Models of a tenant; `before` was live when this one was promoted."""

model_changes = sa.Table(
    "model_changes",
    metadata,
    sa.Column("tenant", ID, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
)
"""Which model was live when, and who made it so."""
