"""Saves the fitted forests as an MLflow model in a folder, for `mlflow models serve`; MLflow's environment runs it."""

from __future__ import annotations

import sys
from pathlib import Path

import mlflow.pyfunc


class Forests(mlflow.pyfunc.PythonModel):
    """joblib's model of all parts."""

    def load_context(self, context):
        import joblib

        self.model = joblib.load(context.artifacts["model"])

    def predict(self, context, model_input, params=None):  # noqa: ARG002
        """Risks over the longest horizon, [rows, components]. Names are MLflow's, which takes types for a signature."""
        import numpy as np

        return self.model.curves(np.asarray(model_input, dtype=np.float32))[:, :, -1]


if __name__ == "__main__":
    artifacts = {"model": str(Path("models/model.joblib").resolve())}
    mlflow.pyfunc.save_model(sys.argv[1], python_model=Forests(), artifacts=artifacts)
