"""The hashes that DVC 3 gives files and folders, worked out without it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

IGNORE = ".dvcignore"
NEVER = {".git", ".hg", ".dvc"}

Ignored = Callable[[str], bool]


def hashes(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """The md5 of files and folders by path, without those that are missing."""
    there = [path for path in dict.fromkeys(paths) if (root / path).exists()]
    ignored = _ignored(root, there)
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


def _ignored(root: Path, paths: Iterable[str]) -> Ignored:
    """Whether a .dvcignore, in the top folder or another one above what is hashed, leaves a path out."""
    above = {parent.as_posix() for path in paths for parent in PurePosixPath(path).parents}
    files = {folder: root / folder / IGNORE for folder in above}
    lines = {
        folder: file.read_text(encoding="utf-8").splitlines()
        for folder, file in files.items()
        if file.is_file()
    }
    patterns = {folder: [line for line in found if line.strip()] for folder, found in lines.items()}
    if not any(line for found in patterns.values() for line in found if not line.startswith("#")):
        return lambda _: False
    from pathspec import GitIgnoreSpec

    specs = {folder: GitIgnoreSpec.from_lines(found) for folder, found in patterns.items()}

    def ignored(path: str) -> bool:
        for parent in PurePosixPath(path).parents:  # the nearest has the last word
            folder = parent.as_posix()
            below = path if folder == "." else path[len(folder) + 1 :]
            if folder in specs and (said := specs[folder].check_file(below).include) is not None:
                return said
        return False

    return ignored
