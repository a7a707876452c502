"""A database knows whose machines it holds."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table; the next bundle says the name."""
    op.create_table("plant", sa.Column("name", sa.String(200), primary_key=True))
