"""A database knows whose machines it holds."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table; the next bundle says the name."""
    op.create_table("plant", sa.Column("name", sa.String(200), primary_key=True))
