"""A simulated year through the real service: readings, predictions, failures, findings, drift, retraining, recovery.

A plant's repository is made, with the months before in tables of its own; `dvc repro` makes its first model, `forestall
promote` serves it. Two `forestall serve` processes get the same readings and events over HTTP, week by week, and every
alarm is answered as maintenance people would. At each month's end one of the two plants runs `forestall retrain
--if-due --promote`; the other one keeps its first model. From a known month on the pumps show their faults otherwise.

Run it from the repository's top folder: `python bench/year.py FOLDER [SEED …] [--kind firmware]`. What FOLDER has
already is not replayed again; its tables and figure are what docs/explanation/retraining.md shows.
"""

from __future__ import annotations

import forestall  # noqa: F401  (pins the kernels)

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests start the same servers and repositories

from _year_alerts import alerts_in
from _year_figures import component_recall, draw, month_rows, pooled, same_failures, saving, way_recall
from _year_plant import DRIFTS, DRIVES, Plan
from _year_replay import DONE, PROJECT, RETRAINED, Month, Year, loaded, replay, told
from _year_repository import NAME, Made
from forestall.pipeline.stage import read_dataset

ALERTS = "alerts.csv"
PLAN = Plan(machines=60, seed=1, history="2024-10", drift="2024-12", last="2025-09")
# Folds of a month each, so that a month in service is in the training fold after 74 days; the gate's floors are of a
# plant in which half of the faults have changed.
FLOORS = {"floors.event_recall": 0.1, "floors.alarm_precision": 0.1, "floors.slice_recall": 0.0}
HOW = Made(trees=40, negatives=3000, test="30d", validation="30d", gate=FLOORS)


def one_year(plan: Plan, place: Path) -> Year:
    """Replayed in a new folder, or as it was found there."""
    if not (place / DONE).is_file():
        begun = time.perf_counter()
        place.mkdir(parents=True)
        replay(
            plan,
            HOW,
            place,
            lambda said: print(f"{time.perf_counter() - begun:.0f} s: {said}", file=sys.stderr),
        )
    year = loaded(place)
    if not (place / ALERTS).is_file():
        with TemporaryDirectory() as scratch:
            alerts_in(year.scraped, Path(scratch)).to_csv(place / ALERTS, index=False, lineterminator="\n")
    return year


def rows_of(year: Year, alerts: pd.DataFrame) -> pd.DataFrame:
    """By arm and month: figures, alerts, and of the retrained arm what the gate said at its end."""
    rows = month_rows(year.realised).assign(seed=year.plan.seed, kind=year.plan.kind)
    done = {(RETRAINED, one.month): one for one in year.months}
    known = [done.get(at) for at in zip(rows["arm"], rows["month"], strict=True)]
    told = [alerts_of(alerts, *at) for at in zip(rows["arm"], rows["month"], strict=True)]
    return rows.assign(
        alerts=told,
        gate=[
            "" if one is None else "passed" if one.done.passed else "; ".join(one.done.failed)
            for one in known
        ],
        promoted=[one is not None and one.done.promoted for one in known],
        revision=["" if one is None else one.done.revision[:12] for one in known],
    )


def verdict(one: Month) -> str:
    """The gate's, or the rules that were not passed."""
    if not one.done.branch:
        return "not due"
    return "passed" if one.done.passed else "; ".join(one.done.failed)


def alerts_of(alerts: pd.DataFrame, arm: str, month: str) -> str:
    """Those that were on at a delivery of the month; a delivery at midnight of the first is of the month before."""
    until = pd.to_datetime(alerts["time"]) - pd.Timedelta(seconds=1)
    some = alerts[(alerts["arm"] == arm) & (until.dt.strftime("%Y-%m") == month)]
    return "; ".join(sorted({f"{row.alert} {row.of}".strip() for row in some.fillna("").itertuples()}))


def main() -> None:
    """Into the folder named, or one that is gone afterwards."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?", default=None)
    parser.add_argument("seeds", type=int, nargs="*", default=[1])
    parser.add_argument("--kind", choices=DRIFTS, default="drives")
    chosen = parser.parse_args()
    with TemporaryDirectory() as scratch:
        report(chosen.folder or Path(scratch), chosen.seeds, chosen.kind)


def report(folder: Path, seeds: list[int], kind: str) -> None:
    """Replay these plants, where that is not done yet; print the tables, write rows and figure into the folder."""
    plans = [replace(PLAN, seed=seed, kind=kind) for seed in seeds]
    places = [folder / f"{plan.kind}-{plan.seed}" for plan in plans]
    years = [one_year(plan, place) for plan, place in zip(plans, places, strict=True)]
    alerts = [pd.read_csv(place / ALERTS) for place in places]
    rows = pd.concat([rows_of(*pair) for pair in zip(years, alerts, strict=True)], ignore_index=True)
    rows.to_csv(folder / f"{kind}.csv", index=False, lineterminator="\n", float_format="%.6g")
    print(pooled(rows, ("month", "arm")).to_string(index=False))
    for year, place in zip(years, places, strict=True):
        tell(year, place)
    draw(rows, PLAN.drift, folder / f"{kind}.png")


def tell(year: Year, place: Path) -> None:
    """The arms against each other before the drift, while no model can know it, and later; what retraining takes."""
    dataset = read_dataset(NAME, place / PROJECT)
    machines = sorted({name for one in year.realised.values() for name in one.rows["machine"]})
    for name, months in periods(year.plan).items():
        less, low, high = saving(year.realised, months, machines, dataset.costs)
        print(
            f"{place.name}, {name}: {same_failures(year.realised, months)}, {less:.0f} ({low:.0f} to {high:.0f}) saved"
        )
    truth, later = pd.read_csv(place / "truth.csv"), periods(year.plan)["later"]
    for arm, one in year.realised.items():
        print(
            f"{place.name}, {arm}, later: {component_recall(one, later)}, {way_recall(one, truth, DRIVES, later)}"
        )
    for month in year.months:
        shares = [f"{100 * new / whole:.1f} %" for new, whole in zip(month.added, month.whole, strict=True)]
        print(f"{place.name}, {month.month}: {told(month)}; DVC has {shares[0]} more, of tables {shares[1]}")
    if year.months and year.scratch:
        work = year.months[-1].done.work
        print(f"{place.name}: retrain {work:.0f} s of the processor, from scratch {year.scratch:.0f} s")
    print(f"{place.name}: requests that failed: {year.failed}")


def periods(plan: Plan) -> dict[str, list[str]]:
    """Before the drift; its first three months, in which no model that was trained on it can serve; and later."""
    at = plan.months.index(plan.drift)
    return {"before": plan.months[:at], "young": plan.months[at : at + 3], "later": plan.months[at + 3 :]}


if __name__ == "__main__":
    main()
