"""People, résumés, jobs and events."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "people",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("city", sa.Text),
        sa.Column("state", sa.Text),
        sa.Column("country", sa.Text),
        sa.Column("zip", sa.Text),
        sa.Column("wishes", sa.Text, nullable=False),
        sa.Column("discoverable", sa.Boolean, nullable=False),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
        sa.Column("updated", sa.Double, nullable=False),
    )
    op.create_index("people_discoverable", "people", ["tenant", "discoverable", "id"])
    op.create_table(
        "resumes",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
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
    )
    op.create_index("resumes_in_the_queue", "resumes", ["state", "made"])
    op.create_index("resumes_of_a_person", "resumes", ["tenant", "person", "sequence"])
    op.create_table(
        "jobs",
        sa.Column("tenant", sa.String(64), primary_key=True),
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
    )
    op.create_index("jobs_by_change", "jobs", ["tenant", "sequence"])
    op.create_table(
        "events",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("received", sa.Double, nullable=False),
        sa.UniqueConstraint("tenant", "source", name="event_sources"),
    )
    op.create_index("events_of_a_person", "events", ["tenant", "person", "sequence"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("events")
    op.drop_table("jobs")
    op.drop_table("resumes")
    op.drop_table("people")
