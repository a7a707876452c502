"""The tables of models that score beside the champion."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Integer, LargeBinary, String, Table, Text

from forestall.serving.store.tables import key, machine, metadata

# placed: when its link was put there, in seconds since 1970; since: the decision at which it began, in ticks: from the
# next one on all was asked of it. machines: how often one was scored; seconds: what that took, champion_seconds: what
# it took the champion; failures: machines' scorings that gave nothing; problem: of the last one.
shadows = Table(
    "shadows",
    metadata,
    Column("model_id", Integer, ForeignKey("models.id"), primary_key=True, autoincrement=False),
    Column("champion_id", Integer, ForeignKey("models.id"), nullable=False),
    Column("placed", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("machines", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("champion_seconds", Double, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("problem", Text, nullable=False),
)

# What they thought, as `risks` has it of the champion.
shadow_risks = Table(
    "shadow_risks",
    metadata,
    machine(),
    key("time"),
    Column("model_id", Integer, ForeignKey("models.id"), primary_key=True, autoincrement=False),
    Column("no_opinion", String(200), nullable=False),
    Column("curves", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
