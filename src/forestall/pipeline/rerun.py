"""Outputs that are neither in the cache nor in a remote, made again in a temporary place: CI has no cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from forestall.pipeline.revisions import LOCK_FILE, Revision, RevisionError
from forestall.pipeline.scratch import RerunError, Scratch, scratch


@dataclass
class Rebuilt:
    """A revision as it is, its missing outputs as `dvc repro` of its files makes them, once and only if asked for."""

    of: Revision
    place: Scratch
    _made: Path | None = field(default=None, init=False)
    _failure: str | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        """As `Revision.name`."""
        return self.of.name

    @property
    def commit(self) -> str | None:
        """As `Revision.commit`."""
        return self.of.commit

    def text(self, path: str) -> str | None:
        """As `Revision.text`; what a run writes into Git is its own where it was never committed."""
        found = self.of.text(path)
        if found is not None or not (path == LOCK_FILE or path.startswith("metrics/")):
            return found
        try:
            file = self.made() / path
        except RevisionError:
            return None
        return file.read_text(encoding="utf-8") if file.is_file() else None

    def output(self, path: str, into: Path) -> Path:
        """As `Revision.output`."""
        try:
            return self.of.output(path, into)
        except RevisionError:
            found = self.made() / path
        if not found.exists():
            raise RerunError(f"{path} is not an output of {self.name}: its dvc.yaml makes none.")
        return found

    def made(self) -> Path:
        """The repository in which it was run.

        Raises:
            RerunError: it cannot be run.
        """
        if self._failure is not None:
            raise RerunError(self._failure)
        if self._made is None:
            try:
                self._made = self._run()
            except RevisionError as error:
                self._failure = f"{self.name} could not be run again: {error}"
                raise RerunError(self._failure) from error
        return self._made

    def _run(self) -> Path:
        tree = self.place.tree(self.of)
        folder = self.place.checkout(tree, f"rebuilt-{tree[:12]}-{id(self)}")
        self.place.repro(folder, self.place.environment(tree))
        return folder


@contextmanager
def rebuilding(
    base: Revision, head: Revision, root: Path, asked: bool
) -> Iterator[tuple[Revision, Revision]]:
    """Both revisions, with missing outputs made again if that was asked for; they are gone afterwards."""
    if not asked:
        yield base, head
        return
    with scratch(root) as place:
        yield Rebuilt(base, place), Rebuilt(head, place)
