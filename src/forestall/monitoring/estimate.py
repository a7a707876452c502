"""How the model probably does, before it is known: estimates from its own risks, only where calibration holds.

If risks are calibrated, the number of failures at decisions that do not overlap is a sum of independent draws with
those chances, Poisson-binomial; its mean is the sum of the risks. The same idea estimates a classifier's accuracy
without labels: Guillory et al., "Predicting with Confidence on Unseen Distributions", ICCV 2021. It says nothing where
risks are off, so it is tested first on outcomes that are known: of decisions, and of alarms at their opening, because
an alarm opens where risk happens to be high.

Independence is assumed: a cause that many machines share makes the true spread wider than the one given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.training.series import Bools, Floats

TOO_FEW = "too few known failures"
MORE = "more failures than the risks say"
FEWER = "fewer failures than the risks say"


@dataclass(frozen=True)
class Estimate:
    """An estimated figure and its standard deviation, by chance alone."""

    value: float
    sd: float


@dataclass(frozen=True)
class Check:
    """Known outcomes against the risks that were given.

    count: how many outcomes. expected, sd: failures by the risks. failures: those that came; at_most: with those that
    replacements after an alarm may have hidden. p_value: how likely so far from expected is, two-sided, whatever was
    hidden. withheld: why no estimate rests on these risks (`TOO_FEW`, `MORE`, `FEWER`), or empty.
    """

    count: int
    expected: float
    sd: float
    failures: int
    at_most: int
    p_value: float
    withheld: str


@dataclass(frozen=True)
class Estimated:
    """Estimates of one component; None where its check withholds them, or there is nothing to estimate from.

    decisions, alarms: the checks, of risks at decisions and of risks at the opening of alarms. coming: how many
    failures are expected in the next horizon; pending: how many in the last one, of which not all may be known yet.
    alarm_precision: of the alarms whose outcome is pending, the share that will be right. event_recall: of the failures
    of the last horizon, the share that alarms foresaw.
    """

    decisions: Check
    alarms: Check
    coming: Estimate | None
    pending: Estimate | None
    alarm_precision: Estimate | None
    event_recall: Estimate | None

    @property
    def refuted(self) -> bool:
        """Whether other failures came than the risks let expect, beyond chance."""
        return self.decisions.withheld in (MORE, FEWER)


@dataclass(frozen=True)
class Known:
    """Risks [N] whose outcomes are known: whether the part failed within the horizon, or whether that was hidden."""

    risk: Floats
    failed: Bools
    hidden: Bools


def estimated(
    decisions: Known, alarms: Known, now: Floats, before: Floats, opened: Floats, level: float, least: int
) -> Estimated:
    """The estimates of one component.

    Args:
        decisions, alarms: what is known: of decisions that do not overlap, and of alarms at their opening.
        now, before: risks of all machines at the last decision, and at the one a horizon before.
        opened: risks at their opening of the alarms since then, the first one a machine.
        level: below which p-value calibration is refuted. least: with fewer known failures nothing is estimated.

    Raises:
        ValueError: see `checked`.
    """
    about, of_alarms = (checked(one, level, least) for one in (decisions, alarms))
    holds, both = not about.withheld, not (about.withheld or of_alarms.withheld)
    return Estimated(
        decisions=about,
        alarms=of_alarms,
        coming=expected_count(now) if holds and len(now) else None,
        pending=expected_count(before) if holds and len(before) else None,
        alarm_precision=None if of_alarms.withheld else expected_share(opened),
        event_recall=expected_recall(opened, before) if both else None,
    )


def known_after(cells: pd.DataFrame, failures: pd.DataFrame, hidden: pd.DataFrame, horizon: int) -> Known:
    """What is known to have followed decisions.

    Args:
        cells: machine, component, time, risk. failures, hidden: machine, component, time: when parts failed, and when
            they were replaced after an alarm. horizon: ticks.
    """
    cells = cells.sort_values("time", kind="stable")
    failed, replaced = (_follows(cells, events, horizon) for events in (failures, hidden))
    return Known(cells["risk"].to_numpy(dtype=np.float64), failed, replaced)


def _follows(cells: pd.DataFrame, events: pd.DataFrame, horizon: int) -> Bools:
    """Whether an event of the part follows within (time, time + horizon], in the order of the cells."""
    if cells.empty or events.empty:
        return np.zeros(len(cells), dtype=np.bool_)
    # Texts of two kinds do not match.
    kinds = {"machine": object, "component": object, "time": np.int64}
    cells, events = (frame[list(kinds)].astype(kinds) for frame in (cells, events))
    found = pd.merge_asof(
        cells,
        events.sort_values("time").assign(there=True),
        on="time",
        by=["machine", "component"],
        direction="forward",
        allow_exact_matches=False,
        tolerance=horizon,
    )
    follows: Bools = found["there"].notna().to_numpy()
    return follows


def checked(known: Known, level: float, least: int) -> Check:
    """Whether the failures that came are as many as the risks say.

    The test is exact and two-sided, p = 2 min(P(X >= failures), P(X <= at_most)) at most 1; where replacements hide
    failures, it refutes only what no number of hidden ones would explain.

    Raises:
        ValueError: a risk is no probability, or `level` is not in (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"level: {level} is not between 0 and 1")
    chance = poisson_binomial(known.risk)
    failures = int(known.failed.sum())
    at_most = failures + int((known.hidden & ~known.failed).sum())
    more, fewer = float(chance[failures:].sum()), float(chance[: at_most + 1].sum())
    value, mean = min(1.0, 2 * min(more, fewer)), expected_count(known.risk)
    withheld = TOO_FEW if failures < least else ""
    if value < level:
        withheld = MORE if more < fewer else FEWER
    return Check(len(known.risk), mean.value, mean.sd, failures, at_most, value, withheld)


def poisson_binomial(risk: Floats) -> Floats:
    """The chances [N + 1] of 0 to N events, of independent ones with these chances [N].

    The generating functions 1 - p + p z are multiplied pairwise by FFT, exact up to rounding of about 1e-15; compare
    Hong, "On computing the distribution function for the Poisson binomial distribution", Computational Statistics and
    Data Analysis 59, 2013.

    Raises:
        ValueError: one is no probability.
    """
    risk = np.asarray(risk, dtype=np.float64)
    if not ((risk >= 0) & (risk <= 1)).all():
        raise ValueError("A risk is not between 0 and 1.")
    size = 1 << max(len(risk) - 1, 0).bit_length()
    padded = np.pad(risk, (0, size - len(risk)))
    factors: Floats = np.column_stack([1 - padded, padded])
    while len(factors) > 1:
        width = factors.shape[1]
        spectrum = np.fft.rfft(factors, 2 * width, axis=1)
        factors = np.fft.irfft(spectrum[::2] * spectrum[1::2], 2 * width, axis=1)[:, : 2 * width - 1]
    found: npt.NDArray[np.float64] = np.clip(factors[0][: len(risk) + 1], 0.0, 1.0)
    return found


def expected_count(risk: Floats) -> Estimate:
    """How many of independent events come, with their chances [N]."""
    return Estimate(float(risk.sum()), float(np.sqrt((risk * (1 - risk)).sum())))


def expected_share(risk: Floats) -> Estimate | None:
    """Which share of them comes; None of none."""
    if not len(risk):
        return None
    whole = expected_count(risk)
    return Estimate(whole.value / len(risk), whole.sd / len(risk))


def expected_recall(opened: Floats, risk: Floats) -> Estimate | None:
    """Which share of the failures alarms will have foreseen; None where none is expected.

    Expected right alarms / expected failures, at most 1. It counts alarms that come later than `min_lead` before the
    failure, too, and alarms and failures of one span, not of each other: right in a steady state. Failures are those
    foreseen and others, taken as independent: with share r of F expected ones, A foreseen (variance a) and variance f
    of all, var(r) = ((1 - r)^2 a + r^2 (f - a)) / F^2, to first order.
    """
    caught, failures = expected_count(opened), expected_count(risk)
    if not failures.value:
        return None
    share = min(caught.value / failures.value, 1.0)
    missed = max(failures.sd**2 - caught.sd**2, 0.0)
    variance = (1 - share) ** 2 * caught.sd**2 + share**2 * missed
    return Estimate(share, float(np.sqrt(variance)) / failures.value)
