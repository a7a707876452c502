"""The servers that `bench/serving.py` compares, each in a process of its own with one worker: _servers.py NAME PORT."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import forestall  # noqa: F401  (pins the kernels)

BUNDLE, MODEL = Path("models/bundle"), Path("models/model.joblib")


def ours(port: int, database: str, bundle: str = str(BUNDLE)) -> None:
    """Forestall's own, as `forestall serve` starts it over an SQLite file."""
    from forestall.serving.api.start import open_service, run

    run(open_service(f"sqlite:///{database}", Path(bundle), "127.0.0.1", recorded=True), "127.0.0.1", port)


def uncounted(port: int, database: str) -> None:
    """The same without what is counted for /metrics."""
    from forestall.serving.api.counters import Counters

    Counters.request = Counters.risks = lambda *_: None  # type: ignore[method-assign]
    ours(port, database)


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
    """FastAPI that parses a history with the schema of /predict, and sends it back: as its manual has it."""
    from fastapi import FastAPI

    app, history = FastAPI(), _history()

    async def predict(asked: Any) -> Any:
        return asked

    predict.__annotations__ = {"asked": history, "return": history}
    app.post("/predict")(predict)
    _run(app, port)


def bare_echo(port: int) -> None:
    """The same without what FastAPI does around it."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    history = _history()

    async def predict(request: Request) -> Response:
        asked = history.model_validate_json(await request.body())
        return Response(asked.model_dump_json(exclude_unset=True), media_type="application/json")

    _run(Starlette(routes=[Route("/predict", predict, methods=["POST"])]), port)


def _history() -> Any:
    from forestall.serving.history_request import request_type
    from forestall.serving.bundle import load_bundle

    return request_type(load_bundle(BUNDLE))


def _run(app: Any, port: int) -> None:
    import uvicorn

    uvicorn.run(app, port=port, loop="uvloop", http="httptools", access_log=False, log_level="error")


if __name__ == "__main__":
    known = {"ours": ours, "uncounted": uncounted, "flask": flask, "echo": echo, "bare_echo": bare_echo}
    known[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:])
