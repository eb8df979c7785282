"""The number of what came last about each person, so that who may be found is read off an index."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

NEWEST = """
UPDATE people SET newest = (
    SELECT max(number) FROM (
        SELECT people.sequence AS number
        UNION ALL SELECT max(sequence) FROM events WHERE tenant = people.tenant AND person = people.id
        UNION ALL SELECT max(sequence) FROM resumes WHERE tenant = people.tenant AND person = people.id
    ) AS came
)
"""


def upgrade() -> None:
    """Counted from the rows that are there."""
    op.add_column("people", sa.Column("newest", sa.BigInteger, nullable=False, server_default="0"))
    op.execute(NEWEST)
    op.drop_index("people_discoverable", "people")
    op.create_index("people_discoverable", "people", ["tenant", "discoverable", "newest", "id"])


def downgrade() -> None:
    """As before."""
    op.drop_index("people_discoverable", "people")
    op.drop_column("people", "newest")
    op.create_index("people_discoverable", "people", ["tenant", "discoverable", "id"])
