"""A training fold from which nothing can be learnt is refused, with what to do."""

from __future__ import annotations

import pandas as pd
import pytest

from forestall.errors import InputError
from forestall.features.checks import check_training
from tests import plant


def decisions(**failures: int) -> pd.DataFrame:
    rows = {f"label.{component}": [failures.get(component, 0), 0] for component in ("pump", "seal")}
    return pd.DataFrame({"fold": ["train", "test"], **rows})


def test_a_component_that_never_fails_in_it_is_named() -> None:
    with pytest.raises(
        InputError, match=r"^data/prepared: component 'seal' does not fail.*Shorten `split.test`"
    ):
        check_training(decisions(pump=1), plant.dataset(), "data/prepared")


def test_no_failure_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="nothing can be learnt"):
        check_training(decisions(), plant.dataset(), "data/prepared")


def test_no_decision_at_all_is_refused() -> None:
    empty = decisions(pump=1, seal=1)
    with pytest.raises(InputError, match="the training fold is empty"):
        check_training(empty[empty["fold"] == "test"], plant.dataset(), "data/prepared")


def test_one_failure_of_each_component_is_enough() -> None:
    check_training(decisions(pump=1, seal=1), plant.dataset(), "data/prepared")
