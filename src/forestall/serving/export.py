"""Writing a bundle, and measuring how closely its graph agrees with scikit-learn."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from forestall.features.reference import Matrix, Reference
from forestall.serving.bundle import FORMAT, INPUT, MANIFEST, MODEL, OUTPUT, manifest_text, session_of
from forestall.serving.onnx_model import to_graph
from forestall.serving.plant import Plant
from forestall.training.fit import FittedModel

PACKAGES = ("numpy", "onnx", "onnxruntime", "scikit-learn", "skl2onnx")


@dataclass(frozen=True)
class MadeFrom:
    """By what a bundle is found in a history; empty where it is not known.

    data_hash: of the prepared tables. model_md5: of the fitted model, as `dvc.lock` has it.
    """

    data_hash: str = ""
    model_md5: str = ""


def made_from(prepared: Path, model: Path) -> MadeFrom:
    """What these prepared tables and this file of a fitted model are known by."""
    return MadeFrom(data_hash(prepared), hashlib.md5(model.read_bytes(), usedforsecurity=False).hexdigest())


def write_bundle(
    folder: Path, model: FittedModel, reference: Reference, plant: Plant, made: MadeFrom = MadeFrom()
) -> None:
    """The graph and the manifest; files that are in `folder` already are hashed, too."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(to_graph(model).SerializeToString(deterministic=True))
    write_manifest(folder, model, reference, plant, made)


def write_manifest(
    folder: Path, model: FittedModel, reference: Reference, plant: Plant, made: MadeFrom = MadeFrom()
) -> None:
    """The manifest of a bundle that has all its other files."""
    manifest = {
        "format": FORMAT,
        "family": model.family,
        "thresholds": model.thresholds,
        "calibration": {name: [vars(one) for one in maps] for name, maps in model.calibrations.items()},
        "lookback": reference.spans.lookback,
        "dataset": plant.name,
        **asdict(made),
        "plant": plant.to_json(),
        "versions": {package: version(package) for package in PACKAGES},
        "sha256": {file.name: _sha256(file) for file in sorted(folder.iterdir()) if file.name != MANIFEST},
        "reference": reference.to_json(),
    }
    (folder / MANIFEST).write_text(manifest_text(manifest), encoding="utf-8")


def parity(folder: Path, model: FittedModel, features: Matrix) -> float:
    """The largest difference between the graph's risks and scikit-learn's on rows [rows, features]."""
    if len(features) == 0:
        return 0.0
    risk = session_of(folder / MODEL).run([OUTPUT], {INPUT: np.ascontiguousarray(features)})[0]
    return float(np.abs(risk - model.curves(features).reshape(len(features), -1)).max())


def data_hash(folder: Path) -> str:
    """SHA-256 of the names and hashes of the clean tables in a folder: equal where the model saw equal data."""
    hashes = {file.name: _sha256(file) for file in sorted(folder.glob("*.parquet"))}
    return hashlib.sha256(json.dumps(hashes).encode()).hexdigest()


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def parity_rows(test: Matrix, model: FittedModel, reference: Reference) -> dict[str, Matrix]:
    """Rows on which agreement is measured: test rows, rows with every value of a source missing, rows at thresholds.

    Args:
        test: [rows, features].
    """
    fills = np.array(reference.fills, dtype=np.float32)
    sources = list(dict.fromkeys(feature.source for feature in reference.features))
    missing = test[: 50 * len(sources)].copy()
    for number in range(len(missing)):
        gone = [f.source == sources[number % len(sources)] for f in reference.features]
        missing[number, gone] = fills[gone]
    risk = model.risk(test)
    distance = np.abs(risk - np.array(list(model.thresholds.values()), dtype=np.float32))
    nearest = np.unique(np.argsort(distance, axis=0, kind="stable")[:250])
    return {"test": test, "missing": missing, "at_thresholds": test[nearest]}
