"""What is counted of the model's inputs, for monitoring."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add it; of decisions that were scored before, nothing is counted."""
    op.create_table(
        "input_counts",
        sa.Column(
            "machine_id", sa.Integer, sa.ForeignKey("machines.id"), primary_key=True, autoincrement=False
        ),
        sa.Column("kind", sa.String(200), primary_key=True),
        sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("counts", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("input_counts_by_start", "input_counts", ["kind", "start"])
