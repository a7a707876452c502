"""An MLflow server: found alive or given up in seconds, and what goes wrong with it as one sentence.

Nothing heavy is imported here, so that a server that is not there is noticed before anything is read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from forestall.errors import ForestallError

# A server that is not there is noticed in seconds; MLflow's own defaults wait for minutes. Who sets them means it.
PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
NO_ANSWER = re.compile(r"Max retries exceeded|Connection|Read timed out|[Tt]imeout|Failed to resolve")
DENIED = re.compile(r"error code 40[13]|[Uu]nauthorized|[Pp]ermission denied")


class TrackingError(ForestallError):
    """What the tracking server did not do."""


@dataclass(frozen=True)
class Server:
    """An MLflow server."""

    uri: str
    client: Any

    def page(self, run: Any) -> str:
        """Where a browser sees a run."""
        return f"{self.uri}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"


def connect(uri: str) -> Server:
    """A server that has answered.

    Raises:
        TrackingError: no client is installed, the address cannot be one, or nothing answers there.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:  # half an IPv6 address
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise TrackingError("--to takes the address of an MLflow server, as in http://127.0.0.1:5000.")
    if parts.username or parts.password:
        raise TrackingError(
            "Credentials in an address end up in logs. Leave them out, and set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
        )
    for name, value in (PATIENCE | QUIET).items():
        os.environ.setdefault(name, value)
    try:
        import mlflow
    except ImportError as error:
        raise TrackingError("MLflow's client is not installed. Run `make setup-tracking`.") from error
    uri = uri.rstrip("/")
    mlflow.set_tracking_uri(uri)
    server = Server(uri, mlflow.MlflowClient(uri, registry_uri=uri))
    with answering(uri):
        server.client.search_experiments(max_results=1)
    return server


@contextmanager
def answering(uri: str) -> Iterator[None]:
    """What goes wrong with a server, as one sentence."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException

    try:
        yield
    except (MlflowException, RequestException) as error:
        raise TrackingError(sentence(uri, str(error))) from error


def sentence(uri: str, said: str) -> str:
    """What an MLflow client's error means for its user."""
    if DENIED.search(said):
        return (
            f"{uri} wants other credentials. Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
            "MLFLOW_TRACKING_TOKEN."
        )
    if failed := re.search(r"too many (\d+) error responses", said):
        return f"{uri} answers with errors (HTTP {failed[1]}). Its own log says why."
    if NO_ANSWER.search(said):
        return (
            f"{uri} does not answer. Is an MLflow server running there? (A slow one gets more time with "
            f"MLFLOW_HTTP_REQUEST_TIMEOUT, in seconds; now {os.environ['MLFLOW_HTTP_REQUEST_TIMEOUT']}.)"
        )
    without_pages = re.sub(r"\s*Response body: '?<.*", "", said, flags=re.DOTALL)
    return f"{uri} refuses: {' '.join(without_pages.split())[:300]}"
