"""`forestall …` for a year that passes in minutes: what is worked out again each hour is worked out at every look."""

from __future__ import annotations

import sys

from forestall.cli import main
from forestall.serving.api import outcome_state, scoring, state

scoring.SECONDS, state.EVERY, outcome_state.SECONDS = 0.1, 0.0, 0.0

if __name__ == "__main__":
    sys.exit(main())
