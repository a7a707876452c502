"""Window statistics of a year of hourly telemetry: the published notebooks' way, polars' rolling, and ours.

876,100 rows (100 machines, hourly, a year, four sensors); mean, std, min and max over 3 h and 24 h, every 3 h.
Each way runs in a process of its own, best of three; peak memory is that process's.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import forestall  # noqa: F401  (pins the kernels)

SENSORS = ["volt", "rotate", "pressure", "vibration"]
MACHINES, ROWS, HOUR = 100, 8761, 3600


def fleet() -> pd.DataFrame:
    """machine, time (ticks) and four sensors, 876,100 rows."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "machine": np.repeat(np.arange(MACHINES), ROWS),
            "time": np.tile(np.arange(1, ROWS + 1) * HOUR, MACHINES),
        }
    )
    for number, name in enumerate(SENSORS):
        frame[name] = rng.normal(100 * (number + 1), 10, len(frame))
    return frame


def notebook(frame: pd.DataFrame) -> Any:
    """Pivot, resample, roll: sensor by sensor, as the published notebooks do."""
    stamped = frame.assign(time=frame["time"].to_numpy().astype("datetime64[s]"))
    columns = []
    for name in SENSORS:
        wide = pd.pivot_table(stamped, index="time", columns="machine", values=name)
        for how in ("mean", "std", "min", "max"):
            columns.append(getattr(wide.resample("3h", closed="right", label="right"), how)().unstack())
            rolled = getattr(wide.rolling(window=24), how)()
            columns.append(rolled.resample("3h", closed="right", label="right").last().unstack())
    return pd.concat(columns, axis=1)


def polars_rolling(frame: pd.DataFrame) -> Any:
    """polars' rolling over groups, then every third row."""
    import polars as pl

    table = pl.from_pandas(frame)
    rolled = [
        getattr(pl.col(name), f"rolling_{how}")(window_size=hours, min_samples=1)
        .over("machine")
        .alias(f"{name}.{how}.{hours}")
        for name in SENSORS
        for how in ("mean", "std", "min", "max")
        for hours in (3, 24)
    ]
    return table.select("machine", "time", *rolled).filter(pl.col("time") % (3 * HOUR) == 0)


def forestall_windows(frame: pd.DataFrame) -> Any:
    """Blocks anchored to the clock, from the same frame."""
    from forestall.features.windows import block_moments, window_moments

    readings = frame[SENSORS].to_numpy().reshape(MACHINES, ROWS, len(SENSORS))[:, : ROWS // 3 * 3]
    blocks = block_moments(readings - readings[:, :1], 3)
    results = []
    for length in (1, 8):
        moments = window_moments(blocks, length)
        results += [
            moments.mean() + readings[:, :1],
            moments.std(),
            moments.low + readings[:, :1],
            moments.high + readings[:, :1],
        ]
    return results


WAYS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "notebook": notebook,
    "polars": polars_rolling,
    "forestall": forestall_windows,
}


def measure(way: str) -> None:
    """Print seconds (best of three) and the growth of this process's peak memory in MB."""
    frame = fleet()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        WAYS[way](frame)
        seconds.append(time.perf_counter() - start)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"seconds": min(seconds), "megabytes": grown}))


def main() -> None:
    """Run each way in its own process and print the ratios."""
    found = {
        way: json.loads(subprocess.check_output([sys.executable, __file__, way], text=True)) for way in WAYS
    }
    for way, figures in found.items():
        ratio = figures["seconds"] / found["forestall"]["seconds"]
        print(
            f"{way:10} {figures['seconds']:6.2f} s  {ratio:5.1f} x forestall  +{figures['megabytes']:.0f} MB"
        )


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()
