"""predict: the fleet at its latest time, worst first, with reasons."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

from pathlib import Path

from forestall.data import store
from forestall.features import build
from forestall.features.baselines import own_baselines
from forestall.pipeline import files, stage
from forestall.serving.bundle import load_bundle
from forestall.serving.fleet import fleet_table, worst_first
from forestall.serving.opinions import Opinion, opinions_of

PREPARED, OUT = Path("data/prepared"), Path("data/predictions")


def main() -> None:
    """Write data/predictions/fleet.csv."""
    dataset = stage.load(params=[], dataset=["clock", "tables", "decisions", "windows"]).dataset
    bundle = load_bundle(Path("models/bundle"))
    events = store.read_events(PREPARED, dataset.clock)
    end = max(store.last_readings(PREPARED, dataset.clock).values())

    def chunks() -> store.Frames:
        return store.read_telemetry(PREPARED, dataset.clock)

    opinions: list[Opinion] = []
    for history in build.histories(chunks, events, dataset, end):
        own = own_baselines(history, bundle.reference.spans, bundle.reference.condition_places)
        opinions += opinions_of(history, own, bundle)
    fleet = worst_first(fleet_table(opinions, bundle))
    OUT.mkdir(parents=True, exist_ok=True)
    files.write_csv(OUT / "fleet.csv", store.with_stamps(fleet, dataset.clock))


if __name__ == "__main__":
    stage.run(main)
