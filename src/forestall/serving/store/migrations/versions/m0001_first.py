"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ROWS = {"sqlite_with_rowid": False}


def upgrade() -> None:
    """Make them."""
    _machines_and_readings()
    _events()
    _opinions()
    _alarms()
    _keys()


def _machine() -> sa.Column[int]:
    return sa.Column(
        "machine_id", sa.Integer, sa.ForeignKey("machines.id"), primary_key=True, autoincrement=False
    )


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False)


def _label(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(200), primary_key=True)


def _machines_and_readings() -> None:
    op.create_table(
        "sensors",
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
    )
    op.create_table(
        "models",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("components", sa.JSON, nullable=False),
        sa.Column("horizons", sa.JSON, nullable=False),
    )
    op.create_table(
        "machines",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("first", sa.BigInteger),
        sa.Column("last", sa.BigInteger),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("scored_version", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.BigInteger),
        sa.Column("unsettled", sa.BigInteger),
        sa.Column("scored_until", sa.BigInteger),
        sa.Column("model_id", sa.Integer, sa.ForeignKey("models.id")),
    )
    op.create_table(
        "readings",
        _machine(),
        _key("time"),
        sa.Column("running", sa.Boolean, nullable=False),
        sa.Column("values", sa.LargeBinary, nullable=False),
        **ROWS,
    )
    op.create_table(
        "baselines",
        _machine(),
        _label("kind"),
        _key("time"),
        sa.Column("values", sa.LargeBinary, nullable=False),
        **ROWS,
    )


def _events() -> None:
    op.create_table("errors", _machine(), _key("time"), _label("code"), **ROWS)
    for name in ("maintenance", "failures"):
        source = sa.Column("source", sa.String(20), nullable=False)
        op.create_table(name, _machine(), _key("time"), _label("component"), source, **ROWS)
    end = sa.Column("end", sa.BigInteger, nullable=False)
    op.create_table("downtime", _machine(), _key("start"), end, **ROWS)


def _opinions() -> None:
    op.create_table(
        "risks",
        _machine(),
        _key("time"),
        sa.Column("status", sa.String(200), nullable=False),
        sa.Column("model_id", sa.Integer, sa.ForeignKey("models.id"), nullable=False),
        sa.Column("curves", sa.LargeBinary, nullable=False),
        **ROWS,
    )
    op.create_table(
        "current",
        _machine(),
        _label("component"),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(200), nullable=False),
        sa.Column("standing", sa.String(20), nullable=False),
        sa.Column("rank", sa.Double, nullable=False),
        sa.Column("threshold", sa.Double, nullable=False),
        sa.Column("curve", sa.JSON, nullable=False),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("life", sa.JSON, nullable=False),
        **ROWS,
    )
    op.create_index("current_by_rank", "current", ["rank", "machine_id", "component"])
    op.create_index("current_by_standing", "current", ["standing", "rank", "machine_id", "component"])


def _alarms() -> None:
    op.create_table(
        "alarms",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("machine_id", sa.Integer, sa.ForeignKey("machines.id"), nullable=False),
        sa.Column("component", sa.String(200), nullable=False),
        sa.Column("opened", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.BigInteger),
        sa.Column("end_reason", sa.String(20)),
        sa.Column("risk", sa.Double, nullable=False),
        sa.Column("threshold", sa.Double, nullable=False),
        sa.Column("raised_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("finding", sa.String(20)),
        sa.Column("assignee", sa.String(200), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("alarms_by_pair", "alarms", ["machine_id", "component", "opened"], unique=True)
    op.create_index("alarms_by_state", "alarms", ["state", "id"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("alarm_id", sa.Integer, sa.ForeignKey("alarms.id"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("before", sa.JSON, nullable=False),
        sa.Column("after", sa.JSON, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("ix_audit_alarm_id", "audit", ["alarm_id"])


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("revoked", sa.BigInteger),
    )
