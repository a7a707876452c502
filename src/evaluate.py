"""evaluate: the model, the one-line rule and other policies, judged by events and money on every later fold."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

from pathlib import Path

from forestall.data import store
from forestall.evaluation import plots
from forestall.evaluation.gaps import missing_before
from forestall.evaluation.judge import Data
from forestall.evaluation.verdict import Settings, verdict
from forestall.features.files import read_features
from forestall.pipeline import files, stage
from forestall.serving.bundle import load_bundle

PREPARED, FEATURES = Path("data/prepared"), Path("data/features")
METRICS, PLOTS, REPORTS = Path("metrics"), Path("metrics/plots"), Path("reports/plots")
SECTIONS = ["clock", "tables", "components", "decisions", "windows", "split", "costs"]


def main() -> None:
    """Write metrics/*.json and *.csv, metrics/plots/ and reports/plots/."""
    settings = stage.load(params=["alarm", "evaluate"], dataset=SECTIONS)
    dataset, alarm = settings.dataset, settings.params.alarm
    bundle = load_bundle(Path("models/bundle"))
    names = [feature.name for feature in bundle.reference.features]
    decisions, features = read_features(FEATURES, names, dataset.clock)
    events, last = store.read_events(PREPARED, dataset.clock), store.last_readings(PREPARED, dataset.clock)
    gaps = missing_before(store.read_telemetry(PREPARED, dataset.clock), decisions, dataset)
    data = Data(decisions, features, names, events, dataset, last, alarm.quiet)
    how = Settings(alarm.by, alarm.min_failures, settings.params.evaluate.min_failures)
    found = verdict(data, bundle, gaps, how, stage.progress)
    for name, figures in found.metrics.items():
        files.write_json(METRICS / f"{name}.json", figures)
    for folder, frames in ((METRICS, found.tables), (PLOTS, found.plots)):
        for name, frame in frames.items():
            files.write_csv(folder / f"{name}.csv", frame)
    plots.draw(found.plots, bundle.components, REPORTS)


if __name__ == "__main__":
    stage.run(main)
