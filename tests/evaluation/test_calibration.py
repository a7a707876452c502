"""Calibration by component and horizon, on labels that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from forestall.data.dataset import Dataset
from forestall.evaluation.tables import CALIBRATION, calibration_table
from tests import plant

# Within two horizons: the pump fails within both, within the longer, within neither; once it is not known.
LABELS = np.array([[2, -1], [1, -1], [0, -1], [0, -1], [-2, -1]], dtype=np.int8)
CURVES = np.repeat(
    np.array([[0.5, 0.75], [0.25, 0.5], [0.25, 0.5], [0.0, 0.25], [1.0, 1.0]])[:, None], 2, axis=1
)


def test_each_horizon_is_judged_by_what_failed_within_it() -> None:
    table = calibration_table(LABELS, CURVES, plant.dataset()).set_index("horizon")
    assert ["horizon", *table.columns] == [CALIBRATION[1], CALIBRATION[0], *CALIBRATION[2:]]
    assert table.index.tolist() == [12, 24]
    assert (table["component"] == "pump").all()  # of the seal nothing is known
    assert table["rows"].tolist() == [4, 4]
    assert table["failure_rate"].tolist() == [0.25, 0.5]
    assert table["mean_risk"].tolist() == [0.25, 0.5]
    assert table["brier"].tolist() == pytest.approx([(4 + 1 + 1) / 64, (1 + 4 + 4 + 1) / 64])
    assert table["brier_skill"].tolist() == pytest.approx([1 - 6 / 64 / 0.1875, 1 - 10 / 64 / 0.25])


def test_a_counters_horizons_are_in_its_own_unit() -> None:
    content = plant.dataset().model_dump() | plant.counter_sections()
    content["decisions"] = content["decisions"] | {"horizons": ["4cycles", "8cycles"]}
    content["split"] = content["split"] | {"gap": "8cycles"}
    content["tables"]["telemetry"]["interval"] = "1cycles"
    dataset = Dataset.model_validate(content)
    assert calibration_table(LABELS, CURVES, dataset)["horizon"].tolist() == [4, 8]


def test_without_a_failure_there_is_no_skill() -> None:
    table = calibration_table(np.zeros_like(LABELS), CURVES, plant.dataset())
    assert len(table) == 4
    assert table["brier_skill"].isna().all()
    assert table.drop(columns="brier_skill").notna().all(axis=None)
