"""Runs the check over several folders of tables in one process; TFX's environment runs it.

    .venv/tfx/bin/python bench/_tfx_runs.py <clean tables> <dataset file> <folder> <table>:<tables> …

The schemas are those of the clean tables. Prints JSON, a line each: anomalies, and divergences from the clean tables.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

sys.path.insert(0, "deploy/tfx")

from artifacts import divergences_of
from pipeline import checked
from schemas import keep


def main() -> None:
    """Check them one by one."""
    logging.getLogger().setLevel(logging.ERROR)
    clean, dataset, folder, *jobs = sys.argv[1:]
    run, schemas, most = Path(folder) / "clean", Path(folder) / "schemas", 0.1
    checked(Path(clean), run, ["telemetry", "machines"], None, None, most)
    list(keep(run, schemas, Path(dataset)))
    for number, job in enumerate(jobs):
        table, _, tables = job.partition(":")
        into = Path(folder) / str(number)
        found = checked(Path(tables), into, [table], schemas, run, most)
        print(json.dumps([found, divergences_of(into, table)]), flush=True)


if __name__ == "__main__":
    main()
