"""Past failures are found by what made the risk before them, and never those that lie in the future."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from forestall.serving.patterns import NONE, PastFailures, Pattern, SimilarFailure

Row = tuple[str, str, int, int, int, float, Sequence[float]]
HOT, LOUD, BOTH = (0.4, 0.0, 0.0), (0.0, 0.4, 0.0), (0.3, 0.2, 0.0)
ROWS: list[Row] = [
    ("m1", "pump", 100, 20, 20, 0.5, LOUD),
    ("m1", "pump", 110, 10, 20, 0.5, BOTH),
    ("m2", "pump", 200, 30, NONE, 0.5, HOT),
    ("m2", "pump", 210, 20, NONE, 0.5, BOTH),
    ("m3", "seal", 100, 10, 10, 0.5, HOT),
    ("m4", "pump", 300, 40, 40, 0.5, (0.35, 0.1, 0.0)),
]


def past(rows: Sequence[Row] = ROWS, own_clocks: bool = False) -> PastFailures:
    machine, component, time, took, warned, risk, drops = zip(*rows, strict=True)
    return PastFailures(
        own_clocks=own_clocks,
        machine=np.array(machine, dtype=object),
        component=np.array(component, dtype=object),
        time=np.array(time, dtype=np.int64),
        took=np.array(took, dtype=np.int64),
        warned=np.array(warned, dtype=np.int64),
        risk=np.array(risk, dtype=np.float32),
        drops=np.array(drops, dtype=np.float32),
    )


def seen(drops: Sequence[float], risk: float = 0.5) -> Pattern:
    return Pattern(risk, np.array(drops, dtype=np.float32))


def found(
    pattern: Pattern, before: int = 1000, machine: str = "m9", own_clocks: bool = False
) -> list[SimilarFailure]:
    return past(own_clocks=own_clocks).similar(machine, "pump", pattern, before)


def test_the_same_run_up_is_found_first() -> None:
    first, *others = found(seen(HOT))
    assert first == SimilarFailure("m2", "pump", 230, first.similarity, 200, 30, None)
    assert first.similarity == pytest.approx(1.0)
    assert [one.similarity for one in others] == sorted((one.similarity for one in others), reverse=True)
    assert [one.machine for one in others] == ["m4", "m1"]


def test_a_failure_counts_once_with_its_most_similar_decision() -> None:
    assert [(one.machine, one.decided, one.took, one.warned) for one in found(seen(BOTH))] == [
        ("m2", 210, 20, None),
        ("m1", 110, 10, 20),
        ("m4", 300, 40, 40),
    ]
    assert len(past().similar("m9", "pump", seen(BOTH), 1000, most=2)) == 2


@pytest.mark.parametrize(
    ("before", "machines"), [(120, set()), (121, {"m1"}), (230, {"m1"}), (231, {"m1", "m2"})]
)
def test_what_failed_then_or_later_is_not_shown(before: int, machines: set[str]) -> None:
    assert {one.machine for one in found(seen(BOTH), before)} == machines


def test_by_clocks_of_their_own_only_the_machines_own_future_is_known() -> None:
    others = {one.machine for one in found(seen(BOTH), 120, "m1", own_clocks=True)}
    assert others == {"m2", "m4"}
    assert {one.machine for one in found(seen(BOTH), 121, "m1", own_clocks=True)} == {"m1", "m2", "m4"}


def test_another_source_is_not_similar() -> None:
    assert found(seen((0.0, 0.0, 0.4))) == []
    assert [one.machine for one in found(seen(LOUD))] == ["m1", "m2"]


def test_the_same_shares_of_another_risk_are_less_similar() -> None:
    def at(risk: float) -> list[float]:
        return [one.similarity for one in found(seen([drop * risk / 0.5 for drop in HOT], risk))]

    assert at(0.5)[0] == pytest.approx(1.0)
    assert at(0.25)[0] == pytest.approx(0.8)
    assert at(0.1) == []


@pytest.mark.parametrize(
    "pattern", [seen((0.02, 0.0, 0.0), risk=0.049), seen((0.02, 0.0, 0.0)), seen((-0.4, 0.0, 0.0))]
)
def test_a_low_risk_or_one_without_a_reason_has_none(pattern: Pattern) -> None:
    assert not pattern.tells
    assert found(pattern) == []
