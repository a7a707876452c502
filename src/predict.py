"""predict: the fleet at its latest time, worst first, with reasons."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

from pathlib import Path

from forestall.data import store
from forestall.pipeline import files, stage
from forestall.serving.baselines import bundle_baselines
from forestall.serving.bundle import load_bundle
from forestall.serving.fleet import fleet_of

PREPARED, BUNDLE, OUT = Path("data/prepared"), Path("models/bundle"), Path("data/predictions")


def main() -> None:
    """Write data/predictions/fleet.csv."""
    settings = stage.load(params=["predict"], dataset=["clock"])
    clock, most = settings.dataset.clock, settings.params.predict.reasons
    bundle = load_bundle(BUNDLE)
    events, known = store.read_events(PREPARED, clock), bundle_baselines(BUNDLE, bundle)
    end = max(store.last_readings(PREPARED, clock).values())
    fleet = fleet_of(store.read_telemetry(PREPARED, clock), events, known, bundle, end, most)
    OUT.mkdir(parents=True, exist_ok=True)
    files.write_csv(OUT / "fleet.csv", store.with_stamps(fleet, clock))


if __name__ == "__main__":
    stage.run(main)
