"""What a challenger thinks beside the champion."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the tables; no model is in shadow yet."""
    op.create_table(
        "shadows",
        sa.Column("model_id", sa.Integer, sa.ForeignKey("models.id"), primary_key=True, autoincrement=False),
        sa.Column("champion_id", sa.Integer, sa.ForeignKey("models.id"), nullable=False),
        sa.Column("placed", sa.BigInteger, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("machines", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("champion_seconds", sa.Double, nullable=False),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
    )
    op.create_table(
        "shadow_risks",
        sa.Column(
            "machine_id", sa.Integer, sa.ForeignKey("machines.id"), primary_key=True, autoincrement=False
        ),
        sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("model_id", sa.Integer, sa.ForeignKey("models.id"), primary_key=True, autoincrement=False),
        sa.Column("no_opinion", sa.String(200), nullable=False),
        sa.Column("curves", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
