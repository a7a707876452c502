"""export: the fitted model as one ONNX file with all that is needed to serve it, and proof that both agree."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

import shutil
from pathlib import Path

import numpy as np

from forestall.data import store
from forestall.errors import ForestallError
from forestall.features.files import BASELINES, read_features
from forestall.features.labels import TEST
from forestall.features.reference import Reference
from forestall.monitoring.reference import monitoring_reference, write_reference
from forestall.pipeline import files, stage
from forestall.serving.baselines import bundle_baselines
from forestall.serving.bundle import load_bundle
from forestall.serving.export import made_from, parity, parity_rows, write_bundle, write_manifest
from forestall.serving.known_answers import write_known_answers
from forestall.serving.past_failures import past_failures, write_past_failures
from forestall.serving.plant import Plant

PREPARED, FEATURES = Path("data/prepared"), Path("data/features")
FITTED, OUT = Path("models/model.joblib"), Path("models/bundle")
TOLERANCE = 1e-5
SECTIONS = ["clock", "tables", "components", "decisions", "costs"]


def main() -> None:
    """Write models/bundle/ and metrics/parity.json."""
    settings = stage.load(params=["data", "prepare", "alarm"], dataset=SECTIONS)
    params, dataset = settings.params, settings.dataset
    model = files.load_model(FITTED)
    reference = Reference.from_json(files.read_json(FEATURES / "reference.json"))
    OUT.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(FEATURES / BASELINES, OUT / BASELINES)
    plant = Plant(
        name=params.data.dataset,
        dataset=dataset,
        carry_forward=params.prepare.carry_forward,
        quiet=params.alarm.quiet,
    )
    made = made_from(PREPARED, FITTED)
    write_bundle(OUT, model, reference, plant, made)
    decisions, features = read_features(FEATURES, model.features, dataset.clock)
    bundle, events = load_bundle(OUT), store.read_events(PREPARED, dataset.clock)
    past = past_failures(decisions, features, events, bundle_baselines(OUT, bundle), bundle)
    write_past_failures(OUT, past, bundle)
    write_reference(OUT, monitoring_reference(decisions, features, events, bundle), dataset.clock)
    test = features[(decisions["fold"] == TEST).to_numpy()]
    rows_by_name = parity_rows(test, model, reference)
    write_known_answers(OUT, bundle, np.concatenate(list(rows_by_name.values())))
    write_manifest(OUT, model, reference, plant, made)
    differences = {
        name: {"rows": len(rows), "largest_difference": parity(OUT, model, rows)}
        for name, rows in rows_by_name.items()
    }
    worst = max(difference["largest_difference"] for difference in differences.values())
    if not worst < TOLERANCE:
        raise ForestallError(
            f"the exported model differs from the trained one by {worst:.1e}, more than {TOLERANCE}. "
            "A little more is rounding, which a steep calibration magnifies: more rows (train.negatives) help, or a "
            "forest (train.family), whose sums are exact. Anything else is a fault of the export: please report it."
        )
    files.write_json(Path("metrics/parity.json"), differences)


if __name__ == "__main__":
    stage.run(main)
