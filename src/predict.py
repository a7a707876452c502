"""predict: the fleet at its latest time, worst first, with reasons."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

from pathlib import Path

import pandas as pd

from forestall.data import store
from forestall.data.events import absent_pairs
from forestall.features import build
from forestall.features.baselines import own_baselines
from forestall.features.labels import failed_for_good
from forestall.pipeline import files, stage
from forestall.serving.bundle import load_bundle
from forestall.serving.fleet import fleet_table, latest, worst_first

PREPARED, OUT = Path("data/prepared"), Path("data/predictions")


def main() -> None:
    """Write data/predictions/fleet.csv."""
    settings = stage.load(
        params=["predict"], dataset=["clock", "tables", "components", "decisions", "windows", "split"]
    )
    dataset = settings.dataset
    bundle = load_bundle(Path("models/bundle"))
    events = store.read_events(PREPARED, dataset.clock)
    end = max(store.last_readings(PREPARED, dataset.clock).values())
    absent = absent_pairs(events.machines, dataset)

    def chunks() -> store.Frames:
        return store.read_telemetry(PREPARED, dataset.clock)

    tables = []
    for history in build.histories(chunks, events, dataset, end):
        own = own_baselines(history, bundle.reference.spans, bundle.reference.condition_places)
        now = latest(history, own, failed_for_good(history, dataset), bundle)
        tables.append(fleet_table(now, bundle, absent, settings.params.predict.reasons))
    fleet = worst_first(pd.concat(tables, ignore_index=True))
    OUT.mkdir(parents=True, exist_ok=True)
    files.write_csv(OUT / "fleet.csv", store.with_stamps(fleet, dataset.clock))


if __name__ == "__main__":
    stage.run(main)
