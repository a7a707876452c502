"""Folders laid out as links into DVC's cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = ".dir"  # how the hash of a folder ends: that of the list of its files


def linked(cache: Any, digest: str, place: Path) -> bool:
    """Lay a folder out as links into the cache; whether all of it is there.

    Asking DVC for its file system of a commit takes it a second of reading dvc.yaml, for each folder; dvc.lock says the
    same. What is not in the cache, or of an older layout, is left to DVC.

    Args:
        cache: DVC's own object store. digest: the folder's hash, as dvc.lock has it. place: where no folder is yet.
    """
    listing = Path(cache.oid_to_path(digest))
    if not digest.endswith(FOLDER) or not listing.is_file():
        return False
    try:
        files = {
            place / one["relpath"]: Path(cache.oid_to_path(one["md5"])).absolute()
            for one in json.loads(listing.read_text(encoding="utf-8"))
        }
    except (ValueError, KeyError, TypeError):  # a damaged list
        return False
    if not files or not all(file.is_file() for file in files.values()):
        return False
    for link, file in files.items():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)
    return True
