"""Tables by rows, and figures whose bytes depend on nothing but their data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from forestall.evaluation import figures, plots
from forestall.evaluation.rows import row_report

Matrix = npt.NDArray[np.float32]
COMPONENTS = ["bearing", "seal"]


@dataclass
class Source:
    source: str


class Model:
    """Risk is the first feature for the bearing and the second for the seal; the third says nothing."""

    components = COMPONENTS

    class reference:  # noqa: N801
        features = (Source("vibration"), Source("pressure"), Source("age"))

    def risk(self, features: Matrix) -> Matrix:
        return features[:, :2]


def fold(rows: int = 4000, seed: int = 0) -> tuple[npt.NDArray[np.int8], Matrix]:
    random = np.random.default_rng(seed)
    features = random.beta(0.4, 6, (rows, 3)).astype(np.float32)
    labels = (random.random((rows, 2)) < features[:, :2]).astype(np.int8)
    labels[:50, 1] = -1
    return labels, features


def alarm_table(count: int = 60) -> pd.DataFrame:
    random = np.random.default_rng(0)
    lead = (random.gamma(2, 20, count) * 3600).astype(np.int64)
    return pd.DataFrame(
        {
            "machine": [f"m{n}" for n in range(count)],
            "component": np.array(COMPONENTS)[np.arange(count) % 2],
            "outcome": np.where(np.arange(count) % 5, "right", "false"),
            "failure": 10**9 + np.arange(count),
            "lead": lead,
        }
    )


def frames() -> dict[str, pd.DataFrame]:
    labels, features = fold()
    return {
        "precision_recall": figures.precision_recall_table(labels, features[:, :2], COMPONENTS),
        "reliability": figures.reliability_table(labels, features[:, :2], COMPONENTS),
        "lead_time": figures.lead_time_table(alarm_table(), 4 * 3600),
        "importances": figures.importance_table(labels, features, Model()),  # type: ignore[arg-type]
    }


def test_rows_by_hand() -> None:
    labels = np.array([[1, -1], [1, -1], [0, 0], [0, 0]], dtype=np.int8)
    risk = np.array([[0.9, 0.9], [0.1, 0.9], [0.8, 0.1], [0.1, 0.1]], dtype=np.float32)
    table = row_report(labels, risk, {"bearing": 0.5, "seal": 0.5})
    failure = table[(table["component"] == "bearing") & (table["label"] == "failure")].iloc[0]
    assert (failure["precision"], failure["recall"], failure["accuracy"], failure["rows"]) == (
        0.5,
        0.5,
        0.5,
        2,
    )
    seal = table[table["component"] == "seal"].set_index("label")
    assert seal.loc["no failure", "rows"] == 2
    assert np.isnan(float(seal["recall"]["failure"]))


def test_precision_and_recall_stay_small_and_ordered() -> None:
    table = frames()["precision_recall"]
    assert (table.groupby("component").size() <= figures.POINTS).all()
    assert table["component"].unique().tolist() == COMPONENTS
    assert table[["recall", "precision"]].to_numpy().max() <= 1


def test_lead_time_counts_each_failure_once_and_from_the_first_alarm() -> None:
    twice = pd.concat([alarm_table(4).iloc[1:2]] * 2, ignore_index=True)
    twice["lead"] = [10 * 3600, 30 * 3600]
    table = figures.lead_time_table(twice, 4 * 3600)
    assert table[["lead", "share"]].to_numpy().tolist() == [[30.0, 1.0]]


def test_lead_time_leaves_out_late_and_false_alarms() -> None:
    table = figures.lead_time_table(alarm_table(), 4 * 3600)
    assert table["lead"].min() >= 4
    assert len(table) < 48


def test_importances_say_what_the_model_goes_by() -> None:
    table = frames()["importances"]
    assert set(table["source"][:2]) == {"vibration", "pressure"}
    assert table.iloc[2]["importance"] == 0
    pd.testing.assert_frame_equal(table, frames()["importances"])


@pytest.mark.parametrize("empty", [False, True])
def test_the_same_tables_give_the_same_bytes(tmp_path: Path, empty: bool) -> None:
    tables = {name: frame.iloc[:0] if empty else frame for name, frame in frames().items()}
    for folder in ("a", "b"):
        plots.draw(tables, COMPONENTS, tmp_path / folder)
    written = sorted(file.name for file in (tmp_path / "a").iterdir())
    assert written == sorted(f"{name}.png" for name in tables)
    for name in written:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert b"Software" not in (tmp_path / "a" / name).read_bytes()
