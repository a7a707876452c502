"""evaluate: the model and the one-line rule, judged by events on the validation and the test fold."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

from pathlib import Path

from forestall.data import store
from forestall.evaluation import judge, plots, rows
from forestall.features.files import read_features
from forestall.features.labels import TEST, within
from forestall.pipeline import files, stage
from forestall.serving.bundle import load_bundle

PREPARED, FEATURES = Path("data/prepared"), Path("data/features")
METRICS, PLOTS, REPORTS = Path("metrics"), Path("metrics/plots"), Path("reports")
SECTIONS = ["clock", "tables", "components", "decisions", "windows", "split", "costs"]


def main() -> None:
    """Write metrics/validation.json, test.json, policies.csv, rows.csv, rule.json, metrics/plots/ and reports/."""
    settings = stage.load(params=["alarm"], dataset=SECTIONS)
    dataset, alarm = settings.dataset, settings.params.alarm
    bundle = load_bundle(Path("models/bundle"))
    names = [feature.name for feature in bundle.reference.features]
    decisions, features = read_features(FEATURES, names, dataset.clock)
    events, last = store.read_events(PREPARED, dataset.clock), store.last_readings(PREPARED, dataset.clock)
    stage.progress("scoring")
    data = judge.Data(decisions, features, names, events, dataset, last, alarm.quiet)
    risk = bundle.risk(features)
    stage.progress("finding the one-line rule")
    rules = judge.one_line_rules(data, alarm.by)
    verdict = judge.judge(data, risk, bundle.thresholds, rules)
    for fold, figures in verdict.figures.items():
        files.write_json(METRICS / f"{fold}.json", figures)
    files.write_csv(METRICS / "policies.csv", verdict.policies)
    files.write_json(METRICS / "rule.json", {name: rule.text for name, rule in rules.items()})
    test = (decisions["fold"] == TEST).to_numpy()
    labels = within(decisions.loc[test, [f"label.{name}" for name in bundle.components]].to_numpy())
    files.write_csv(METRICS / "rows.csv", rows.row_report(labels, risk[test], bundle.thresholds))
    stage.progress("plots")
    frames = plots.all_plots(labels, risk[test], verdict.alarms, bundle, features[test], dataset)
    for name, frame in frames.items():
        files.write_csv(PLOTS / f"{name}.csv", frame)
    plots.draw(frames, REPORTS)


if __name__ == "__main__":
    stage.run(main)
