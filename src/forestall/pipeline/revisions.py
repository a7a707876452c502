"""Revisions of the repository, and the files that they hold: Git's own, and those that Git knows through DVC."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ruamel.yaml import YAML

from forestall.errors import ForestallError

WORKSPACE = "workspace"
LOCK_FILE = "dvc.lock"


class RevisionError(ForestallError):
    """A revision that does not exist, or a file of one that cannot be had."""


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
        return file.read_text(encoding="utf-8") if file.is_file() else None

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
        done = git(self.root, "show", f"{self.commit}:{path}", check=False)
        return done.stdout if done.returncode == 0 else None

    def output(self, path: str, into: Path) -> Path:
        """As `Revision.output`."""
        # Here, not above: dvc takes most of a second to import, and the workspace alone does not need it.
        from dvc.api import DVCFileSystem
        from dvc.exceptions import DvcException
        from dvc_data.index import DataIndexDirError

        copy = into / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        missing = f"{path} of {self.name} is neither in the cache nor in a remote."
        try:
            files: Any = DVCFileSystem(url=str(self.root), rev=self.commit)
            files.get(path, str(copy), recursive=True)
        except (OSError, DvcException, DataIndexDirError) as error:
            raise RevisionError(f"{missing} Run `dvc fetch`, or repeat with --rerun. ({error})") from error
        if not copy.exists():
            raise RevisionError(f"{missing} Run `dvc fetch`, or repeat with --rerun.")
        return copy


def revision(name: str, root: Path) -> Revision:
    """The revision of that name: a Git revision, a branch, a DVC experiment, or `workspace`.

    Raises:
        RevisionError: there is none.
    """
    if name == WORKSPACE:
        return Workspace(root)
    done = git(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", check=False
    )
    return Commit(root, name, done.stdout.strip() if done.returncode == 0 else _experiment(name, root))


def merge_base(first: str, second: str, root: Path) -> str:
    """The commit at which two revisions parted.

    Raises:
        RevisionError: they have none in common, as far as this clone knows.
    """
    ends = [revision(name, root).commit or "HEAD" for name in (first, second)]
    done = git(root, "merge-base", *ends, check=False)
    if done.returncode:
        raise RevisionError(f"{first} and {second} have no commit in common{_if_shallow(root)}.")
    return done.stdout.strip()


def lock(one: Revision) -> dict[str, Any]:
    """The stages in dvc.lock; nothing where there is none."""
    text = one.text(LOCK_FILE)
    content = YAML(typ="safe").load(text) if text else None
    stages = content.get("stages") if isinstance(content, dict) else None
    return dict(stages or {})


def _experiment(name: str, root: Path) -> str:
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.scm import resolve_rev

    try:
        return str(resolve_rev(Repo(str(root)).scm, name))
    except DvcException as error:
        raise RevisionError(
            f"{name}: no such revision, branch or experiment{_if_shallow(root)}. "
            "`git log --oneline` and `dvc exp list` say what there is."
        ) from error


def _if_shallow(root: Path) -> str:
    shallow = git(root, "rev-parse", "--is-shallow-repository").stdout.strip() == "true"
    return " in this shallow clone (`git fetch --unshallow` brings the whole history)" if shallow else ""


def git(root: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run git in a folder.

    Raises:
        RevisionError: it failed, and `check` is set.
    """
    done = subprocess.run(["git", "-C", str(root), *words], text=True, capture_output=True, check=False)
    if check and done.returncode:
        raise RevisionError(f"git {words[0]}: {done.stderr.strip()}")
    return done
