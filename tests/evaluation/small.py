"""A small plant to judge: decisions every 3 h over 40 days, horizon 24 h, min_lead 2 h, and risk that tests choose."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.events import Events
from forestall.evaluation.judge import Data, Fold, folds
from forestall.evaluation.rule import Rule
from forestall.features.labels import fold_ends
from forestall.features.labels import folds as fold_names
from tests import plant
from tests.plant import DAY, HOUR, START

Matrix = npt.NDArray[np.float32]
STEP, END = 3 * HOUR, START + 40 * DAY
NAMES = ["pump.risk", "seal.risk", "volt.stuck", "noise"]
Times = list[tuple[str, float, str]]  # machine, days since the start, component
NO_RULES = {
    name: Rule(name, "never", "feature", column="noise", sign=1, level=9.0) for name in ("pump", "seal")
}


@dataclass
class Feature:
    source: str


@dataclass
class Scorer:
    """Risk is what the first two features say, over the shorter horizon half of it."""

    thresholds: dict[str, float] = field(default_factory=lambda: {"pump": 0.5, "seal": 0.5})
    components = ["pump", "seal"]  # noqa: RUF012

    class reference:  # noqa: N801
        features = tuple(Feature(name.split(".")[0]) for name in NAMES)

    def risk(self, features: Matrix) -> Matrix:
        return features[:, :2]

    def curves(self, features: Matrix) -> Matrix:
        return np.stack([features[:, :2] / 2, features[:, :2]], axis=2)


def frame(times: Times) -> pd.DataFrame:
    rows = [(machine, START + round(days * DAY), component) for machine, days, component in times]
    table = pd.DataFrame(rows, columns=["machine", "time", "component"])
    return table.astype({"machine": object, "time": np.int64, "component": object}).sort_values(
        ["machine", "time"], ignore_index=True
    )


def data(
    failures: Times,
    maintenance: Times | None = None,
    machines: int = 3,
    high: Times | None = None,
    **costs: float,
) -> Data:
    """Risk is 0.1, and 0.9 at the decisions in `high`."""
    dataset = plant.dataset()
    dataset = dataset.model_copy(update={"costs": dataset.costs.model_copy(update=costs)})
    names, grid = [f"m{n}" for n in range(machines)], np.arange(START + 2 * DAY, END + 1, STEP)
    decisions = pd.DataFrame(
        {"machine": np.repeat(np.array(names, object), len(grid)), "time": np.tile(grid, machines)}
    )
    decisions["no_opinion"], decisions["fold"] = "", fold_names(names, grid, END, dataset).ravel()
    events = Events(
        errors=pd.DataFrame({"machine": names, "time": START, "code": "e1"}).astype({"machine": object}),
        maintenance=frame(maintenance or []),
        failures=frame(failures),
        machines=pd.DataFrame({"machine": names, "model": "large", "age": np.arange(machines) * 1.0}).astype(
            {"machine": object, "model": object}
        ),
        downtime=pd.DataFrame({"machine": [], "start": [], "end": []}),
    )
    for component in dataset.components:
        decisions[f"label.{component}"] = _labels(decisions, events.failures, component)
    features = np.full((len(decisions), len(NAMES)), 0.1, np.float32)
    features[:, 2:] = 0
    features[:, 3] = np.random.default_rng(0).random(len(decisions))
    for machine, days, component in high or []:
        at = (decisions["machine"] == machine) & (decisions["time"] == START + round(days * DAY))
        assert at.any(), "no decision then"
        features[at.to_numpy(), ["pump", "seal"].index(component)] = 0.9
    return Data(decisions, features, NAMES, events, dataset, dict.fromkeys(names, END), 2)


def without(whole: Data, dropped: npt.NDArray[np.bool_]) -> Data:
    """The same plant without some decisions."""
    return replace(
        whole, decisions=whole.decisions[~dropped].reset_index(drop=True), features=whole.features[~dropped]
    )


def judged(whole: Data, rules: dict[str, Rule] | None = None) -> dict[str, Fold]:
    risk = whole.features[:, :2]
    return {fold.name: fold for fold in folds(whole, risk, rules or NO_RULES)}


def test_start() -> int:
    return fold_ends(END, plant.dataset())["validation"]


def _labels(decisions: pd.DataFrame, failures: pd.DataFrame, component: str) -> Any:
    found = np.zeros(len(decisions), dtype=np.int8)
    for machine, time in failures.loc[failures["component"] == component, ["machine", "time"]].to_numpy():
        ahead = time - decisions["time"]
        for number, horizon in enumerate((DAY, DAY // 2), start=1):
            at = ((decisions["machine"] == machine) & (ahead > 0) & (ahead <= horizon)).to_numpy()
            found[at] = np.maximum(found[at], number)
    return found
