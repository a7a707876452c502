"""simulate: the seeded fleet that a fresh clone runs on, and the truth about it, which no stage reads."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

from pathlib import Path

from forestall.data.simulator.write import write_fleet
from forestall.pipeline import stage


def main() -> None:
    """Write data/raw/simulated/ and data/truth/simulated.csv."""
    settings = stage.load(params=["simulate"], dataset=[])
    write_fleet(settings.params.simulate, Path("data/raw/simulated"), Path("data/truth/simulated.csv"))


if __name__ == "__main__":
    stage.run(main)
