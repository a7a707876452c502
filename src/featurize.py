"""featurize: point-in-time features, labels and folds."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

from pathlib import Path

from forestall.data import store
from forestall.features import build
from forestall.features.checks import check_folds
from forestall.features.files import FeatureWriter, write_baselines
from forestall.pipeline import files, stage

PREPARED, OUT = Path("data/prepared"), Path("data/features")
SECTIONS = ["clock", "tables", "components", "decisions", "windows", "split"]


def main() -> None:
    """Write data/features/: decisions and features, the reference, the machines' baselines."""
    settings = stage.load(params=["features"], dataset=SECTIONS)
    dataset, params = settings.dataset, settings.params.features
    events = store.read_events(PREPARED, dataset.clock)
    end = max(store.last_readings(PREPARED, dataset.clock).values())
    OUT.mkdir(parents=True, exist_ok=True)

    def chunks() -> store.Frames:
        return store.read_telemetry(PREPARED, dataset.clock)

    stage.progress("fitting the reference")
    groups = tuple(name for name, on in params.groups if on)
    reference = build.fit_reference(chunks, events, dataset, groups, params.max_codes, end)
    files.write_json(OUT / "reference.json", reference.to_json())
    reference = reference.from_json(files.read_json(OUT / "reference.json"))
    with FeatureWriter(OUT, reference, dataset.clock) as writer:
        for part in build.parts(chunks, events, dataset, reference, end):
            writer.write(part.decisions, part.features)
            stage.progress(f"{writer.rows:,} decisions")
    check_folds(writer.folds, dataset, str(PREPARED))
    write_baselines(OUT, build.latest_baselines(chunks, events, dataset, end), dataset.clock)


if __name__ == "__main__":
    stage.run(main)
