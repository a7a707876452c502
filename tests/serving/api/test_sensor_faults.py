"""A sensor of the default fleet is off, dead or stuck: what is said, to whom, and after how many days.

It begins with the first whole week of the test fold, lasts two weeks and is repaired. Windows are whole weeks, and two
of the last three have to be beyond; what begins in the middle of a week is told up to six days later.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.serving.api.fleet_weeks import Change, Fleet
from tests.serving.api.plant_watch import (
    RATE,
    REFUTED,
    RISK,
    Started,
    changed,
    drifted,
    filled,
    fleet,
    refuted,
    sent,
    started,
    told,
)
from tests.serving.api.process import until
from tests.serving.api.scraping import scraped

__all__ = ["filled", "fleet", "started"]

SENSOR = "vibration"
SEASON = {"temperature"}  # the last quarter is colder than the reference weeks


def off(frame: pd.DataFrame) -> pd.DataFrame:
    """By two and a half standard deviations of a machine's own readings."""
    spread = frame.groupby("machine")[SENSOR].std().mean()
    return frame.assign(**{SENSOR: frame[SENSOR] + 2.5 * spread})


def dead(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{SENSOR: np.nan})


def stuck(frame: pd.DataFrame) -> pd.DataFrame:
    """At each machine's first reading of the week."""
    return frame.assign(**{SENSOR: frame.groupby("machine")[SENSOR].transform("first")})


@dataclass(frozen=True)
class Fault:
    """risks: components whose risks drift. over: those whose risks no longer do two weeks after the repair; the seal's
    drift is the season's by then. rates: components whose alarms come at another rate; refuted: of which
    other failures came than their risks let expect.
    """

    change: Change
    risks: set[str]
    over: set[str]
    rates: set[str]
    refuted: set[str]

    @property
    def alerts(self) -> set[str]:
        return {RISK} | ({RATE} if self.rates else set()) | ({REFUTED} if self.refuted else set())


FAULTS = {
    "off": Fault(off, {"bearing", "seal", "impeller"}, {"bearing", "impeller"}, {"bearing"}, {"bearing"}),
    "dead": Fault(dead, {"seal", "impeller"}, {"impeller"}, set(), {"impeller"}),
    "stuck": Fault(
        stuck, {"bearing", "seal", "motor", "impeller"}, {"bearing", "motor", "impeller"}, {"bearing"}, set()
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_sensor_is_told_of_by_what_it_does_to_risks_and_alarms_after_two_weeks(
    started: Started, filled: Path, fleet: Fleet, name: str
) -> None:
    fault = FAULTS[name]
    with started(filled, fleet) as (weeks, seen):
        week = weeks.passes(fault.change)
        assert drifted(week, "input") | drifted(week, "risk") | changed(week) == set()
        week = weeks.passes(fault.change)
        assert seen.told == []
        assert drifted(week, "input") == {SENSOR} | SEASON  # which explains, and is told to nobody
        assert (drifted(week, "risk"), changed(week)) == (fault.risks, fault.rates)
        told(seen, RISK, *fault.risks)
        if fault.rates:
            told(seen, RATE, *fault.rates)

        weeks.passes()  # windows of features reach back into the fault, for a week
        week = weeks.passes()
        assert drifted(week, "risk") == fault.risks - fault.over
        told(seen, RISK, *fault.over, status="resolved")
        assert changed(week) == fault.rates  # a window of four weeks
        until(lambda: refuted(scraped(weeks.api)) == fault.refuted)
        if fault.refuted:
            told(seen, REFUTED, *fault.refuted)
        assert sent(seen) == {("tickets", alert) for alert in fault.alerts}
