"""Scores of rows: undefined ones are left out, calibration by hand."""

from __future__ import annotations

import numpy as np
import pytest

from forestall.evaluation.row_scores import calibration_error, reliability, row_scores


def test_row_scores_leave_out_what_is_not_applicable_or_defined() -> None:
    labels = np.array([[1, 0, -1], [0, 0, -1], [0, 0, -1], [1, 0, -1]], dtype=np.int8)
    risk = np.array([[0.9, 0.0, 1], [0.1, 0.0, 1], [0.2, 0.0, 1], [0.8, 0.0, 1]])
    found = row_scores(labels, risk)
    assert found["average_precision"] == 1.0
    assert found["brier"] == pytest.approx((0.01 + 0.01 + 0.04 + 0.04) / 4 / 2)
    assert row_scores(labels[:, 2:], risk[:, 2:]) == {}


def test_calibration_error_by_hand() -> None:
    risk = np.repeat([0.1, 0.6], 50)
    label = np.concatenate([np.arange(50) < 5, np.arange(50) < 20])
    assert calibration_error(label, risk) == pytest.approx((0.0 + 0.2) / 2)
    assert len(reliability(label, risk)) == 2


def test_risks_above_one_that_most_rows_share_have_a_bin_of_their_own() -> None:
    risk = np.repeat([0.1, 0.6, 1.0], [96, 2, 2])
    label = np.arange(100) >= 90  # 6 of 96 fail at 0.1, and all at 0.6 and 1
    assert reliability(label, risk)["rows"].tolist() == [96, 4]
    assert calibration_error(label, risk) == pytest.approx((9.6 - 6 + 4 - 3.2) / 100)
    assert reliability(label[:96], risk[:96])["rows"].tolist() == [96]


def test_calibrated_risks_have_almost_no_calibration_error() -> None:
    random = np.random.default_rng(0)
    risk = random.beta(0.5, 5, 100_000)
    label = random.random(100_000) < risk
    assert calibration_error(label, risk) < 0.005
    assert calibration_error(label, np.minimum(risk * 2, 1)) > 0.05
