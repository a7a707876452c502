"""How much of what the simulator's truth calls foreseeable the model catches, on the test fold.

At the chosen thresholds, and at those that the validation fold gives for 0.2 false alarms per machine-month: spent as
far as more are caught there (`false_alarms`), and spent in full (`recall`).
Run it from the repository's top folder after `dvc repro` on the simulated fleet.
"""

from __future__ import annotations

import forestall  # noqa: F401  (pins the kernels)

from pathlib import Path

import pandas as pd

from forestall.data import store
from forestall.evaluation.judge import Data, Matrix
from forestall.evaluation.ledger import caught_failures, counted_failures
from forestall.features.files import read_features
from forestall.features.labels import TEST, VALIDATION
from forestall.pipeline import stage
from forestall.serving.bundle import load_bundle
from forestall.training.alarms import open_alarms
from forestall.training.judging import machine_months, rules_of
from forestall.training.series import risk_matrix
from forestall.training.thresholds import By, choose_thresholds

SECTIONS = ["clock", "tables", "components", "decisions", "windows", "split", "costs"]
BUDGET = 0.2


def main() -> None:
    """Print the shares."""
    settings = stage.load(params=["alarm"], dataset=SECTIONS)
    dataset, alarm = settings.dataset, settings.params.alarm
    bundle = load_bundle(Path("models/bundle"))
    names = [feature.name for feature in bundle.reference.features]
    decisions, features = read_features(Path("data/features"), names, dataset.clock)
    prepared = Path("data/prepared")
    events, last = store.read_events(prepared, dataset.clock), store.last_readings(prepared, dataset.clock)
    data = Data(decisions, features, names, events, dataset, last, alarm.quiet)
    rules, rows = rules_of(dataset, alarm.quiet), data.rows(VALIDATION)
    series = data.series(VALIDATION)
    risk = risk_matrix(series, decisions[rows], bundle.risk(features[rows]))
    months = machine_months(decisions[rows], dataset)
    ways: tuple[By, ...] = ("false_alarms", "recall")
    thresholds = {"chosen": bundle.thresholds} | {
        way: choose_thresholds(series, risk, rules, dataset.costs, way, BUDGET * months, alarm.min_failures)
        for way in ways
    }
    report(data, bundle.risk(features[data.rows(TEST)]), thresholds)


def report(data: Data, risk: Matrix, thresholds: dict[str, dict[str, float]]) -> None:
    """One line for each set of thresholds."""
    series, rows = data.series(TEST), data.rows(TEST)
    rules = rules_of(data.dataset, data.quiet)
    truth = pd.read_csv("data/truth/simulated.csv")
    truth["time"] = pd.to_datetime(truth["time"]).to_numpy().astype("datetime64[s]").astype("int64")
    counted = counted_failures(series, rules).merge(truth, on=["machine", "component", "time"])
    foreseeable = counted[counted["foreseeable"] == 1]
    months = machine_months(data.decisions[rows], data.dataset)
    laid = risk_matrix(series, data.decisions[rows], risk)
    for name, threshold in thresholds.items():
        alarms = open_alarms(series, laid, threshold, rules)
        caught = caught_failures(alarms, rules).rename(columns={"failure": "time"})
        hits = foreseeable.merge(caught[["machine", "component", "time"]])
        false = (alarms["outcome"] == "false").sum() / months
        print(
            f"{name:12} {len(hits)} of {len(foreseeable)} foreseeable failures caught "
            f"({len(hits) / len(foreseeable):.1%}), {len(caught)} of {len(counted)} of all; "
            f"{false:.2f} false alarms per machine-month"
        )


if __name__ == "__main__":
    main()
