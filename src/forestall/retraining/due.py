"""Whether to train again: a calendar of new months, or a change that monitoring found, and what holds both back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """When to train again; `retraining` in params.yaml says what each is for."""

    every_months: int
    on_change: bool
    cool_down_days: int
    min_new_failures: int


@dataclass(frozen=True)
class News:
    """What there is to learn.

    months: new to the dataset, such as 2025-01. failures: that are new. days: since the last training, and trained: its
    last month; None and empty where there was none. changes: that monitoring found, a sentence each.
    """

    months: tuple[str, ...]
    failures: int
    days: float | None
    trained: str
    changes: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """Whether to train, and why."""

    due: bool
    why: str


def decide(news: News, policy: Policy) -> Decision:
    """What holds back comes first, then the calendar, then what monitoring found."""
    months, wanted = len(news.months), policy.every_months
    if not months:
        return Decision(False, "No month is over that the dataset does not have.")
    if max(news.months) <= news.trained:
        return Decision(
            False, f"The last training had the months to {news.trained} already; merge or promote it."
        )
    if news.days is not None and news.days < policy.cool_down_days:
        wait = policy.cool_down_days
        return Decision(False, f"The last training was {news.days:.1f} days ago, and {wait} have to be over.")
    if news.failures < policy.min_new_failures:
        least = policy.min_new_failures
        return Decision(False, f"New failures: {news.failures}; {least} are needed to learn from.")
    told = f"new months: {months} (to {max(news.months)}), new failures: {news.failures}"
    if months >= wanted:
        return Decision(True, f"By the calendar; {told}.")
    if policy.on_change and news.changes:
        return Decision(True, f"{' '.join(news.changes)} {told.capitalize()}.")
    rest = "monitoring found no change" if policy.on_change else "changes are not asked for"
    return Decision(False, f"New months: {months} of {wanted}, and {rest}.")
