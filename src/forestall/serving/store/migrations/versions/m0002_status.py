"""Status as the API calls it, apart from why there is no risk or no opinion."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Rename. What was thought last has other words now: it is forgotten here, and scored again at the start."""
    op.execute("DELETE FROM current")
    op.execute("UPDATE machines SET model_id = NULL")
    op.drop_index("current_by_standing", "current")
    for table, was, name in (
        ("risks", "status", "no_opinion"),
        ("current", "status", "no_risk"),
        ("current", "standing", "status"),
    ):
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {was} TO {name}")
    op.create_index("current_by_status", "current", ["status", "rank", "machine_id", "component"])
