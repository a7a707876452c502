"""The bundle: what is served. An ONNX file, a manifest, the machines' baselines; loaded only if the hashes fit."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forestall.errors import ForestallError
from forestall.features.reference import Matrix, Reference
from forestall.serving.plant import Plant

# Read when the runtime is loaded: it would write an identifier into the home, and report over the network which graph
# it was given.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as refusals

# What the runtime says of a graph that it cannot load or feed. They have no base of their own.
REFUSED = (
    refusals.Fail,
    refusals.InvalidArgument,
    refusals.InvalidGraph,
    refusals.InvalidProtobuf,
    refusals.NotImplemented,
)
MODEL, MANIFEST = "model.onnx", "manifest.json"
INPUT, OUTPUT = "features", "risk"  # of the graph
ROWS_AT_A_TIME = 100_000
FORMAT = 2


class BundleError(ForestallError):
    """A bundle that must not be used."""


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle."""

    manifest: dict[str, Any]
    plant: Plant
    reference: Reference
    session: ort.InferenceSession

    @property
    def components(self) -> list[str]:
        """The components in the order of the risk columns."""
        return list(self.manifest["thresholds"])

    @property
    def thresholds(self) -> dict[str, float]:
        """The alarm threshold of each component."""
        return dict(self.manifest["thresholds"])

    def risk(self, features: Matrix) -> Matrix:
        """Calibrated risk over the longest horizon, [rows, components], of filled feature rows [rows, features]."""
        return np.ascontiguousarray(self.curves(features)[:, :, -1])

    def curves(self, features: Matrix) -> Matrix:
        """Calibrated risk [rows, components, horizons] of filled feature rows; every score goes through here."""
        pieces = [
            self.session.run(
                [OUTPUT], {INPUT: np.ascontiguousarray(features[start : start + ROWS_AT_A_TIME])}
            )[0]
            for start in range(0, len(features), ROWS_AT_A_TIME)
        ]
        shape = (len(features), len(self.components), len(self.reference.spans.horizons))
        return (np.concatenate(pieces) if pieces else np.empty(0, dtype=np.float32)).reshape(shape)


def manifest_text(manifest: dict[str, Any]) -> str:
    """A manifest as it is written: a bundle is known by these bytes."""
    return json.dumps(manifest, indent=1, allow_nan=False) + "\n"


def load_bundle(folder: Path) -> Bundle:
    """The bundle in a folder.

    Raises:
        BundleError: a file is missing or is not the one that the manifest names.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise BundleError(
                f"{folder / MANIFEST}: format {manifest['format']}, not {FORMAT}. Run `dvc repro export`."
            )
        there = {file.name for file in folder.iterdir()} | {MODEL}
        if there - {MANIFEST} != set(manifest["sha256"]):
            raise BundleError(
                f"{folder / MANIFEST}: it names other files than there are. Run `dvc repro export`."
            )
        for name, expected in manifest["sha256"].items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != expected:
                raise BundleError(
                    f"{folder / name}: not the file that {MANIFEST} names. Run `dvc repro export`."
                )
    except (OSError, KeyError, json.JSONDecodeError) as error:
        raise BundleError(f"{folder}: not a whole bundle ({error}). Run `dvc repro export`.") from error
    plant, reference = Plant.from_json(manifest["plant"]), Reference.from_json(manifest["reference"])
    return Bundle(manifest, plant, reference, session_of(folder / MODEL))


def session_of(model: Path) -> ort.InferenceSession:
    """A session with one thread: with more the last bits depend on the machine."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
