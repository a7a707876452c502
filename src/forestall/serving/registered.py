"""A bundle as MLflow's registry serves it: `mlflow.pyfunc.load_model` calls `_load_pyfunc` of this module.

It travels with the model, together with the modules that it imports, and needs `PACKAGES` and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from forestall.features.columns import span_name
from forestall.serving.bundle import Bundle, load_bundle

PACKAGES = ("numpy", "onnxruntime", "pandas", "pydantic", "ruamel-yaml")


@dataclass(frozen=True)
class Registered:
    """What MLflow hands out."""

    bundle: Bundle

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Calibrated risks, float32, one column for each of `risk_columns`.

        Args:
            rows: filled features by name, as featurize writes them; other columns are ignored.
        """
        features = rows[feature_names(self.bundle)].to_numpy(dtype=np.float32)
        curves = self.bundle.curves(features).reshape(len(features), len(risk_columns(self.bundle)))
        return pd.DataFrame(curves, columns=risk_columns(self.bundle), index=rows.index)


def feature_names(bundle: Bundle) -> list[str]:
    """The features that a bundle wants, in its order."""
    return [feature.name for feature in bundle.reference.features]


def risk_columns(bundle: Bundle) -> list[str]:
    """`bearing.risk_24h`: component and horizon of each risk, in the order of `Bundle.curves`."""
    unit, horizons = bundle.reference.unit, bundle.reference.spans.horizons
    return [
        f"{component}.risk_{span_name(ticks, unit)}" for component in bundle.components for ticks in horizons
    ]


def _load_pyfunc(path: str) -> Registered:
    """The model in a bundle's folder; the name is MLflow's."""
    return Registered(load_bundle(Path(path)))
