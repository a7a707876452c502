"""`forestall compare` of two commits whose outputs are in DVC's cache: by the clock, and the processor's time.

The clock says what a reviewer waits for on a quiet computer of two cores; the processor's time says what it costs where
other work runs beside it. Figures are medians. Another base may be named: `python bench/compare.py REVISION`.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from forestall.evaluation.resampling import DRAWS

ROOT = Path(__file__).parents[1]
BASE, HEAD = next(iter(sys.argv[1:]), "HEAD~1"), "HEAD"
RUNS = 3
GOAL = 10


def spent(*words: str) -> tuple[float, float]:
    """Seconds by the clock and of the processor that a comparison takes."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "forestall.cli", "compare", BASE, HEAD, *words]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    taken, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if "Not judged on the same decisions" in done.stdout:
        raise RuntimeError(
            f"{BASE} and {HEAD} could not be judged: are their outputs in the cache?\n{done.stdout}"
        )
    return taken, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the medians, without the page and with it."""
    with tempfile.TemporaryDirectory() as folder:
        page = str(Path(folder) / "page.html")
        for name, words in {"Markdown": (), "and the page": ("--html", page)}.items():
            clock, processor = (
                statistics.median(one) for one in zip(*(spent(*words) for _ in range(RUNS)), strict=True)
            )
            print(
                f"forestall compare {BASE} {HEAD}, {DRAWS:,} draws, {name}: {clock:.1f} s, of the processor "
                f"{processor:.1f} s (goal: under {GOAL} s)"
            )


if __name__ == "__main__":
    main()
