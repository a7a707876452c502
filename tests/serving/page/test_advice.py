"""What waiting costs, and when the next visit is to be expected, against figures worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pytest

from forestall.data.dataset import Costs
from forestall.features.history import Spans, spans_of
from forestall.serving.opinions import Opinion
from forestall.serving.page.advice import advice, next_visit, risk_within, waiting_cost
from tests import engines, plant

HOUR, DAY = plant.HOUR, plant.DAY
SPANS = spans_of(plant.dataset())  # horizons of 12 h and 24 h, a decision each 3 h
COSTS = Costs(failure=1000.0, planned=200.0, inspection=50.0, prevented=0.8)
T = plant.START


def thought(*curve: float) -> Opinion:
    return Opinion("m0", "pump", T, "", 0.1, curve)


def frame(times: Sequence[int], component: str = "pump") -> pd.DataFrame:
    return pd.DataFrame({"machine": "m0", "time": pd.Series(times, dtype="int64"), "component": component})


NONE = frame([])


@pytest.mark.parametrize(
    ("hours", "risk"),
    [(-5, 0.0), (0, 0.0), (6, 0.1), (12, 0.2), (18, 0.35), (24, 0.5), (1000, 0.5)],
)
def test_the_risk_rises_evenly_from_one_horizon_to_the_next(hours: int, risk: float) -> None:
    assert risk_within(thought(0.2, 0.5), hours * HOUR, SPANS) == pytest.approx(risk)


def test_looking_now_or_at_a_visit_before_the_horizon_ends() -> None:
    found = advice(thought(0.2, 0.5), T + 12 * HOUR, SPANS, COSTS)
    caught = 0.8 * 200 + 0.2 * 1000  # 360
    assert found.now == pytest.approx(0.5 * caught + 0.5 * 50)  # 205
    assert found.later == pytest.approx(0.2 * 1000 + 0.3 * caught)  # 308
    assert found.before == pytest.approx(0.2) and found.act_now and not found.beyond
    assert found.later - found.now == pytest.approx(103)


def test_a_visit_after_the_horizon_leaves_the_whole_risk() -> None:
    at_the_end = advice(thought(0.0, 0.05), T + 24 * HOUR, SPANS, COSTS)
    after = advice(thought(0.0, 0.05), T + 25 * HOUR, SPANS, COSTS)
    assert (at_the_end.beyond, after.beyond) == (False, True)
    assert after.later == at_the_end.later == pytest.approx(50)
    assert after.now == pytest.approx(0.05 * 360 + 0.95 * 50)  # 65.5
    assert not after.act_now and after.later - after.now == pytest.approx(-15.5)


def test_a_part_that_cannot_fail_can_wait_and_one_that_will_cannot() -> None:
    assert not advice(thought(0.0, 0.0), T + HOUR, SPANS, COSTS).act_now
    assert advice(thought(1.0, 1.0), T + 12 * HOUR, SPANS, COSTS).act_now
    # A visit at once is looking now with nothing to pay for finding nothing.
    at_once = advice(thought(0.5, 0.9), T, SPANS, COSTS)
    assert at_once.now - at_once.later == pytest.approx(0.1 * 50)


@pytest.mark.parametrize("hours", [-3, 0, 6, 12, 500])
@pytest.mark.parametrize("curve", [(0.0, 0.0), (0.2, 0.5), (1.0, 1.0)])
@pytest.mark.parametrize("planned", [0.0, 200.0, 5000.0])
def test_waiting_never_costs_less_than_nothing(
    hours: int, curve: tuple[float, float], planned: float
) -> None:
    costs = COSTS.model_copy(update={"planned": planned})
    assert waiting_cost(thought(*curve), hours * HOUR, SPANS, costs) >= 0


def test_waiting_costs_what_a_breakdown_costs_more() -> None:
    assert waiting_cost(thought(0.2, 0.5), 12 * HOUR, SPANS, COSTS) == pytest.approx(0.2 * 0.8 * 800)


def on(day: float) -> int:
    return T + round(day * DAY)


def at(*days: float) -> list[int]:
    return [on(day) for day in days]


def test_visits_go_on_in_their_rhythm() -> None:
    visits = frame(at(0, 10, 20, 31))
    for now, expected in ((32, 41), (40.9, 41), (41, 51), (41.5, 51), (61.5, 71)):
        assert next_visit(visits, NONE, on(now), SPANS) == T + expected * DAY, now


def test_what_is_expected_is_always_to_come() -> None:
    visits = frame(at(0, 10, 20))
    for quarter in range(80, 400):
        now = T + quarter * DAY // 4
        found = next_visit(visits, NONE, now, SPANS)
        assert found is not None and now < found <= now + 10 * DAY


def test_too_few_visits_make_no_rhythm() -> None:
    for days in ((), (0,), (0, 10)):
        assert next_visit(frame(at(*days)), NONE, on(12), SPANS) is None
    # Two parts at one visit are one visit.
    both = pd.concat([frame(at(0, 10)), frame(at(0.01, 10.01), "seal")])
    assert next_visit(both, NONE, on(12), SPANS) is None


def test_a_repair_after_a_failure_is_no_visit() -> None:
    visits, repair = at(0, 10, 20), at(24)
    done = frame(sorted(visits + repair))
    failed = frame([repair[0] - 5 * HOUR])
    assert next_visit(done, failed, on(25), SPANS) == T + 30 * DAY
    for other in (NONE, frame([repair[0] - 25 * HOUR]), frame([repair[0] - 5 * HOUR], "seal")):
        assert next_visit(done, other, on(25), SPANS) == T + 34 * DAY


def test_only_the_latest_visits_make_the_rhythm() -> None:
    weekly, daily = [7 * week for week in range(20)], [133 + day for day in range(1, 10)]
    assert next_visit(frame(at(*weekly, *daily)), NONE, on(142.5), SPANS) == T + 143 * DAY


@pytest.fixture(scope="module")
def cycles() -> Spans:
    return spans_of(engines.dataset())


def test_a_counter_has_visits_too(cycles: Spans) -> None:
    assert next_visit(frame([50, 100, 150], "machine"), NONE, 160, cycles) == 200
    opinion = Opinion("5", "machine", 160, "", 0.1, (0.6,))
    assert risk_within(opinion, 10, cycles) == pytest.approx(0.2)  # 10 of 30 cycles
    found = advice(opinion, 175, cycles, COSTS)
    assert found.before == pytest.approx(0.3)
    assert found.later == pytest.approx(0.3 * 1000 + 0.3 * 360)
