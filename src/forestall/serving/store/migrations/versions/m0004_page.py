"""What the page needs: sessions, a ranking by the shortest horizon, indices to count the fleet by."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add them. What was thought last lacks the new order: it is forgotten here, and scored again at the start."""
    op.execute("DELETE FROM current")
    op.execute("UPDATE machines SET model_id = NULL")
    op.add_column("current", sa.Column("soon", sa.Double, nullable=False))
    op.create_index("current_by_soon", "current", ["soon", "machine_id", "component"])
    op.create_index("current_by_status_soon", "current", ["status", "soon", "machine_id", "component"])
    op.create_index("current_by_no_risk", "current", ["status", "no_risk", "machine_id", "component"])
    op.create_index("alarms_by_opened", "alarms", ["opened"])
    op.create_index("alarms_by_standing", "alarms", ["state", "ended"])
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("key_id", sa.String(20), sa.ForeignKey("keys.id"), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("seen", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
