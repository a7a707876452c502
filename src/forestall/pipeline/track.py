"""`forestall track`: a revision published to an MLflow server, once, however often it is asked."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forestall.errors import ForestallError
from forestall.pipeline.publication import Publication, experiments, publication
from forestall.pipeline.registered_model import save_model
from forestall.pipeline.revisions import Commit, Revision
from forestall.pipeline.tracking_server import Server, TrackingError, answering

REVISION, PARENT = "forestall.revision", "mlflow.parentRunId"
MODEL = "model"
AT_ONCE = 100  # params in one request, the most that MLflow takes
LONGEST = 6000  # characters of a param's value, the most that MLflow takes
FINISHED = "FINISHED"
READY_WITHIN = 30  # seconds until a new version has to be there


@dataclass(frozen=True)
class Asked:
    """What a user asked for. model: the registered model's name. alias: what its new version is called."""

    model: str | None = None
    alias: str | None = None
    with_experiments: bool = False


def track(one: Revision, server: Server, asked: Asked, root: Path, say: Callable[[str], None]) -> list[str]:
    """Publish a revision, and if asked for its experiments as child runs; returns what could not be published.

    Raises:
        TrackingError: the server refuses, or is gone. ForestallError: the revision cannot be published.
    """
    with tempfile.TemporaryDirectory() as folder:
        found = publication(one, root, Path(folder))
        with answering(server.uri):
            run = publish(server, found, None, say)
            register(server, run, found, asked, say)
    say(f"  {server.page(run)}")
    return _children(server, found, run, root, say) if asked.with_experiments else []


def _children(
    server: Server, parent: Publication, run: Any, root: Path, say: Callable[[str], None]
) -> list[str]:
    failed = []
    for name, commit in experiments(parent.tags["forestall.commit"], root).items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = publication(Commit(root, name, commit), root, Path(folder))
                with answering(server.uri):
                    publish(server, found, run, say)
            except TrackingError:
                raise  # the others would fail, too
            except ForestallError as error:
                failed.append(str(error))
    return failed


def publish(server: Server, found: Publication, parent: Any, say: Callable[[str], None]) -> Any:
    """The run of a publication, made or finished if need be."""
    experiment = _experiment(server, f"forestall-{found.dataset}")
    run = _run_of(server, experiment, found.key)
    if run is None or run.info.status != FINISHED:
        run = _publish(server, found, experiment, run)
        say(
            f"{found.name} is published as run {run.info.run_id}: {len(found.params)} params, "
            f"{len(found.metrics)} metrics, {len(found.texts)} files, plots and the model card."
        )
    else:
        say(f"{found.name} is there already, as run {run.info.run_id}.")
    if parent is not None and run.data.tags.get(PARENT) != parent.info.run_id:
        server.client.set_tag(run.info.run_id, PARENT, parent.info.run_id)
    return run


def _publish(server: Server, found: Publication, experiment: str, begun: Any) -> Any:
    """A new run, or the one that an earlier call did not finish."""
    from mlflow.entities import Metric, Param

    files = found.files()
    run = begun or server.client.create_run(experiment, found.at, found.tags, found.name)
    params = [Param(key, value) for key, value in allowed(found.params).items()]
    for start in range(0, len(params), AT_ONCE):
        server.client.log_batch(run.info.run_id, params=params[start : start + AT_ONCE])
    metrics = [Metric(name, value, found.at, 0) for name, value in found.metrics.items()]
    server.client.log_batch(run.info.run_id, metrics=metrics)
    server.client.log_artifacts(run.info.run_id, str(files))
    server.client.set_terminated(run.info.run_id, FINISHED, end_time=found.at)
    return run


def register(server: Server, run: Any, found: Publication, asked: Asked, say: Callable[[str], None]) -> None:
    """The run's bundle as a version of the registered model, and its alias."""
    name = asked.model or f"forestall-{found.dataset}"
    version = _version_of(server, name, run)
    if version is None:
        version = _register(server, name, run, found)
        say(f"  registered as {name}, version {version.version}")
    if asked.alias is not None and _aliased(server, name, asked.alias) != str(version.version):
        server.client.set_registered_model_alias(name, asked.alias, version.version)
        say(f"  {name}@{asked.alias} is version {version.version}")


def _experiment(server: Server, name: str) -> str:
    found = server.client.get_experiment_by_name(name)
    if found is None:
        return str(server.client.create_experiment(name))
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"The server's experiment {name} was deleted. Restore it there, or delete it for good."
        )
    return str(found.experiment_id)


def _run_of(server: Server, experiment: str, key: str) -> Any:
    found = server.client.search_runs([experiment], f"tags.`{REVISION}` = '{key}'", max_results=1)
    return found[0] if found else None


def allowed(params: dict[str, str]) -> dict[str, str]:
    """Params as MLflow takes them: other characters in a name become `_` and their number, long values are cut."""
    return {
        re.sub(r"[^\w\-. ]", lambda found: f"_{ord(found[0])}_", key)[:250]: value[:LONGEST]
        for key, value in params.items()
    }


def _version_of(server: Server, name: str, run: Any) -> Any:
    found = server.client.search_model_versions(f"run_id = '{run.info.run_id}'")
    return next((version for version in found if version.name == name), None)


def _register(server: Server, name: str, run: Any, found: Publication) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        save_model(found.bundle(), Path(folder) / MODEL)
        server.client.log_artifacts(run.info.run_id, str(Path(folder) / MODEL), MODEL)
    _require_model(server, name)
    tags = {key: value for key, value in found.tags.items() if key.startswith("forestall.")}
    return server.client.create_model_version(
        name, f"{run.info.artifact_uri}/{MODEL}", run.info.run_id, tags=tags, await_creation_for=READY_WITHIN
    )


def _require_model(server: Server, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        server.client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        server.client.create_registered_model(name)


def _aliased(server: Server, name: str, alias: str) -> str | None:
    model = server.client.get_registered_model(name)
    version = model.aliases.get(alias)
    return None if version is None else str(version)
