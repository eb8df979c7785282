"""What all tables share."""

import sqlalchemy as sa

metadata = sa.MetaData()

ID = sa.String(64)
"""An id or a SHA-256 that we made ourselves."""
