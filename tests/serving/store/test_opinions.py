"""Opinions are listed in three orders, page by page."""

from __future__ import annotations

import pytest

from forestall.features.labels import FAILED, STALE
from forestall.serving.opinions import NOT_APPLICABLE, Opinion
from forestall.serving.store.database import Store
from forestall.serving.store.machines import known_numbers
from forestall.serving.store.opinions import By, OpinionFilter, Place, ranked, write_opinions

# The highest risk within a week is not the highest within a day.
OPINIONS = {
    "m0": Opinion("m0", "pump", 9, "", 0.5, (0.1, 0.9)),
    "m1": Opinion("m1", "pump", 9, "", 0.5, (0.4, 0.45)),
    "m2": Opinion("m2", "pump", 9, "", 0.5, (0.3, 0.8)),
    "m3": Opinion("m3", "pump", 9, FAILED, 0.5),
    "m4": Opinion("m4", "pump", 9, NOT_APPLICABLE, 0.5),
    "m5": Opinion("m5", "pump", 9, STALE, 0.5),
}


def pages(store: Store, by: By, size: int, wanted: OpinionFilter) -> list[Opinion]:
    found = list[Opinion]()
    place: Place | None = None
    with store.reading() as connection:
        while True:
            page = ranked(connection, wanted, by, size, place)
            found += page.opinions
            if (place := page.next) is None:
                return found


@pytest.mark.parametrize(("by", "order"), [("risk", "021534"), ("soon", "120534"), ("machine", "012345")])
@pytest.mark.parametrize("size", [1, 2, 6])
def test_orders(store: Store, by: By, order: str, size: int) -> None:
    with store.writing() as connection:
        write_opinions(connection, known_numbers(connection, list(OPINIONS)), list(OPINIONS.values()))
    every = [OPINIONS[f"m{number}"] for number in order]
    assert pages(store, by, size, OpinionFilter()) == every
    alarms = [one for one in every if one.status == "alarm"]
    assert pages(store, by, size, OpinionFilter(status="alarm")) == alarms and len(alarms) == 2
    risky = [one for one in every if one.risk is not None and one.risk >= 0.45]
    assert pages(store, by, size, OpinionFilter(min_risk=0.45)) == risky and len(risky) == 3
