"""What a plant's tables hold, in a few figures."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.data.prepare import Summary


def data_figures(events: Events, summary: Summary, dataset: Dataset) -> dict[str, int | str]:
    """Rows, machines, period and events; events outside the telemetry are counted, not dropped."""
    failures, spans = events.failures, summary.spans
    inside = _inside(failures, summary)
    return {
        "telemetry_rows_in": summary.rows_in,
        "telemetry_rows_out": summary.rows_out,
        "machines": len(spans),
        "machines_without_telemetry": int((~events.machines["machine"].isin(list(spans["machine"]))).sum()),
        "start": _stamp(int(spans["min"].min()), dataset),
        "end": _stamp(int(spans["max"].max()), dataset),
        "errors": len(events.errors),
        "maintenance": len(events.maintenance),
        "failures": len(failures),
        "failures_outside_telemetry": int((~inside).sum()),
        "downtimes": len(events.downtime),
    }


def _inside(failures: pd.DataFrame, summary: Summary) -> pd.Series[bool]:
    spans = summary.spans.set_index("machine").reindex(failures["machine"])
    first, last = spans["min"].to_numpy(), spans["max"].to_numpy()
    time = failures["time"].to_numpy()
    return pd.Series((time >= first) & (time <= last), index=failures.index)


def _stamp(time: int, dataset: Dataset) -> str:
    return str(time) if dataset.own_clocks else str(np.datetime64(time, "s"))
