"""What is published of a revision: read from Git and DVC and laid out in a folder, before any server is asked."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forestall.comparison.changes import flat, output_hash
from forestall.errors import ForestallError
from forestall.pipeline.freshness import changed_params, stale
from forestall.pipeline.params import PARAMS
from forestall.pipeline.revisions import LOCK_FILE, WORKSPACE, Commit, Revision, git
from forestall.pipeline.side import BUNDLE, FOLDS, PREPARED, Side

PLOTS, CARD = "reports/plots", "reports/model_card.md"
SHORT = 10


class NothingToPublishError(ForestallError):
    """Why a revision is not a run of the pipeline."""


@dataclass(frozen=True)
class Publication:
    """A revision as a tracking server takes it.

    key: what it is found by again: its commit, or a hash of a workspace that differs from it. at: when it was
    committed, milliseconds since 1970. texts: the files in Git that say what the run was and what came of it, by path.
    """

    key: str
    name: str
    at: int
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    texts: dict[str, str]
    side: Side

    @property
    def dataset(self) -> str:
        """Which dataset it ran on."""
        return self.side.dataset_name

    def bundle(self) -> Path:
        """The model's folder.

        Raises:
            RevisionError: it is neither in the cache nor in a remote.
        """
        return self.side.revision.output(BUNDLE, self.side.folder)

    def files(self) -> Path:
        """A folder as it is uploaded: model_card.md, plots/, and the files in Git; raises as `bundle`."""
        outputs, folder = self.side.folder, self.side.folder / "files"
        shutil.copytree(self.side.revision.output(PLOTS, outputs), folder / "plots")
        shutil.copy(self.side.revision.output(CARD, outputs), folder)
        for path, text in self.texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8", newline="\n")
        return folder


def publication(one: Revision, root: Path, folder: Path) -> Publication:
    """What is published of a revision; `folder` is where copies are put.

    Raises:
        NothingToPublishError: it has no run, or params that its run was not made with.
    """
    found = committed(one, root)
    side = Side(found, folder)
    _require_a_run(side, root)
    commit = found.commit or git(root, "rev-parse", "HEAD").stdout.strip()
    texts = _texts(side)
    key = found.commit or f"{WORKSPACE}-{_digest(texts)}"
    return Publication(
        key=key,
        name=_name(one, found),
        at=int(git(root, "show", "-s", "--format=%ct", commit).stdout) * 1000,
        params=_params(side),
        metrics=_metrics(side),
        tags=_tags(side, key, commit, root),
        texts=texts,
        side=side,
    )


def _name(asked: Revision, found: Revision) -> str:
    """What a run is called: as asked for, or by its commit where that says no more."""
    if found.commit and (asked.name in (WORKSPACE, "HEAD") or found.commit.startswith(asked.name)):
        return found.commit[:SHORT]
    return asked.name


def committed(one: Revision, root: Path) -> Revision:
    """The revision; for a workspace without changes, the commit that it is."""
    if one.commit is not None or git(root, "status", "--porcelain", "--untracked-files=no").stdout:
        return one
    return Commit(root, one.name, git(root, "rev-parse", "HEAD").stdout.strip())


def _require_a_run(side: Side, root: Path) -> None:
    name = side.revision.name
    if not side.lock:
        raise NothingToPublishError(
            f"{name} has no {LOCK_FILE}, so there is no run to publish. Run `dvc repro`."
        )
    if side.revision.commit is None:
        changed = stale(side.revision, root)
    else:
        changed = sorted({key for stage in side.lock.values() for key in changed_params(side, stage)})
    if changed:
        raise NothingToPublishError(
            f"{name}: its figures were not made with its files, as far as {', '.join(changed)} go. Run `dvc repro`"
            f"{', commit' if side.revision.commit else ''}, then try again."
        )


def _texts(side: Side) -> dict[str, str]:
    """The files in Git that say what a run was and what came of it, by path."""
    made = (one["path"] for stage in side.lock.values() for one in stage.get("outs", []))
    paths = [str(PARAMS), side.dataset_file, LOCK_FILE, *sorted(path for path in made if _is_figure(path))]
    found = ((path, side.revision.text(path)) for path in paths)
    return {path: text for path, text in found if text is not None}


def _is_figure(path: str) -> bool:
    return path.startswith("metrics/") and path.endswith((".csv", ".json"))


def _digest(texts: Mapping[str, str]) -> str:
    whole = "".join(f"{path}\n{len(text)}\n{text}" for path, text in texts.items())
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def _params(side: Side) -> dict[str, str]:
    """params.yaml, and the dataset file's keys after `dataset.`."""
    content = flat(side.mapping(str(PARAMS))) | flat(side.mapping(side.dataset_file), "dataset")
    return {key: str(value) for key, value in content.items()}


def _metrics(side: Side) -> dict[str, float]:
    """`validation.event_recall`, and so on: the model's figures."""
    return {
        f"{fold}.{name}": float(value)
        for fold in FOLDS
        for name, value in side.numbers(f"metrics/{fold}.json").items()
    }


def _tags(side: Side, key: str, commit: str, root: Path) -> dict[str, str]:
    repository = repository_name(root)
    return {
        "forestall.revision": key,
        "forestall.commit": commit,
        "forestall.data": output_hash(side.lock, PREPARED) or "",
        "forestall.dataset": side.dataset_name,
        "forestall.repository": repository,
        # These two are MLflow's own: its pages show them as a run's source and version.
        "mlflow.source.name": repository,
        "mlflow.source.git.commit": commit,
    }


def repository_name(root: Path) -> str:
    """The last part of where `origin` is, which says nothing of the way there; without origin, the folder's name."""
    origin = git(root, "remote", "get-url", "origin", check=False).stdout.strip().rstrip("/")
    last = re.split(r"[/:\\]", origin.removesuffix(".git"))[-1]
    return last or root.resolve().name


def experiments(commit: str, root: Path) -> dict[str, str]:
    """Name and commit of the DVC experiments that were derived from a commit."""
    from dvc.repo import Repo

    found: dict[str, list[tuple[str, Any]]] = Repo(str(root)).experiments.ls(rev=commit)
    return {name: str(rev) for each in found.values() for name, rev in each}
