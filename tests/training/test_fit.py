"""How many failures there are to learn a calibration from."""

from __future__ import annotations

import numpy as np

from forestall.training.fit import failures_in


def test_failures_are_runs_of_positive_decisions_within_a_machine() -> None:
    machine = np.array(list("aaaaabbb"), dtype=object)
    positive = np.array([1, 1, 0, 1, 1, 1, 0, 1], dtype=bool)
    assert failures_in(positive, machine) == 4
    assert failures_in(~positive, machine) == 2
    assert failures_in(positive[:0], machine[:0]) == 0
