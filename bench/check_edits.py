"""`forestall check` against what `dvc repro` does after random edits, with `dvc status` and a dry run beside it.

A small project runs once; each edit is made in a copy of it. DVC's own decision is the truth: which stages `dvc repro`
begins with everything pulled, by a Python that runs none of them. `python bench/check_edits.py 200` makes as many, and
`… 200 1000` those from the thousandth on.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.pipeline.repository import first_run_without_studies
from tests.pipeline.verdicts import Verdicts, judged

NUMBER = 48


def says(one: Verdicts, name: str) -> bool:
    """Whether a command says that something is to be done; where no stage can start, any complaint will do."""
    if name == "check":
        return bool(one.stale) or (one.failed and not one.ran and one.code != 0)
    return bool(one.status if name == "status" else one.dry)


def wrong(found: list[Verdicts], name: str) -> tuple[int, int]:
    """Of how many edits a command says nothing though a stage runs or fails, and of how many it speaks for nothing."""
    pairs = [(says(one, name), bool(one.ran) or one.failed) for one in found]
    return sum(run and not said for said, run in pairs), sum(said and not run for said, run in pairs)


def main(number: int = NUMBER, first: int = 0) -> int:
    """Print how often each was right, and how long it took; exit 1 if `forestall check` ever was not."""
    seeds = range(first, first + number)
    with tempfile.TemporaryDirectory() as scratch:
        small = first_run_without_studies(Path(scratch) / "project")
        found = [judged(small, Path(scratch) / "copy", one, beside=True) for one in seeds]
    other = [one for one in found if not one.agree]
    for one in other:
        print(f"{one.edit}: check says {sorted(one.stale)}, dvc repro begins {sorted(one.ran)}")
    run, none = sum(bool(one.ran) for one in found), sum(one.failed and not one.ran for one in found)
    print(f"{number} edits: after {run} a stage runs, after {none} none can start")
    for name, words in (
        ("check", "forestall check"),
        ("status", "dvc status"),
        ("dry", "dvc repro --dry --allow-missing"),
    ):
        missed, for_nothing = wrong(found, name)
        seconds = statistics.median(one.seconds[name] for one in found)
        print(f"  {words}: missed {missed}, for nothing {for_nothing}; median {seconds:.2f} s")
    print(f"  stages named otherwise than DVC began them: after {len(other)} edits")
    return 1 if other or any(wrong(found, "check")) else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
