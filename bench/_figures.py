"""Tables and the figure of bench/monitoring.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binomtest

from _monitors import ALERTS, INPUTS, MONITORS, OPINIONS, RATE, RISK
from forestall.monitoring.alert_levels import Durations
from _trials import episodes, over_all

Floats = npt.NDArray[np.float64]
DRAWS, SEED, DAYS = 2000, 0, 56.0
YEAR = 365.25 / 7  # in weeks
HOUR = 3600.0
STYLES = dict(zip(MONITORS, ("-", "-", "-", ":"), strict=True))
STALE = 24 * HOUR  # decisions.stale of the simulated plant


def found_table(trials: pd.DataFrame) -> pd.DataFrame:
    """By fault and monitor: the share of plants in which it is found in time, and the days it takes."""
    rows = []
    for (fault, monitor), some in trials.groupby(["fault", "monitor"], sort=False):
        delays = some["delay"].to_numpy(dtype=np.float64)
        found, quiet = (
            int(np.isfinite(delays).sum()),
            np.isfinite(some["from silence"].to_numpy(dtype=np.float64)),
        )
        interval = binomtest(found, len(delays)).proportion_ci()
        between = " to ".join(days(one) for one in median_interval(delays))
        rows.append({
            "fault": fault,
            "monitor": monitor,
            "found, %": f"{100 * found / len(delays):.0f} ({100 * interval.low:.0f} to {100 * interval.high:.0f})",
            "median, days": f"{days(over_all(delays, 0.5))} ({between})",
            "p90, days": days(over_all(delays, 0.9)),
            "found where all was silent, %": f"{100 * quiet.mean():.0f}",
        })  # fmt: skip
    return pd.DataFrame(rows)


def days(delay: float) -> str:
    """A delay in words."""
    return f"{delay:.1f}" if np.isfinite(delay) else f"> {DAYS:.0f}"


def median_interval(delays: Floats) -> tuple[float, float]:
    """95 % of the medians of draws of the plants, with replacement."""
    drawn = np.random.default_rng(SEED).choice(delays, (DRAWS, len(delays)))
    medians = [over_all(one, 0.5) for one in drawn]
    return over_all(np.array(medians), 0.025), over_all(np.array(medians), 0.975)


def rule_table() -> pd.DataFrame:
    """Faults that Prometheus' rules find by their durations, whatever the plant."""
    times = Durations()
    after = {
        ("ingestion stopped", "ForestallIngestionStopped"): times.data_age + times.settled,
        ("more than a fifth of the machines silent", "ForestallMachinesStale"): STALE + times.lasting,
        ("burst of errors", "ForestallErrors"): times.window,
    }
    rows = [(fault, alert, f"{seconds / HOUR:.2g} h") for (fault, alert), seconds in after.items()]
    return pd.DataFrame(rows, columns=["fault", "monitor", "by rule, from when it is beyond"])


def quiet_table(weeks: pd.DataFrame, season: tuple[int, int]) -> pd.DataFrame:
    """Of plants without a fault: episodes a year and the share of weeks in alarm, by monitor and for each alert.

    Args:
        season: from when to when the reference's weeks are, in ticks.
    """
    kinds = {name: (ALERTS, name) for name in (RATE, RISK, OPINIONS)}
    alerts, inputs = (sorted({name for said in weeks[of] for name in said}) for of in (ALERTS, INPUTS))
    parts = {name: (name, "") for name in MONITORS} | kinds | {name: (ALERTS, name) for name in alerts}
    parts |= {f"{INPUTS}: {name}": (INPUTS, name) for name in inputs}
    rows = [_quiet(label, weeks, part, season) for label, part in parts.items()]
    return pd.DataFrame(rows)


def _quiet(label: str, weeks: pd.DataFrame, part: tuple[str, str], season: tuple[int, int]) -> dict[str, Any]:
    """A row, of what a monitor says that begins so."""
    monitor, start = part
    alarmed = weeks[monitor].map(lambda said: any(name.startswith(start) for name in said))
    plants = [flags.tolist() for _, flags in alarmed.groupby(weeks["seed"])]
    yearly = np.array([episodes(flags) / len(flags) * YEAR for flags in plants])
    share = np.array([100 * np.mean(flags) for flags in plants])
    within = weeks["end"].between(*season, inclusive="right")
    return {
        "without a fault": label,
        "episodes a year": f"{yearly.mean():.1f} ({' to '.join(f'{one:.1f}' for one in mean_interval(yearly))})",
        "weeks in alarm, %": f"{share.mean():.1f} ({' to '.join(f'{one:.1f}' for one in mean_interval(share))})",
        "in the reference's months, %": f"{100 * alarmed[within].mean():.1f}",
        "half of the plants, in": months_of(alarmed.groupby(weeks["end"]).mean()),
        "plants without any, %": f"{100 * np.mean(yearly == 0):.0f}",
    }


def months_of(share: pd.Series[float]) -> str:
    """The months with a week's end, ticks, at which half of the plants are in alarm, or more."""
    ends = share.index[share >= 0.5].to_numpy().astype("datetime64[s]")
    return " ".join(dict.fromkeys(pd.DatetimeIndex(ends).strftime("%b")))


def mean_interval(values: Floats) -> tuple[float, float]:
    """95 % of the means of draws of the plants, with replacement."""
    drawn = np.random.default_rng(SEED).choice(values, (DRAWS, len(values))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def draw(trials: pd.DataFrame, file: Path) -> None:
    """Of each fault, the share of plants in which it is found by so many days."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 8), layout="constrained")
    faults = list(trials["fault"].unique())
    for place, axes in enumerate(figure.subplots(3, 3, sharex=True, sharey=True).flat):
        for monitor in MONITORS:
            some = trials[(trials["fault"] == faults[place]) & (trials["monitor"] == monitor)]
            delays = np.sort(some["delay"].to_numpy(dtype=np.float64))
            share = 100 * np.arange(1, len(delays) + 1) / len(delays)
            seen = np.isfinite(delays)
            last = share[seen][-1:] if seen.any() else np.zeros(1)
            axes.step(
                np.r_[0, delays[seen], DAYS],
                np.r_[0, share[seen], last],
                where="post",
                label=monitor,
                linestyle=STYLES[monitor],
            )
        axes.set_title(faults[place], fontsize=9)
    figure.axes[0].legend(fontsize=7)
    figure.supxlabel("days since the fault began")
    figure.supylabel("plants in which it is found, %")
    figure.savefig(file, dpi=100, metadata={"Software": None})
