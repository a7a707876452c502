"""What `forestall retrain --if-due` asks before it trains: the policy in params.yaml, new months, Git, monitoring."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from forestall.monitoring.reference import read_reference
from forestall.pipeline.params import PARAMS, read_params
from forestall.pipeline.revisions import git
from forestall.pipeline.update import Updated
from forestall.retraining.due import Decision, News, Policy, decide
from forestall.retraining.found_changes import found_changes
from forestall.serving.live import Live

MADE_BY = "Made-by: forestall retrain"
AT, MONTHS, RUN = "Service-time", "Months-to", "Scheduled-run"
DAY = 24 * 3600


def is_due(found: Updated, live: Live, bundle: Path, folder: Path, root: Path) -> Decision:
    """Whether to train with what was taken from the service.

    Args:
        bundle: the folder of the model in service. folder: the repository with the months, whose policy holds. root:
            the user's, whose commits say when it was trained last.

    Raises:
        SettingsError: params.yaml has no policy. StoreError: the database does not do its part.
    """
    policy = Policy(**read_params(folder / PARAMS).retraining.model_dump())
    with live.store.reading() as connection:
        reference = read_reference(bundle, live.bundle)
        changes = found_changes(connection, live, reference, found.at) if policy.on_change else []
    last, trained = last_trained(root, found.at)
    days = None if last is None else (found.at - last) / DAY
    return decide(News(found.months, found.failures, days, trained, tuple(changes)), policy)


def trailers(now: int, month: str, run: str) -> list[str]:
    """For the commit of a retrain at the service's time, in seconds since 1970.

    Args:
        month: the last one that it has. run: of a scheduler, if one called.
    """
    time = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return [MADE_BY, f"{AT}: {time}", f"{MONTHS}: {month}", *([f"{RUN}: {run}"] if run else [])]


def last_trained(root: Path, now: int) -> tuple[int | None, str]:
    """Of all retrains, of whatever branch: the service's latest time, in seconds since 1970, and the last month.

    What is later than now is of a clock that was wrong, or of another database.
    """
    said = git(root, "log", "--all", "--format=%B", f"--grep=^ *{MADE_BY}").stdout
    this_month = f"{datetime.fromtimestamp(now, UTC):%Y-%m}"
    times = [one for one in map(_seconds, _values(AT, said)) if one is not None and one <= now]
    months = [one for one in _values(MONTHS, said) if one < this_month]
    return max(times, default=None), max(months, default="")


def _values(trailer: str, said: str) -> list[str]:
    """Git indents what it squashes."""
    return re.findall(rf"^ *{trailer}: (\S+)$", said, re.MULTILINE)


def _seconds(text: str) -> int | None:
    """None of what is no time, such as 2025-02-30."""
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        return None
