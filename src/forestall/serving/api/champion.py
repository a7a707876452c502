"""The champion: the bundle in the folder that the service watches. A new one is swapped in, a refused one is not."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from forestall.errors import ForestallError
from forestall.serving.answering import answering_bundle, version_of
from forestall.serving.api.logs import say
from forestall.serving.bundle import Bundle
from forestall.serving.store.errors import StoreError

SECONDS = 1.0
T = TypeVar("T")
Marks = tuple[tuple[str, int, int, int], ...]


class Champion(Generic[T]):
    """What answers, made of the folder's bundle, and what became of the bundle that was offered last.

    Args:
        folder: the bundle's folder, or a link to it that is exchanged.
        made_of: makes of a bundle that was accepted, and its version, what answers; an error refuses the bundle.
    """

    def __init__(self, folder: Path, made_of: Callable[[Bundle, str], T]) -> None:
        self.folder, self.made_of = folder, made_of
        self.serving: T | None = None
        self.version, self.refused, self.accepted_at = "", "", 0.0  # seconds since 1970
        self.marks: Marks = ()

    def look(self) -> None:
        """Take what stands in the folder, if it has changed since the last look."""
        marks = marks_of(self.folder)
        if marks == self.marks:
            return
        try:
            bundle, version = answering_bundle(self.folder), version_of(self.folder)
            serving = self.serving if version == self.version else self.made_of(bundle, version)
            if marks_of(self.folder) != marks:
                return  # still being written, or exchanged: the next look sees it whole
            if version != self.version:
                self.serving, self.version, self.accepted_at = serving, version, time.time()
                say("bundle accepted", folder=str(self.folder), version=version)
            self.refused = ""
        except StoreError as error:  # no fault of the bundle: the next look tries it again
            say("bundle not taken yet", logging.ERROR, problem=str(error), serving=self.version)
            return
        except Exception as error:  # whatever is wrong with what was put there, the old one answers on
            expected = isinstance(error, ForestallError)
            self.refused = str(error) if expected else f"{self.folder}: {type(error).__name__}: {error}"
            say("bundle refused", logging.ERROR, problem=self.refused, serving=self.version)
        self.marks = marks

    async def watch(self) -> None:
        """Look again and again; what is loaded is loaded beside the requests."""
        while True:
            await asyncio.sleep(SECONDS)
            await asyncio.to_thread(self.look)


def marks_of(folder: Path) -> Marks:
    """Name, inode, size and time of change of each file: what differs when a file was exchanged."""
    try:
        files = sorted(folder.iterdir())
        return tuple((f.name, s.st_ino, s.st_size, s.st_mtime_ns) for f in files for s in [f.stat()])
    except OSError:
        return (("missing", 0, 0, 0),)
