"""The tables. Times are ticks, as everywhere past the reader; those of alarms' changes, keys and sessions are seconds
since 1970: `raised_at`, `at`, `created`, `revoked`, `seen`, `expires`.

What changes here needs a migration in `migrations/versions`; a test compares the two. Those of a model in shadow are in
`shadow_tables`.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

# The dataset whose machines these are: one row, from the first bundle on.
plant = Table("plant", metadata, Column("name", String(200), primary_key=True))

# In which order a reading's values are packed: positions are added and never change.
sensors = Table(
    "sensors",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False, unique=True),
)

# first, last: times of the earliest and latest reading. version counts changes, scored_version is the
# one that was scored last. changed: the earliest time of which
# something new is known since the machine was scored; unsettled: the earliest renewal of a baseline that it may alter.
# model_id: of the model that scored it last.
machines = Table(
    "machines",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("attributes", JSON, nullable=False),
    Column("first", BigInteger),
    Column("last", BigInteger),
    Column("version", BigInteger, nullable=False),
    Column("scored_version", BigInteger, nullable=False),
    Column("changed", BigInteger),
    Column("unsettled", BigInteger),
    Column("scored_until", BigInteger),
    Column("model_id", Integer, ForeignKey("models.id")),
)


def machine() -> Column[int]:
    return Column("machine_id", Integer, ForeignKey("machines.id"), primary_key=True, autoincrement=False)


def key(name: str) -> Column[int]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def _label(name: str) -> Column[str]:
    return Column(name, String(200), primary_key=True)


# One row a machine and time: with the machine first, a machine's last weeks lie side by side.
readings = Table(
    "readings",
    metadata,
    machine(),
    key("time"),
    Column("running", Boolean, nullable=False),
    Column("values", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

errors = Table("errors", metadata, machine(), key("time"), _label("code"), sqlite_with_rowid=False)

# source: `plant` for rows of the plant's own tables, `feedback` for what people said of an alarm.
maintenance = Table(
    "maintenance",
    metadata,
    machine(),
    key("time"),
    _label("component"),
    Column("source", String(20), nullable=False),
    sqlite_with_rowid=False,
)

failures = Table(
    "failures",
    metadata,
    machine(),
    key("time"),
    _label("component"),
    Column("source", String(20), nullable=False),
    sqlite_with_rowid=False,
)

downtime = Table(
    "downtime",
    metadata,
    machine(),
    key("start"),
    Column("end", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# kind: a digest of all that a baseline depends on besides the readings; values: float64 [sensors, 2 + conditions].
baselines = Table(
    "baselines",
    metadata,
    machine(),
    _label("kind"),
    key("time"),
    Column("values", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# What was thought at each decision: one row a machine. curves: float32 [components, horizons] of the model, NaN where
# there is none; no_opinion: why there is none of any component.
risks = Table(
    "risks",
    metadata,
    machine(),
    key("time"),
    Column("no_opinion", String(200), nullable=False),
    Column("model_id", Integer, ForeignKey("models.id"), nullable=False),
    Column("curves", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# How the model's inputs were spread in a machine's week. kind: a digest of the bins; until: the last decision counted;
# counts: int32 [bins].
input_counts = Table(
    "input_counts",
    metadata,
    machine(),
    _label("kind"),
    key("start"),
    Column("until", BigInteger, nullable=False),
    Column("counts", LargeBinary, nullable=False),
    Index("input_counts_by_start", "kind", "start"),
    sqlite_with_rowid=False,
)

# The bundles that have scored here; digest: of the bundle's manifest.
models = Table(
    "models",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("components", JSON, nullable=False),
    Column("horizons", JSON, nullable=False),
)

# The last opinion of each machine and component. no_risk: why there is none. status: as lists are filtered by it.
# rank: less the risk over the longest horizon, soon: over the shortest; above 0 where there is none: the worst first,
# so that a page is a piece of the index.
current = Table(
    "current",
    metadata,
    machine(),
    _label("component"),
    Column("time", BigInteger, nullable=False),
    Column("no_risk", String(200), nullable=False),
    Column("status", String(20), nullable=False),
    Column("rank", Double, nullable=False),
    Column("soon", Double, nullable=False),
    Column("threshold", Double, nullable=False),
    Column("curve", JSON, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("life", JSON, nullable=False),
    Index("current_by_rank", "rank", "machine_id", "component"),
    Index("current_by_status", "status", "rank", "machine_id", "component"),
    Index("current_by_soon", "soon", "machine_id", "component"),
    Index("current_by_status_soon", "status", "soon", "machine_id", "component"),
    Index("current_by_no_risk", "status", "no_risk", "machine_id", "component"),
    sqlite_with_rowid=False,
)

# opened, ended: decisions, by the rules of training/alarms.py; state and what follows it: what people made of it.
alarms = Table(
    "alarms",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("machine_id", Integer, ForeignKey("machines.id"), nullable=False),
    Column("component", String(200), nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("end_reason", String(20)),
    Column("risk", Double, nullable=False),
    Column("threshold", Double, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    Column("state", String(20), nullable=False),
    Column("finding", String(20)),
    Column("assignee", String(200), nullable=False),
    Column("note", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Index("alarms_by_pair", "machine_id", "component", "opened", unique=True),
    Index("alarms_by_state", "state", "id"),
    Index("alarms_by_standing", "state", "ended"),
    Index("alarms_by_opened", "opened"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alarm_id", Integer, ForeignKey("alarms.id"), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("who", String(200), nullable=False),
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
    Column("note", Text, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("revoked", BigInteger),
)

# Who is signed in on the page; digest: of the token that the browser holds.
sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("key_id", String(20), ForeignKey("keys.id"), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
