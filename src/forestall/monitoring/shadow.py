"""How a challenger in shadow compares with the champion, and whether it is fit to be promoted.

Both are judged on the same decisions: since the challenger began to score beside this champion, without the newest
decision, which it may be about to score. Where machines have clocks of their own, each machine's begin with its first
decision in shadow. Alarms are those that each would have raised by its own thresholds and risks, by the champion's
rules, as if none had been open when the shadow began; what became of them is judged by their times alone, for people
saw only the champion's. Where they acted on one, the failure did not come, and the alarm is undetermined: that leans
against the champion. Times are ticks.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forestall.data.dataset import Dataset
from forestall.features.labels import OPINION
from forestall.monitoring.rates import rate_change
from forestall.monitoring.service import Window
from forestall.monitoring.shadow_alarms import Judged, Known, Thoughts, judged
from forestall.monitoring.shadow_limits import SHADOW_LIMITS, ShadowLimits
from forestall.serving.plant import Plant
from forestall.training.judging import fleet_weeks

MISSING = "not scored"  # instead of why there is no opinion


@dataclass(frozen=True)
class Work:
    """What scoring in shadow took: how often a machine was scored, the seconds of both, and what failed."""

    machines: int = 0
    seconds: float = 0.0
    champion_seconds: float = 0.0
    failures: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Difference:
    """Of a component's risks that both gave: how many, challenger less champion in the mean, the largest either way,
    and the share on the same side of each model's own threshold.
    """

    risks: int
    mean: float
    largest: float
    same_side: float


@dataclass(frozen=True)
class Check:
    """One thing that a challenger must have shown: what was asked, what was seen, and whether that is enough."""

    name: str
    seen: str
    wanted: str
    passed: bool


@dataclass(frozen=True)
class Comparison:
    """What was found.

    span: the first and last decision compared; None without any. both: machines' decisions at which both have an
    opinion; champion_alone, challenger_alone: those at which one has, by why the other has none. champion, challenger:
    their alarms.
    """

    span: tuple[int, int] | None
    both: int
    champion_alone: dict[str, int]
    challenger_alone: dict[str, int]
    differences: dict[str, Difference]
    champion: Judged
    challenger: Judged
    work: Work
    checks: tuple[Check, ...]

    @property
    def is_fit(self) -> bool:
        """Whether all was shown."""
        return all(one.passed for one in self.checks)


def comparison(
    champion: Thoughts,
    challenger: Thoughts,
    known: Known,
    plant: Plant,
    since: int,
    work: Work,
    limits: ShadowLimits = SHADOW_LIMITS,
) -> Comparison:
    """Compare them.

    Args:
        plant: the champion's: both are judged by its rules and costs. since: the decision at which the shadow began.
    """
    champion, challenger = _in_common(champion, challenger, since, plant.dataset)
    pairs = _pairs(champion, challenger)
    ours, theirs = (pairs[name] == OPINION for name in ("ours", "theirs"))
    times = champion.decisions["time"]
    until = int(times.max()) if len(times) else since + 1
    window = Window(-(2**62) if plant.dataset.own_clocks else since, until)
    if plant.dataset.own_clocks:
        window = Window(window.after, 2**62)
    one, other = (judged(thoughts, known, plant, window) for thoughts in (champion, challenger))
    differences = _differences(champion, challenger, pairs[ours & theirs])
    return Comparison(
        span=(int(times.min()), until) if len(times) else None,
        both=int((ours & theirs).sum()),
        champion_alone=dict(Counter(pairs.loc[theirs & ~ours, "ours"])),
        challenger_alone=dict(Counter(pairs.loc[ours & ~theirs, "theirs"])),
        differences=differences,
        champion=one,
        challenger=other,
        work=work,
        checks=(
            _enough(pairs[ours & theirs], plant.dataset, limits),
            _none_failed(work),
            _covered(differences, champion, limits),
            _alarms(one, other, limits),
        ),
    )


def _in_common(
    champion: Thoughts, challenger: Thoughts, since: int, dataset: Dataset
) -> tuple[Thoughts, Thoughts]:
    """The decisions that are compared."""
    every = dataset.ticks(dataset.decisions.every)
    first: pd.Series[int] | int = since + 1
    last: pd.Series[int] | int = (
        int(champion.decisions["time"].max() if len(champion.decisions) else since) - every
    )
    if dataset.own_clocks:
        first = challenger.decisions.groupby("machine")["time"].min()
        last = champion.decisions.groupby("machine")["time"].max() - every

    def inside(one: Thoughts) -> Thoughts:
        machine, time = one.decisions["machine"], one.decisions["time"]
        low, high = (limit if isinstance(limit, int) else machine.map(limit) for limit in (first, last))
        return one.take(((time >= low) & (time <= high)).to_numpy(dtype=np.bool_))

    return inside(champion), inside(challenger)


def _pairs(champion: Thoughts, challenger: Thoughts) -> pd.DataFrame:
    """machine, time; why each has no opinion (theirs: the champion's), and its row, where it has one."""
    sides = []
    for name, one in (("theirs", champion), ("ours", challenger)):
        renamed = one.decisions.rename(columns={"no_opinion": name})
        sides.append(renamed.assign(**{f"{name}_row": np.arange(len(renamed))}))
    pairs = sides[0].merge(sides[1], how="outer", on=["machine", "time"])
    return pairs.fillna({"theirs": MISSING, "ours": MISSING})


def _differences(champion: Thoughts, challenger: Thoughts, pairs: pd.DataFrame) -> dict[str, Difference]:
    """Of the components that both know, at decisions at which both have an opinion."""
    rows = {name: pairs[f"{name}_row"].to_numpy(dtype=np.int64) for name in ("theirs", "ours")}
    found = {}
    for component in champion.thresholds:
        theirs = champion.column(component)[rows["theirs"]]
        ours = challenger.column(component)[rows["ours"]]
        given = ~np.isnan(theirs) & ~np.isnan(ours)
        if given.any():
            limits = [np.float32(one.thresholds[component]) for one in (champion, challenger)]
            by = ours[given].astype(np.float64) - theirs[given]
            same = (theirs[given] >= limits[0]) == (ours[given] >= limits[1])
            found[component] = Difference(
                len(by), float(by.mean()), float(np.abs(by).max()), float(same.mean())
            )
    return found


def _enough(both: pd.DataFrame, dataset: Dataset, limits: ShadowLimits) -> Check:
    weeks = fleet_weeks(both, dataset) if len(both) else 0.0
    return Check(
        "decisions at which both have an opinion",
        f"{weeks:.2f} weeks",
        f"at least {limits.weeks:g}",
        weeks >= limits.weeks,
    )


def _none_failed(work: Work) -> Check:
    return Check("machines that could not be scored", f"{work.failures:,}", "none", work.failures == 0)


def _covered(differences: dict[str, Difference], champion: Thoughts, limits: ShadowLimits) -> Check:
    given = int((~np.isnan(champion.risk)).sum())
    share = sum(one.risks for one in differences.values()) / given if given else 0.0
    return Check(
        "of the champion's opinions the challenger has, too",
        f"{100 * share:.2f} %",
        f"at least {100 * limits.coverage:g} %",
        share >= limits.coverage,
    )


def _alarms(champion: Judged, challenger: Judged, limits: ShadowLimits) -> Check:
    """The test is of its rate against so many times the champion's: see `rates`."""
    rates = [one.alarms / one.months if one.months else 0.0 for one in (champion, challenger)]
    chance = 1.0
    if champion.months and challenger.months:
        time = limits.alarm_ratio * challenger.months
        chance = rate_change(challenger.alarms, time, champion.alarms, champion.months).more
    return Check(
        "alarms per machine-month",
        f"{rates[1]:.3f}, of the champion {rates[0]:.3f}",
        f"at most {limits.alarm_ratio:g} times the champion's and what is chance",
        rates[1] <= limits.alarm_ratio * rates[0] or chance > limits.alarm_level,
    )
