"""Parts' ages at a decision, in bands that double."""

from __future__ import annotations

import pandas as pd

from forestall.monitoring.part_ages import UNKNOWN, age_bands


def frame(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["machine", "component", "time"])


def test_bands_double_and_count_from_the_latest_renewal() -> None:
    cells = frame(*[("a", "pump", time) for time in (170, 100, 109, 110, 120, 139, 140)])
    renewals = frame(("a", "pump", 100), ("a", "pump", 3), ("a", "pump", 500), ("a", "seal", 169))
    assert age_bands(cells, renewals, 10).tolist() == [3, 0, 0, 1, 2, 2, 3]


def test_what_was_never_renewed_is_of_no_known_age() -> None:
    cells = frame(("a", "pump", 50), ("b", "pump", 50), ("a", "seal", 50))
    renewals = frame(("a", "pump", 51), ("b", "pump", 50))
    assert age_bands(cells, renewals, 10).tolist() == [UNKNOWN, 0, UNKNOWN]
    assert age_bands(cells, renewals.iloc[:0], 10).tolist() == [UNKNOWN] * 3
