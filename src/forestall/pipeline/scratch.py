"""A temporary place in which any state of the repository can be run, while the user's own files stay as they are.

Not Git's worktrees: those are registered in the user's repository, and one whose process was killed stays there. A
repository here borrows the objects of the user's, read only, and shares DVC's cache, so that what has run before is
restored and what runs here need not run again.
"""

from __future__ import annotations

from forestall.pipeline.interpreter import problem

import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from forestall.comparison.factors import ENVIRONMENT_LOCK
from forestall.pipeline import process
from forestall.pipeline.process import FailedError
from forestall.pipeline.revisions import Revision, RevisionError, git

SET_UP = ".ci/setup"
# Of the workspace, what a run can depend on; new files count, too.
READ_FOLDERS = ("src", "studies", "data", "requirements", ".ci", ".dvc")
READ_FILES = (".dvcignore", "dvc.yaml", "dvc.lock", "params.yaml")
READ_TOO = ("pyproject.toml", "README.md")  # by the set-up script
IDENTITY = ("-c", "user.name=forestall", "-c", "user.email=forestall@localhost")


class RerunError(RevisionError):
    """Why a state of the repository could not be run."""


@dataclass(frozen=True)
class Scratch:
    """root: the user's repository, an absolute path. folder: where everything temporary lies."""

    root: Path
    folder: Path

    @property
    def store(self) -> Path:
        """The Git objects that are made here, beside all of the user's."""
        return self.folder / "store"

    def tree(self, one: Revision) -> str:
        """The hash of a revision's files; of the workspace, with all that is not committed."""
        if one.commit is not None:
            return git(self.store, "rev-parse", f"{one.commit}^{{tree}}").stdout.strip()
        here = ("--git-dir", str(self.store), "--work-tree", str(self.root))
        git(self.root, *here, "read-tree", git(self.root, "rev-parse", "HEAD").stdout.strip())
        known = git(self.root, *here, "ls-files").stdout.splitlines()
        _copy_excludes(self.root, self.store)
        top = {name.partition("/")[0] for name in known}
        paths = [
            name
            for name in (*READ_FOLDERS, *READ_FILES, *READ_TOO)
            if name in top or (self.root / name).exists()
        ]
        git(self.root, *here, "add", "--all", "--", *paths)
        return git(self.root, *here, "write-tree").stdout.strip()

    def differing(self, base: str, head: str) -> list[str]:
        """Paths that differ between two trees."""
        found = git(self.store, "diff", "--name-only", "--no-renames", "-z", base, head).stdout
        return [path for path in found.split("\0") if path]

    def text(self, tree: str, path: str) -> str | None:
        """A file of a tree; None where it does not exist."""
        done = git(self.store, "show", f"{tree}:{path}", check=False)
        return done.stdout if done.returncode == 0 else None

    def checkout(self, tree: str, name: str) -> Path:
        """A new repository with the files of a tree; removing it is the caller's, or waits for the end."""
        place = self.folder / name
        git(self.folder, "init", "--quiet", str(place))
        _borrow(place / ".git", self.store / "objects", _objects(self.root))
        commit = git(place, *IDENTITY, "commit-tree", "-m", name, tree).stdout.strip()
        git(place, "checkout", "--quiet", "--detach", commit)
        _share_cache(self.root, place)
        return place

    def environment(self, tree: str) -> Path:
        """The folder with the programs of an environment as a tree's lock wants it: this one, or one made here.

        Raises:
            RerunError: it cannot be made.
        """
        lock = self.text(tree, ENVIRONMENT_LOCK)
        if lock is None:
            raise RerunError(f"it has no {ENVIRONMENT_LOCK}, so its environment is not known.")
        wanted = self.folder / "wanted.txt"
        wanted.write_text(lock, encoding="utf-8")
        if not problem(tuple(sys.version_info[:3]), wanted):
            return Path(sys.executable).parent
        name = f"environment-{git(self.store, 'rev-parse', f'{tree}:{ENVIRONMENT_LOCK}').stdout.strip()[:12]}"
        programs = self.folder / name / ".venv/bin"
        return programs if programs.exists() else self._set_up(tree, name)

    def _set_up(self, tree: str, name: str) -> Path:
        if self.text(tree, SET_UP) is None:
            raise RerunError(f"it has no {SET_UP}, so its environment cannot be made.")
        place = self.checkout(tree, name)
        try:
            process.run([SET_UP, "pipeline"], place, Path(sys.executable).parent, self.folder)
        except FailedError as error:
            shutil.rmtree(place)
            raise RerunError(f"its environment could not be made: {error.last}") from error
        return place / ".venv/bin"

    def repro(self, place: Path, programs: Path, *targets: str) -> list[str]:
        """`dvc repro` there, by the programs of an environment; returns the stages that had to run.

        Raises:
            RerunError: a stage failed, and what it said.
        """
        # What dvc.lock records is taken from the cache even if the run-cache does not know it.
        process.run(["dvc", "checkout", "--allow-missing"], place, programs, self.folder, check=False)
        pull = ["--pull"] if remotes(place) else []
        try:
            said = process.run(["dvc", "repro", *pull, *targets], place, programs, self.folder)
        except FailedError as error:
            raise RerunError(process.reason(error.said)) from error
        return process.stages(said)


@contextmanager
def scratch(root: Path) -> Iterator[Scratch]:
    """A place for reruns of the repository in `root`; it is gone afterwards, however this ends short of SIGKILL.

    Raises:
        RevisionError: there is no repository with DVC in `root`.
    """
    root = root.resolve()
    if not (root / ".dvc").is_dir() or git(root, "rev-parse", "HEAD", check=False).returncode:
        raise RevisionError(f"{root} holds no Git repository with DVC. Run this from the top folder.")
    with _signals_as_exceptions():
        folder = Path(tempfile.mkdtemp(prefix="forestall-"))
        try:
            place = Scratch(root, folder)
            git(folder, "init", "--quiet", "--bare", str(place.store))
            _borrow(place.store, _objects(root))
            yield place
        finally:
            with _undisturbed():
                shutil.rmtree(folder)


def _objects(root: Path) -> Path:
    return (root / git(root, "rev-parse", "--git-path", "objects").stdout.strip()).resolve()


def _copy_excludes(root: Path, store: Path) -> None:
    """What the user's repository ignores without saying so in .gitignore."""
    file = root / git(root, "rev-parse", "--git-path", "info/exclude").stdout.strip()
    if file.is_file():
        shutil.copy(file, store / "info/exclude")


def _borrow(git_folder: Path, *objects: Path) -> None:
    lines = "".join(f"{one}\n" for one in objects)
    (git_folder / "objects/info").mkdir(parents=True, exist_ok=True)
    (git_folder / "objects/info/alternates").write_text(lines, encoding="utf-8")


def _share_cache(root: Path, place: Path) -> None:
    """The user's cache and remotes for another repository, relative paths resolved."""
    # Here, not above: dvc takes most of a second to import.
    from dvc.config import Config
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    if not (place / ".dvc").is_dir():
        raise RerunError("it is from before this repository had DVC.")
    try:
        with Repo(str(root)) as repo:
            cache = repo.cache.local_cache_dir
        ours: Any = Config(dvc_dir=str(root / ".dvc")).load_config_to_level()
        with Config(dvc_dir=str(place / ".dvc")).edit("local", validate=False) as local:
            local["cache"] = ours.get("cache", {}) | {"dir": cache}
            local["remote"] = ours.get("remote", {})
            local["core"] = {key: value for key, value in ours.get("core", {}).items() if key == "remote"}
    except DvcException as error:
        raise RerunError(f"DVC's settings cannot be used: {error}") from error


def remotes(place: Path) -> bool:
    """Whether a repository has a remote to pull from without being told which."""
    from dvc.config import Config

    config: Any = Config(dvc_dir=str(place / ".dvc")).load_config_to_level()
    return bool(config.get("core", {}).get("remote"))


@contextmanager
def _signals_as_exceptions() -> Iterator[None]:
    """A polite end (`kill`, a closed terminal) unwinds as Ctrl-C does."""

    def end(number: int, _: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    yield from _handling((signal.SIGTERM, signal.SIGHUP), end)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C does not stop the clearing away."""
    yield from _handling((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), signal.SIG_IGN)


def _handling(numbers: tuple[signal.Signals, ...], handler: Any) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # `nohup` has one ignored, which stays so.
    heeded = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heeded}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
