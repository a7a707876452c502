"""train: one calibrated classifier a component, and the thresholds at which alarms open."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

from pathlib import Path

from forestall.data import store
from forestall.features.checks import check_training
from forestall.features.files import read_features
from forestall.features.labels import VALIDATION
from forestall.features.reference import Reference
from forestall.pipeline import files, stage
from forestall.training import judging, thresholds
from forestall.training.fit import Recipe, fit_model
from forestall.training.series import risk_matrix

PREPARED, FEATURES = Path("data/prepared"), Path("data/features")
SECTIONS = ["clock", "components", "decisions", "split", "costs"]


def main() -> None:
    """Write models/model.joblib."""
    settings = stage.load(params=["train", "alarm"], dataset=SECTIONS)
    dataset, train, alarm = settings.dataset, settings.params.train, settings.params.alarm
    reference = Reference.from_json(files.read_json(FEATURES / "reference.json"))
    names = [feature.name for feature in reference.features]
    decisions, features = read_features(FEATURES, names, dataset.clock)
    check_training(decisions, dataset, str(FEATURES))
    recipe = Recipe(
        family=train.family,
        settings=getattr(train, train.family).model_dump(),
        calibration=train.calibration,
        negatives=train.negatives,
        min_failures=alarm.min_failures,
        seed=train.seed,
    )
    horizons = len(dataset.decisions.horizons)
    model = fit_model(decisions, features, names, list(dataset.components), horizons, recipe, stage.progress)
    events = store.read_events(PREPARED, dataset.clock)
    rows = decisions["fold"].to_numpy() == VALIDATION
    rules = judging.rules_of(dataset, alarm.quiet)
    last = store.last_readings(PREPARED, dataset.clock)
    series = judging.series_of_fold(decisions[rows], events, dataset, VALIDATION, last)
    risk = risk_matrix(series, decisions[rows], model.risk(features[rows]))
    most = judging.most_alarms(alarm.by, alarm.budget, alarm.per_week, decisions[rows], dataset)
    model.thresholds = thresholds.choose_thresholds(
        series, risk, rules, dataset.costs, alarm.by, most, alarm.min_failures
    )
    Path("models").mkdir(exist_ok=True)
    files.save_model(Path("models/model.joblib"), model)


if __name__ == "__main__":
    stage.run(main)
