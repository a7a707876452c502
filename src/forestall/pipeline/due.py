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
AT = "Service-time"
DAY = 24 * 3600
TIMES = re.compile(rf"^ *{AT}: (\S+Z)$", re.MULTILINE)  # Git indents what it squashes


def is_due(found: Updated, live: Live, bundle: Path, folder: Path, root: Path) -> Decision:
    """Whether to train with what was taken from the service.

    Args:
        bundle: the folder of the model in service. folder: the repository with the months, whose policy holds. root:
            the user's, whose commits say when it was trained last.

    Raises:
        SettingsError: params.yaml has no policy. StoreError: the database does not do its part.
    """
    asked = read_params(folder / PARAMS).retraining
    policy = Policy(**asked.model_dump())
    with live.store.reading() as connection:
        reference = read_reference(bundle, live.bundle)
        changes = found_changes(connection, live, reference) if policy.on_change else []
    last = last_trained(root, found.at)
    days = None if last is None else (found.at - last) / DAY
    return decide(News(found.months, found.failures, days, tuple(changes)), policy)


def trailers(now: int) -> list[str]:
    """For the commit of a retrain at the service's time, in seconds since 1970."""
    return [MADE_BY, f"{AT}: {datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}"]


def last_trained(root: Path, now: int) -> int | None:
    """When the service's time was latest at a retrain, of whatever branch, in seconds since 1970.

    One that is later than now is of a clock that was wrong, or of another database.
    """
    said = git(root, "log", "--all", "--format=%B", f"--grep=^ *{MADE_BY}").stdout
    times = (_seconds(one) for one in TIMES.findall(said))
    return max((one for one in times if one is not None and one <= now), default=None)


def _seconds(text: str) -> int | None:
    """None of what is no time, such as 2025-02-30."""
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        return None
