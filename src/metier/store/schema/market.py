"""What came since training: people, résumés, jobs and what people did. Written through the API, read by the models."""

import sqlalchemy as sa

from metier.store.schema.base import ID, metadata

people = sa.Table(
    "people",
    metadata,
    sa.Column("tenant", ID, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("city", sa.Text),
    sa.Column("state", sa.Text),
    sa.Column("country", sa.Text),
    sa.Column("zip", sa.Text),
    sa.Column("wishes", sa.Text, nullable=False),
    sa.Column("discoverable", sa.Boolean, nullable=False),
    sa.Column("discoverable_since", sa.Double),
    sa.Column("attributes", sa.JSON, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("newest", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("updated", sa.Double, nullable=False),
    sa.Index("people_discoverable", "tenant", "discoverable", "newest", "id"),
)

resumes = sa.Table(
    "resumes",
    metadata,
    sa.Column("tenant", ID, primary_key=True),
    sa.Column("id", ID, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("sha256", ID, nullable=False),
    sa.Column("content", sa.LargeBinary),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("leased", sa.Double, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("how", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("hidden", sa.JSON, nullable=False),
    sa.Column("candidate", sa.JSON, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("updated", sa.Double, nullable=False),
    sa.Index("resumes_of_a_person", "tenant", "person", "sequence"),
    sa.Index("resumes_in_the_queue", "state", "made"),
)
"""Uploads, read or still to be read; the bytes are kept until then."""

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("tenant", ID, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("employer", sa.Text),
    sa.Column("city", sa.Text),
    sa.Column("state", sa.Text),
    sa.Column("country", sa.Text),
    sa.Column("zip", sa.Text),
    sa.Column("remote", sa.Boolean),
    sa.Column("salary_min", sa.Double),
    sa.Column("salary_max", sa.Double),
    sa.Column("currency", sa.Text),
    sa.Column("level", sa.Integer),
    sa.Column("start", sa.Double),
    sa.Column("end", sa.Double),
    sa.Column("original", sa.JSON, nullable=False),
    sa.Column("html", sa.Text, nullable=False),
    sa.Column("posted", sa.Boolean, nullable=False),
    sa.Column("withdrawn", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("updated", sa.Double, nullable=False),
    sa.Index("jobs_by_change", "tenant", "sequence"),
)
"""Jobs posted or withdrawn since training; `posted` is false where all we know is the withdrawal of a bundle's job."""

events = sa.Table(
    "events",
    metadata,
    sa.Column("tenant", ID, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("job", sa.Text, nullable=False),
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("received", sa.Double, nullable=False),
    sa.UniqueConstraint("tenant", "source", name="event_sources"),
    sa.Index("events_of_a_person", "tenant", "person", "sequence"),
)
"""What people did, in the order in which it was received."""
