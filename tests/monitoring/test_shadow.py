"""How a challenger compares with the champion, case by case, and when it is fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forestall.features.labels import SHORT, STALE
from forestall.monitoring.shadow import MISSING, Comparison, Work, comparison
from forestall.monitoring.shadow_alarms import Known, Thoughts
from forestall.monitoring.shadow_limits import SHADOW_LIMITS
from forestall.monitoring.shadow_report import markdown
from forestall.serving.bundle import Bundle
from tests.monitoring.in_service import PLANT, Event, at, event_frame
from tests.plant import DAY, HOUR

STEP, SINCE = 3 * HOUR, at(10)
MACHINES = ("m0", "m1", "m2", "m3")
WORK = Work(machines=400, seconds=2.0, champion_seconds=1.0)
Highs = Mapping[tuple[str, str], Sequence[float]]  # of a part, the days at which its risk is 0.9


def thoughts(
    highs: Highs | None = None,
    days: float = 20,
    thresholds: Mapping[str, float] | None = None,
    base: float = 0.01,
    since: int = SINCE,
) -> Thoughts:
    """A low risk at every decision of some days, but for a few."""
    times = np.arange(since, since + round(days * DAY) + 1, STEP)
    index = pd.MultiIndex.from_product([MACHINES, times])
    thresholds = thresholds or {"pump": 0.5, "seal": 0.5}
    risk = np.full((len(index), len(thresholds)), base, dtype=np.float32)
    for (machine, component), when in (highs or {}).items():
        for day in when:
            risk[index.get_loc((machine, at(day))), list(thresholds).index(component)] = 0.9
    frame = pd.DataFrame({"machine": index.get_level_values(0), "time": index.get_level_values(1)})
    return Thoughts(frame.astype({"machine": object}).assign(no_opinion=""), risk, thresholds)


def found(
    champion: Thoughts,
    challenger: Thoughts,
    failures: Sequence[Event] = (),
    maintenance: Sequence[Event] = (),
    work: Work = WORK,
) -> Comparison:
    known = Known(event_frame(failures), event_frame(maintenance), set(), {})
    return comparison(champion, challenger, known, PLANT, SINCE, work)


def failed(one: Comparison) -> list[str]:
    return [check.name for check in one.checks if not check.passed]


def without(one: Thoughts, rows: np.ndarray, why: str = "") -> Thoughts:
    """Without some decisions, or without an opinion at them."""
    if not why:
        return one.take(~rows)
    risk = one.risk.copy()
    risk[rows] = np.nan
    decisions = one.decisions.assign(no_opinion=np.where(rows, why, one.decisions["no_opinion"]))
    return Thoughts(decisions, risk, one.thresholds)


def test_the_same_model_is_fit_and_differs_in_nothing() -> None:
    highs = {("m0", "pump"): [12, 15], ("m1", "seal"): [20]}
    one = found(thoughts(highs), thoughts(highs), [("m0", 12.5, "pump")])
    assert one.is_fit and failed(one) == []
    assert one.champion == one.challenger and one.champion.alarms == 3
    assert {name: (d.mean, d.largest, d.same_side) for name, d in one.differences.items()} == {
        "pump": (0.0, 0.0, 1.0),
        "seal": (0.0, 0.0, 1.0),
    }
    # From the first decision after the one at which it began, without the newest.
    assert one.span == (SINCE + STEP, at(30) - STEP)
    assert one.both == len(MACHINES) * (20 * 8 - 1) and one.champion_alone == one.challenger_alone == {}


def test_risks_are_compared_by_part_each_with_its_own_threshold() -> None:
    champion = thoughts({("m0", "pump"): [15]}, thresholds={"pump": 0.5, "seal": 0.5})
    challenger = thoughts(
        {("m0", "pump"): [15], ("m1", "seal"): [16]}, thresholds={"seal": 0.95, "pump": 0.9}, base=0.03
    )
    one = found(champion, challenger)
    cells = len(MACHINES) * 159
    pump, seal = one.differences["pump"], one.differences["seal"]
    assert pump.risks == seal.risks == cells
    assert pump.mean == pytest.approx(0.02 * (cells - 1) / cells, abs=1e-6)
    assert pump.largest == pytest.approx(0.02, abs=1e-6) and pump.same_side == 1.0
    assert seal.largest == pytest.approx(0.89, abs=1e-6) and seal.same_side == 1.0
    assert (one.champion.alarms, one.challenger.alarms) == (1, 1)
    lower = found(champion, replace(challenger, thresholds={"seal": 0.9, "pump": 0.9}))
    assert lower.differences["seal"].same_side == pytest.approx(1 - 1 / cells)
    assert lower.challenger.alarms == 2


def test_what_became_of_each_ones_alarms() -> None:
    champion = thoughts({("m0", "pump"): [15], ("m2", "seal"): [29.5]})
    challenger = thoughts({("m0", "pump"): [15, 18], ("m1", "seal"): [20], ("m2", "seal"): [22]})
    failures = [("m0", 15.5, "pump"), ("m1", 20.5, "seal"), ("m3", 25, "pump")]
    one = found(champion, challenger, failures, maintenance=[("m2", 22.5, "seal")])
    names = ("right", "false", "undetermined", "pending_alarms", "failures", "caught")
    assert [one.champion.figures[name] for name in names] == [1, 0, 0, 1, 3, 1]
    assert [one.challenger.figures[name] for name in names] == [2, 1, 1, 0, 3, 2]
    costs = [side.figures["cost_per_machine_month"] for side in (one.champion, one.challenger)]
    assert costs[1] < costs[0]  # a breakdown less, for two inspections more
    months = len(MACHINES) * 159 / 8 / 30.4375
    assert one.champion.months == one.challenger.months == pytest.approx(months)


def test_opinions_that_one_alone_has_are_told_by_why() -> None:
    champion, challenger = thoughts(), thoughts()
    day = (champion.decisions["time"] // DAY).to_numpy()
    machine = (champion.decisions["machine"] == "m1").to_numpy()
    first = at(12) // DAY
    champion = without(champion, (day == first) & machine, STALE)
    challenger = without(challenger, (day == first + 1) & machine, SHORT)
    challenger = without(challenger, (day == first + 2) & machine)
    one = found(champion, challenger)
    assert one.challenger_alone == {STALE: 8} and one.champion_alone == {SHORT: 8, MISSING: 8}
    assert one.both == len(MACHINES) * 159 - 24
    assert failed(one) == ["of the champion's opinions the challenger has, too"]
    assert found(
        thoughts(), without(thoughts(), (day == first) & machine & (np.arange(len(day)) % 2 == 0))
    ).is_fit


def test_an_opinion_of_some_parts_alone_is_not_one_of_all() -> None:
    one = found(thoughts(), thoughts(thresholds={"pump": 0.5}))
    assert failed(one) == ["of the champion's opinions the challenger has, too"]
    assert list(one.differences) == ["pump"] and one.challenger.figures["alarms"] == 0


def test_a_failure_to_score_and_too_few_weeks_are_not_fit() -> None:
    one = found(thoughts(), thoughts(), work=replace(WORK, failures=1, problem="KeyError: ''"))
    assert failed(one) == ["machines that could not be scored"]
    week = SHADOW_LIMITS.weeks * 7
    # The decision at which it began is not compared, nor is the newest.
    assert found(thoughts(days=week + 1 / 8), thoughts(days=week + 1 / 8)).is_fit
    short = found(thoughts(days=week), thoughts(days=week))
    assert failed(short) == ["decisions at which both have an opinion"]


def test_before_anything_was_scored_it_is_not_fit_and_says_so(bundle: Bundle) -> None:
    nothing = thoughts().take(np.zeros(len(thoughts().decisions), dtype=np.bool_))
    for champion in (nothing, thoughts()):
        one = found(champion, nothing, work=Work())
        assert not one.is_fit and one.both == 0 and one.differences == {}
        text = markdown(one, "aaa", "bbb", bundle.reference)
        assert "NOT fit" in text and ("no decision to compare" in text) == (champion is nothing)


def raised(count: int) -> Thoughts:
    """So many alarms, two days apart, that no other one keeps open."""
    parts = [(machine, part) for machine in MACHINES for part in ("pump", "seal")]
    spots = [(parts[n % len(parts)], 11 + 2 * (n // len(parts))) for n in range(count)]
    return thoughts({part: [day for other, day in spots if other == part] for part in parts})


@pytest.mark.parametrize(
    ("champion", "challenger", "is_fit"),
    [
        (0, 5, True),
        (0, 8, False),
        (8, 12, True),
        (8, 22, True),
        (8, 30, False),
        (24, 36, True),
        (24, 60, False),
    ],
)
def test_more_alarms_than_chance_explains_are_not_fit(champion: int, challenger: int, is_fit: bool) -> None:
    one = found(raised(champion), raised(challenger))
    assert (one.champion.alarms, one.challenger.alarms) == (champion, challenger)
    assert failed(one) == ([] if is_fit else ["alarms per machine-month"])


def test_the_report_has_it_all(bundle: Bundle) -> None:
    champion = thoughts({("m0", "pump"): [15]})
    challenger = without(thoughts(base=0.02), (champion.decisions["time"] == at(12)).to_numpy(), SHORT)
    one = found(champion, challenger, work=replace(WORK, failures=2, problem="ValueError: a|b"))
    text = markdown(one, "aaa", "bbb", bundle.reference)
    assert text.startswith("## Shadow: NOT fit to be promoted\n\nbbb, beside aaa, 2024-01-11T03:00:00Z to ")
    assert "| machines that could not be scored | 2 | none | **not passed** |" in text
    assert f"of the champion alone: 4 (for the other one: {SHORT} 4)" in text
    assert "To score a machine took 5.00 ms, the champion 2.50 ms." in text
    assert "| all | 1 | 0 |" in text and "ValueError" in text


def test_machines_with_clocks_of_their_own_begin_with_their_own_first_decision() -> None:
    from tests import engines

    dataset = engines.dataset()
    plant = replace(PLANT, dataset=dataset)
    every = dataset.ticks(dataset.decisions.every)
    (component,) = dataset.components
    frames = [
        pd.DataFrame({"machine": name, "time": np.arange(first, last + 1, every), "no_opinion": ""})
        for name, first, last in (("1", 40, 120), ("2", 5, 60))
    ]
    decisions = pd.concat(frames, ignore_index=True).astype({"machine": object})
    risk = np.full((len(decisions), 1), 0.1, dtype=np.float32)
    champion = Thoughts(decisions, risk, {component: 0.5})
    late = (decisions["machine"] == "1") & (decisions["time"] < 80)
    known = Known(event_frame([]), event_frame([]), set(), {"1": 120, "2": 60})
    one = comparison(champion, champion.take(~late.to_numpy()), known, plant, 999, WORK)
    assert one.champion_alone == {} and one.both == len(decisions) - late.sum() - 2
