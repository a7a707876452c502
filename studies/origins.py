"""origins: what the pipeline would have made of the data at earlier ends, and of all, with every group of features."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

from pathlib import Path

from forestall.data import store
from forestall.features import origins
from forestall.features.files import FeatureWriter
from forestall.pipeline import files, stage

PREPARED, OUT = Path("data/prepared"), Path("data/studies")


def main() -> None:
    """Write data/studies/<name>/ for each origin and for `all`: decisions and features, the reference."""
    settings = stage.load(
        params=["features"], dataset=["clock", "tables", "components", "decisions", "windows", "split"]
    )
    dataset, params = settings.dataset, settings.params.features
    events, last = store.read_events(PREPARED, dataset.clock), store.last_readings(PREPARED, dataset.clock)
    groups = tuple(name for name, _ in params.groups)
    for name, (one, at) in origins.rolling(dataset, last).items():
        stage.progress(f"origin {name}")
        reference, decisions, features = origins.features_at(
            lambda: store.read_telemetry(PREPARED, dataset.clock), events, one, groups, params.max_codes, at
        )
        (OUT / name).mkdir(parents=True, exist_ok=True)
        files.write_json(OUT / name / "reference.json", reference.to_json())
        with FeatureWriter(OUT / name, reference, dataset.clock) as writer:
            writer.write(decisions, features)


if __name__ == "__main__":
    stage.run(main)
