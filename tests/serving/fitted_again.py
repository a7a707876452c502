"""Families fitted, exported and asked in a process of its own, on whatever processor that has."""

from __future__ import annotations

import forestall.pipeline.interpreter  # noqa: F401  (pins the kernels before numpy is loaded)

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from forestall.serving.bundle import MODEL, load_bundle
from forestall.serving.export import write_bundle
from forestall.training.fit import Recipe, fit_model

CALIBRATIONS = ("sigmoid", "beta")


def main(made: Path, bundles: Path, families: list[str]) -> None:
    """Fit these families into bundles, then print the SHA-256s of every bundle's graph and risks, by its name."""
    given = joblib.load(made)
    for family in families:
        for calibration in CALIBRATIONS:
            fit(given, bundles / f"{family}-{calibration}", family, calibration)
    rows = given["features"][::7][:203]
    print(json.dumps({folder.name: asked(folder, rows) for folder in sorted(bundles.iterdir())}))


def fit(given: dict[str, Any], folder: Path, family: Any, calibration: Any) -> None:
    """A bundle of the family."""
    reference = given["reference"]
    names, parts = [feature.name for feature in reference.features], list(reference.components)
    recipe = Recipe(family, given["families"][family], calibration, 2000, 5, 0)
    horizons = len(reference.spans.horizons)
    model = fit_model(
        given["decisions"], given["features"], names, parts, horizons, recipe, lambda text: None
    )
    model.thresholds = dict.fromkeys(parts, 0.1)
    write_bundle(folder, model, reference, given["plant"])


def asked(folder: Path, rows: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> list[str]:
    """Of the graph, of the risks of the rows together, and of each alone."""
    bundle = load_bundle(folder)
    alone = np.concatenate([bundle.curves(rows[row : row + 1]) for row in range(len(rows))])
    contents = ((folder / MODEL).read_bytes(), bundle.curves(rows).tobytes(), alone.tobytes())
    return [hashlib.sha256(content).hexdigest() for content in contents]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
