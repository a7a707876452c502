"""The servers that `bench/serving.py` compares, each in a process of its own with one worker: _servers.py NAME PORT."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import forestall  # noqa: F401  (pins the kernels)

BUNDLE, MODEL = Path("models/bundle"), Path("models/model.joblib")


def ours(port: int, database: str) -> None:
    """Forestall's own, as `forestall serve` starts it over an SQLite file."""
    from forestall.serving.api.start import open_service, run

    run(open_service(f"sqlite:///{database}", BUNDLE, "127.0.0.1", recorded=True), "127.0.0.1", port)


def flask(port: int) -> None:
    """The tutorials' server: Flask, joblib.load, and a prediction for each request."""
    import joblib
    import numpy as np
    from flask import Flask, jsonify, request

    app, model = Flask("tutorial"), joblib.load(MODEL)
    thresholds = np.array(list(model.thresholds.values()))

    @app.route("/predict", methods=["POST"])
    def predict() -> Any:
        data = request.get_json()
        risk = model.curves(np.array([data["features"]], dtype=np.float32))[0, :, -1]
        return jsonify({"prediction": [int((risk >= thresholds).any())], "risk": risk.tolist()})

    app.run(port=port)


def echo(port: int) -> None:
    """FastAPI that parses a history with the schema of /predict, and sends it back."""
    import uvicorn
    from fastapi import FastAPI, Request, Response

    from forestall.serving.asked import asked_type
    from forestall.serving.bundle import load_bundle

    app, asked = FastAPI(), asked_type(load_bundle(BUNDLE))

    async def predict(request: Request) -> Response:
        history = asked.model_validate_json(await request.body())
        return Response(history.model_dump_json(exclude_unset=True), media_type="application/json")

    app.add_route("/predict", predict, methods=["POST"])
    options: dict[str, Any] = {
        "loop": "uvloop",
        "http": "httptools",
        "access_log": False,
        "log_level": "error",
    }
    uvicorn.run(app, port=port, **options)


if __name__ == "__main__":
    {"ours": ours, "flask": flask, "echo": echo}[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:])
