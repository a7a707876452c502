"""Which tables and outputs are not here, by the names of their files, and where they can be had.

DVC names what it could not download by its hash, and what it did not find by its folder alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forestall.errors import ForestallError
from forestall.pipeline.cache import FOLDER

# DVC trusts its memory of what a remote has. With an empty one it looks again.
PUSH = "DVC_SITE_CACHE_DIR=$(mktemp -d) dvc push"
SHOWN = 5


@dataclass(frozen=True, order=True)
class Output:
    """What DVC tracks: its path and its hash. made: by a stage, and not brought by a `.dvc` file."""

    made: bool
    path: str
    digest: str


def missing(root: Path) -> list[str]:
    """A line for each output that is not in the workspace: what of it is nowhere, and what to do.

    The default remote is asked for what the cache has not.

    Raises:
        ForestallError: DVC cannot read its files, or the remote does not answer or let this clone in.
    """
    # Here, not above: dvc takes most of a second to import.
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    name = ""
    try:
        with Repo(str(root)) as repo:
            gone = sorted(one for one in _outputs(repo) if not (root / one.path).exists())
            name = repo.config["core"].get("remote", "")
            away = [one for one in gone if _lacking(one, [repo.cache.local])]
            remotes = [repo.cloud.get_remote_odb(name)] if away and name else []
            stores = [repo.cache.local, *remotes]
            return [_line(one, one in away, _lacking(one, stores), name) for one in gone]
    except DvcException as error:
        raise ForestallError(f"DVC cannot say what is missing: {error}") from error
    except Exception as error:  # each kind of remote has errors of its own
        raise ForestallError(f"The remote {name} cannot be asked: {error or type(error).__name__}") from error


def _outputs(repo: Any) -> Iterator[Output]:
    for out in repo.index.outs:
        if out.use_cache and out.hash_info:
            path = Path(out.fs_path).relative_to(repo.root_dir).as_posix()
            yield Output(not out.stage.is_data_source, path, out.hash_info.value)


def _lacking(one: Output, stores: list[Any]) -> list[str]:
    """Those of its files that none of the stores has."""
    holder = next((store for store in stores if _has(store, one.digest)), None)
    if holder is None:
        return [one.path]
    if not one.digest.endswith(FOLDER):
        return []
    files = json.loads(holder.fs.cat_file(holder.oid_to_path(one.digest)))
    gone = (file["relpath"] for file in files if not any(_has(store, file["md5"]) for store in stores))
    return [f"{one.path}/{file}" for file in gone]


def _has(store: Any, digest: str) -> bool:
    # Not `exists`, which takes a server that is down for one that has nothing.
    try:
        store.fs.info(store.oid_to_path(digest))
    except FileNotFoundError:
        return False
    return True


def _line(one: Output, away: bool, lacking: list[str], remote: str) -> str:
    if not lacking:
        return f"{one.path}: not here. `dvc {'pull' if away else 'checkout'} {one.path}` brings it."
    more = f" and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else ""
    where = (
        f"neither in the cache nor in the remote {remote}"
        if remote
        else "not in the cache, and there is no remote"
    )
    return f"{', '.join(lacking[:SHOWN])}{more}: {where}. {_todo(one, remote)}"


def _todo(one: Output, remote: str) -> str:
    if one.made:
        return "`dvc repro` makes it again."
    push = (
        f"Run `{PUSH}` where it still is"
        if remote
        else "Set the remote of those who have it (`dvc remote add`)"
    )
    return f"{push}, or put the files into {one.path} again, then `dvc add {one.path}`."
