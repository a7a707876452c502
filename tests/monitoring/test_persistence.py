"""k of the last n windows, and the latest."""

from __future__ import annotations

import pytest

from forestall.errors import ForestallError
from forestall.monitoring.persistence import holds


@pytest.mark.parametrize(
    ("flags", "held"),
    [
        ([], False),
        ([True], False),
        ([True, True], True),
        ([True, False, True], True),
        ([True, True, False], False),
        ([True, False, False, True], False),
        ([False, False, True], False),
    ],
)
def test_two_of_the_last_three_and_the_latest(flags: list[bool], held: bool) -> None:
    assert holds(flags, 2, 3) is held


@pytest.mark.parametrize(("k", "n"), [(0, 3), (4, 3)])
def test_a_rule_that_cannot_be(k: int, n: int) -> None:
    with pytest.raises(ForestallError, match=f"{k} of the last {n} windows"):
        holds([True], k, n)
