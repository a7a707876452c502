"""Events that the plant recorded and people reported, each once."""

from __future__ import annotations

import pandas as pd

PLANT, FEEDBACK = "plant", "feedback"
PAIR = ["machine", "component"]


def merged(events: pd.DataFrame, span: int) -> pd.DataFrame:
    """Events without what people said again.

    A report is of an event that is there already if the same part has one of the plant's at most `span` ticks before
    or after it, or another report at most `span` before: people say when they saw it, the plant's system when it was
    booked. The plant's time stands.

    Args:
        events: machine, time, component, source (`plant` or `feedback`).

    Returns:
        The same columns, by time.

    Raises:
        ValueError: another source.
    """
    other = set(events["source"]) - {PLANT, FEEDBACK}
    if other:
        raise ValueError(f"source: {sorted(other)[0]!r} is neither {PLANT!r} nor {FEEDBACK!r}")
    events = events.astype({"time": "int64"}).sort_values("time", kind="stable", ignore_index=True)
    own, said = events[events["source"] == PLANT], events[events["source"] == FEEDBACK]
    said = said[~(said.groupby(PAIR)["time"].diff() <= span)]
    if len(own) and len(said):
        at = own[["time", *PAIR]].assign(recorded=True)
        near = pd.merge_asof(said, at, on="time", by=PAIR, tolerance=span, direction="nearest")
        said = said[near["recorded"].isna().to_numpy()]
    return pd.concat([own, said]).sort_values(["time", *PAIR], kind="stable", ignore_index=True)
