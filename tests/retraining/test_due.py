"""When to train again: what holds back comes before what asks for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forestall.retraining.due import News, Policy, decide

POLICY = Policy(every_months=3, on_change=True, cool_down_days=14, min_new_failures=5)
THREE = ("2025-03", "2025-01", "2025-02")
NEWS = News(months=("2025-01",), failures=5, days=14.0, trained="2024-12", changes=("Risks moved.",))


@pytest.mark.parametrize(
    ("news", "due", "why"),
    [
        (NEWS, True, "Risks moved. New months: 1 (to 2025-01), new failures: 5."),
        (replace(NEWS, days=None, trained=""), True, "Risks moved."),
        (replace(NEWS, months=THREE, changes=()), True, "By the calendar; new months: 3 (to 2025-03)"),
        (replace(NEWS, changes=()), False, "New months: 1 of 3, and monitoring found no change."),
        (replace(NEWS, months=()), False, "No month is over"),
        (replace(NEWS, trained="2025-01"), False, "The last training had the months to 2025-01 already"),
        (replace(NEWS, days=13.9), False, "The last training was 13.9 days ago, and 14 have to be over."),
        (replace(NEWS, failures=4), False, "New failures: 4; 5 are needed to learn from."),
    ],
)  # fmt: skip
def test_what_there_is_to_learn_decides(news: News, due: bool, why: str) -> None:
    found = decide(news, POLICY)
    assert found.due == due and found.why.startswith(why)


def test_changes_count_only_where_they_are_asked_for() -> None:
    found = decide(NEWS, replace(POLICY, on_change=False))
    assert not found.due and found.why == "New months: 1 of 3, and changes are not asked for."
