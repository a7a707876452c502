"""The hashes that DVC 3 gives files and folders, worked out without it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

IGNORE = ".dvcignore"
NEVER = {".git", ".hg", ".dvc"}

Ignored = Callable[[str], bool]


def hashes(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """The md5 of files and folders by path, without those that are missing."""
    there = [path for path in dict.fromkeys(paths) if (root / path).exists()]
    ignored = _ignored(root)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as threads:
        return dict(zip(there, threads.map(lambda path: digest(root, path, ignored), there), strict=True))


def digest(root: Path, path: str, ignored: Ignored) -> str:
    """The md5 of a file; of a folder, that of the list of its files, and `.dir`."""
    whole = root / path
    if whole.is_file():
        return _md5(whole)
    files = sorted(_files(root, path, ignored))
    listing = [{"md5": _md5(root / file), "relpath": os.path.relpath(file, path)} for file in files]
    listing.sort(key=lambda one: one["relpath"])
    return (
        hashlib.md5(json.dumps(listing, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
    )


def _md5(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _files(root: Path, folder: str, ignored: Ignored) -> Iterator[str]:
    for one in os.scandir(root / folder):
        path = f"{folder}/{one.name}"
        if one.name in NEVER or ignored(f"{path}/" if one.is_dir() else path):
            continue
        if one.is_dir(follow_symlinks=False):
            yield from _files(root, path, ignored)
        elif not one.is_dir():  # DVC does not go into a folder by a link
            yield path


def _ignored(root: Path) -> Ignored:
    """Whether the .dvcignore in the top folder leaves a path out."""
    file = root / IGNORE
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not patterns:
        return lambda _: False
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(patterns).match_file
