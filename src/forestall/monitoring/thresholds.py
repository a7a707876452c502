"""When something is beyond chance, in one place; what is told to people, and how soon, is in `alert_levels`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """When something is beyond chance, and when it holds. Windows end with whole weeks and move by one week.

    k, n: what is found holds if k of the last n windows and the latest are beyond.
    alarm_rate_weeks: weeks in a window of alarms; alarms are rare.
    alarm_rate_level: a two-sided p at or below it is beyond.
    psi_level: share of draws of the reference whose PSI is above the threshold; windows of risks and inputs are a week.
    psi_draws: how many draws.
    risk_least: PSI of risks that is worth a person's time, however sure it is that there is a shift.
    input_least: the same of inputs and of abstentions, which explain and do not page.
    outcome_horizons: the outcome window: so many times the longest horizon, up to now.
    calibration_level: a p-value below it says that other failures came than the risks let expect.
    calibration_failures: with fewer known failures nothing is estimated.
    change_horizons: how many longest horizons lie between the ends of the two periods whose mean risks are compared.
    change_machines: of how many machines at most the risks are worked out again, where they have to be.
    """

    k: int = 2
    n: int = 3
    alarm_rate_weeks: int = 4
    alarm_rate_level: float = 0.001
    psi_level: float = 0.01
    psi_draws: int = 500
    risk_least: float = 0.25
    input_least: float = 0.1
    outcome_horizons: int = 13
    calibration_level: float = 0.001
    calibration_failures: int = 10
    change_horizons: int = 4
    change_machines: int = 500


THRESHOLDS = Thresholds()
