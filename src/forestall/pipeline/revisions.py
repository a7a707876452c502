"""Revisions of the repository, and the files that they hold: Git's own, and those that Git knows through DVC.

Which one a name means is in `resolve`.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Protocol

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import YAMLError

from forestall.comparison.changes import output_hash
from forestall.errors import ForestallError
from forestall.pipeline.cache import linked
from forestall.pipeline.process import GIT_VARIABLES, without

WORKSPACE = "workspace"
LOCK_FILE = "dvc.lock"
TOP = {"schema", "stages", "datasets"}  # all that DVC takes there
REPLACED = "\N{REPLACEMENT CHARACTER}"  # what bytes that are no UTF-8 were read as
CONFLICT = re.compile(r"^<{7} ", re.MULTILINE)
NOT_HERE = "Bring it with `dvc fetch --all-commits`, or make it again with --rerun."


class RevisionError(ForestallError):
    """A revision that does not exist, or a file of one that cannot be had."""


class NotComparableError(ForestallError):
    """Why two revisions' models cannot be judged on the same decisions."""


class Revision(Protocol):
    """One state of the repository.

    name: as the user gave it. commit: its full hash; None for the workspace.
    """

    @property
    def name(self) -> str: ...

    @property
    def commit(self) -> str | None: ...

    def text(self, path: str) -> str | None:
        """A file in Git; None where it does not exist."""

    def output(self, path: str, into: Path) -> Path:
        """A folder that DVC tracks, as it lies on disk; `into` is where a copy may be put.

        Raises:
            RevisionError: it is neither in the cache nor in a remote.
        """


@dataclass(frozen=True)
class Workspace:
    """The files as they lie in the top folder."""

    root: Path
    name: str = WORKSPACE
    commit: None = None

    def text(self, path: str) -> str | None:
        """As `Revision.text`."""
        file = self.root / path
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None

    def output(self, path: str, into: Path) -> Path:  # noqa: ARG002  (what is there needs no copy)
        """As `Revision.output`."""
        if not (self.root / path).exists():
            raise RevisionError(f"{path} is not in the workspace. Run `dvc repro`.")
        return self.root / path


@dataclass(frozen=True)
class Commit:
    """A commit: of a branch, a tag, or a DVC experiment."""

    root: Path
    name: str
    commit: str

    def text(self, path: str) -> str | None:
        """As `Revision.text`."""
        done = git(self.root, "show", f"{self.commit}:./{path}", check=False)
        return done.stdout if done.returncode == 0 else None

    def output(self, path: str, into: Path) -> Path:
        """As `Revision.output`."""
        copy = into / path
        digest = output_hash(lock(self), path)
        if not copy.exists() and not (digest and linked(self._repo.cache.local, digest, copy)):
            self._fetched(path, copy)
        return copy

    @cached_property
    def _repo(self) -> Any:
        # Here, not above: dvc takes most of a second to import, and the workspace alone does not need it.
        from dvc.repo import Repo

        return Repo(str(self.root))

    @property
    def _remote(self) -> dict[str, Any]:
        """The remote of this clone: a revision may be from before it was set up."""
        config = self._repo.config
        name = config["core"].get("remote")
        return {"core": {"remote": name}, "remote": {name: config["remote"].get(name, {})}} if name else {}

    def _fetched(self, path: str, copy: Path) -> None:
        """Copy a folder from wherever DVC finds it, a remote too."""
        from dvc.api import DVCFileSystem
        from dvc.exceptions import DvcException
        from dvc_data.index import DataIndexDirError

        copy.parent.mkdir(parents=True, exist_ok=True)
        missing = f"{path} of {self.name} is neither in the cache nor in a remote that this clone knows."
        try:
            files: Any = DVCFileSystem(url=str(self.root), rev=self.commit, config=self._remote)
            files.get(path, str(copy), recursive=True)
        except (OSError, DvcException, DataIndexDirError) as error:
            raise RevisionError(f"{missing} {NOT_HERE} ({error})") from error
        if not copy.exists():
            raise RevisionError(f"{missing} {NOT_HERE}")


def named(one: Revision) -> dict[str, str | None]:
    """A revision as reports have it: its name and its commit."""
    return {"name": one.name, "commit": one.commit}


def lock(one: Revision, file: str = LOCK_FILE) -> dict[str, Any]:
    """The stages in a dvc.lock; nothing where there is none.

    Raises:
        RevisionError: it is torn: not YAML, or without stages; or a merge left its marks in it.
    """
    text = one.text(file)
    if text is not None and CONFLICT.search(text):
        raise RevisionError(
            f"{_place(one, file)} has the marks of a merge that Git could not do. `make setup` tells it how, then "
            f"`git checkout --merge {file}` does it again. After the commit: delete it and run `dvc repro`."
        )
    return _stages(text, _place(one, file)) if text is not None else {}


def _place(one: Revision, file: str) -> str:
    return file if one.commit is None else f"{one.name}:{file}"


@cache
def _stages(text: str, place: str) -> dict[str, Any]:
    """The stages in a dvc.lock, which takes long to read and which two revisions often share."""
    content = parsed(text, place)
    stages = content.get("stages")
    known = content.get("schema") == "2.0" and content.keys() <= TOP
    if not known or not isinstance(stages, dict) or not all(map(is_whole, stages.values())):
        raise RevisionError(f"{place} is torn. Delete it and run `dvc repro`.")
    return stages


def is_whole(stage: Any) -> bool:
    """Whether a stage of dvc.lock has the form that DVC writes; a file cut off at any place may still be YAML."""
    if not isinstance(stage, dict):
        return False
    parts = [stage.get(kind, []) for kind in ("deps", "outs")]
    files, params = all(isinstance(part, list) for part in parts), stage.get("params", {})
    return (
        files
        and all(isinstance(one, dict) and isinstance(one.get("path"), str) for part in parts for one in part)
        and isinstance(params, dict)
        and all(isinstance(values, dict) for values in params.values())
    )


def yaml_of(one: Revision, path: str) -> dict[str, Any] | None:
    """A YAML file as plain mappings; None where there is none.

    Raises:
        RevisionError: it is not readable.
    """
    text = one.text(path)
    return None if text is None else parsed(text, _place(one, path))


def parsed(text: str, place: str) -> dict[str, Any]:
    """YAML as plain mappings; `place` is what an error names. Raises as `yaml_of`."""
    if REPLACED in text:
        raise RevisionError(f"{place}: not UTF-8, so that DVC does not read it.")
    try:
        content = YAML(typ="safe").load(text)
    except YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        twice = isinstance(error, DuplicateKeyError)
        why = (
            "a key for the second time, so that DVC does not read it"
            if twice
            else "not readable as YAML; is it torn or half merged?"
        )
        raise RevisionError(f"{place}{line}: {why}") from error
    if not isinstance(content, dict):
        raise RevisionError(f"{place}: expected `key: value` lines; is it torn?")
    return content


def git(
    root: Path, *words: str, check: bool = True, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run git in a folder, on the repository of that folder whatever the environment but for `variables` says.

    Raises:
        RevisionError: it failed, and `check` is set.
    """
    done = subprocess.run(
        ["git", "-C", str(root), *words],
        env=without(GIT_VARIABLES) | dict(variables or {}),
        encoding="utf-8",
        errors="replace",
        capture_output=True,
        check=False,
    )
    if check and done.returncode:
        raise RevisionError(f"git {words[0]}: {done.stderr.strip()}")
    return done
