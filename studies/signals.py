"""signals: what is foreseeable at all, by component; without the test fold, and without the simulator's truth."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

from pathlib import Path

from forestall.data import store
from forestall.evaluation.foreseeable import foreseeable, summary
from forestall.evaluation.study_plots import draw_foreseeable
from forestall.features.files import read_features
from forestall.features.labels import OPINION, VALIDATION, fold_ends
from forestall.features.origins import events_until
from forestall.features.reference import Reference
from forestall.pipeline import files, stage

PREPARED, FEATURES, OUT = Path("data/prepared"), Path("data/features"), Path("studies/results")


def main() -> None:
    """Write studies/results/signals.csv, onsets.csv, ceiling.csv, signals.json and a figure."""
    settings = stage.load(
        params=["data"], dataset=["clock", "tables", "components", "decisions", "windows", "split"]
    )
    dataset = settings.dataset
    described = Reference.from_json(files.read_json(FEATURES / "reference.json")).features
    decisions, features = read_features(FEATURES, [feature.name for feature in described], dataset.clock)
    end = max(store.last_readings(PREPARED, dataset.clock).values())
    until = fold_ends(end, dataset)[VALIDATION]
    events = events_until(store.read_events(PREPARED, dataset.clock), until)
    kept = ((decisions["no_opinion"] == OPINION) & (decisions["time"] <= until)).to_numpy()
    found = foreseeable(decisions[kept].reset_index(drop=True), features[kept], described, events, dataset)
    files.write_csv(OUT / "signals.csv", found.effects)
    files.write_csv(OUT / "onsets.csv", found.onsets)
    files.write_csv(OUT / "ceiling.csv", found.ceiling)
    figures = summary(found, dataset)
    files.write_json(OUT / "signals.json", figures)
    for warning in figures["warnings"]:
        print(f"warning: {warning}")
    draw_foreseeable(found, Path("studies/figures/signals.png"))


if __name__ == "__main__":
    stage.run(main)
