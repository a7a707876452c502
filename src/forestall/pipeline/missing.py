"""Which tables and outputs are not here, by the names of their files, and where they can be had.

DVC names what it could not download by its hash, and what it did not find by its folder alone. And it takes a folder
for complete of which a remote has the list, so that `dvc push` does not bring back a file that was lost there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forestall.errors import ForestallError
from forestall.pipeline.cache import FOLDER

PUSH = "forestall missing --push"
SHOWN = 5


@dataclass(frozen=True, order=True)
class Output:
    """What DVC tracks: its path and its hash. made: by a stage, and not brought by a `.dvc` file."""

    made: bool
    path: str
    digest: str


def missing(root: Path) -> list[str]:
    """A line for each output that is not, or not all, in the workspace: what of it is nowhere, and what to do.

    The default remote is asked for what the cache has not.

    Raises:
        ForestallError: DVC cannot read its files, or the remote does not answer or let this clone in.
    """
    with _repository(root) as repo:
        gone = [one for one in _outputs(repo) if not _here(one, root, repo.cache.local)]
        name = repo.config["core"].get("remote", "")
        away = [one for one in gone if _lacking(one, [repo.cache.local])]
        remotes = [repo.cloud.get_remote_odb(name)] if away and name else []
        stores = [repo.cache.local, *remotes]
        return [_line(one, one in away, _lacking(one, stores), name) for one in gone]


def push(root: Path) -> list[str]:
    """Send the default remote what it lacks of the outputs and the cache has; returns the files' names.

    Raises:
        ForestallError: as `missing`, or there is no remote.
    """
    with _repository(root) as repo:
        name, cache = repo.config["core"].get("remote"), repo.cache.local
        if not name:
            raise ForestallError("There is no remote: docs/how-to/remotes.md says how to set one up.")
        remote, sent = repo.cloud.get_remote_odb(name), []
        files = [file for one in _outputs(repo) for file in _files(one, [cache]).items()]
        for path, digest in files:
            if _has(cache, digest) and not _has(remote, digest):
                remote.add(cache.oid_to_path(digest), cache.fs, digest, check_exists=False)
                sent.append(path)
        return sent


@contextmanager
def _repository(root: Path) -> Iterator[Any]:
    # Here, not above: dvc takes most of a second to import.
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            yield repo
    except ForestallError:
        raise
    except DvcException as error:
        raise ForestallError(f"DVC cannot say what is missing: {error}") from error
    except Exception as error:  # each kind of remote has errors of its own
        raise ForestallError(f"The remote cannot be asked: {error or type(error).__name__}") from error


def _outputs(repo: Any) -> list[Output]:
    """All that are cached, those that no stage makes first."""
    return sorted(
        Output(
            not out.stage.is_data_source,
            Path(out.fs_path).relative_to(repo.root_dir).as_posix(),
            out.hash_info.value,
        )
        for out in repo.index.outs
        if out.use_cache and out.hash_info
    )


def _files(one: Output, stores: list[Any]) -> dict[str, str]:
    """Path and hash of its files, as far as a store has the list of a folder, and last of the output itself."""
    holder = next((store for store in stores if _has(store, one.digest)), None)
    inside = []
    if holder is not None and one.digest.endswith(FOLDER):
        place = holder.oid_to_path(one.digest)
        try:
            inside = json.loads(holder.fs.cat_file(place))
        except ValueError as error:
            raise ForestallError(
                f"The list of the files of {one.path} is torn: {place}. Delete it there."
            ) from error
    return {f"{one.path}/{file['relpath']}": file["md5"] for file in inside} | {one.path: one.digest}


def _here(one: Output, root: Path, cache: Any) -> bool:
    """Whether it is in the workspace; of a folder, each file of the list, if the cache has that."""
    return all((root / path).exists() for path in _files(one, [cache]))


def _lacking(one: Output, stores: list[Any]) -> list[str]:
    """Those of its files that none of the stores has."""
    files = _files(one, stores).items()
    return [path for path, digest in files if not any(_has(store, digest) for store in stores)]


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
    places = f"neither in the cache nor in the remote {remote}"
    where = places if remote else "not in the cache, and there is no remote"
    return f"{first_of(lacking)}: {where}. {_todo(one, remote)}"


def first_of(paths: list[str]) -> str:
    """The first few of some paths, and how many more there are."""
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(paths[:SHOWN]) + more


def _todo(one: Output, remote: str) -> str:
    if one.made:
        return "`dvc repro` makes it again."
    elsewhere = (
        f"Run `{PUSH}` where it still is"
        if remote
        else "Set the remote of those who have it (`dvc remote add`)"
    )
    return f"{elsewhere}, or put the files into {one.path} again, then `dvc add {one.path}`."
