"""A small project whose stages are killed at random moments: `python bench/interrupted.py 50`.

After each, the next `dvc repro` has to end with the bytes that were there before. It prints how often it did, and how
often DVC was killed while it wrote a file of its own, which a person deletes as DVC's message says.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.pipeline.interruptions import STAGES, interrupted
from tests.pipeline.repository import first_run

NUMBER = 16


def main(number: int) -> int:
    """Print what came of each that did not end well; exit 1 if there was one."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = first_run(Path(scratch) / "project")
        found = [interrupted(folder, one) for one in range(number)]
    bad = [one for one in found if not one.same or one.complaint]
    for one in bad:
        print(f"{one.when}: {'the same bytes' if one.same else 'OTHER BYTES'}; {one.complaint}")
    torn = sum(bool(one.torn) for one in found)
    print(f"{number} kills in {len(STAGES)} stages: {number - len(bad)} ended with the same bytes, all well")
    print(f"  after {torn} of them a file of DVC's own was torn and had to be deleted")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else NUMBER))
