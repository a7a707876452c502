"""`forestall provenance`: which revision made a bundle, and from which data, params and code, asked of Git alone."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from forestall.comparison.changes import output_hash
from forestall.comparison.factors import ENVIRONMENT_LOCK
from forestall.errors import ForestallError
from forestall.pipeline.freshness import stale
from forestall.pipeline.imports import is_code
from forestall.pipeline.locked import LockedStage, locked_stage
from forestall.pipeline.resolve import if_shallow
from forestall.pipeline.revisions import LOCK_FILE, Commit, Revision, Workspace, git, lock
from forestall.pipeline.workspace_hashes import digest

MANIFEST, BUNDLE, FITTED = "manifest.json", "models/bundle", "models/model.joblib"
HASH = re.compile(r"[0-9a-f]{32,64}(\.dir)?")  # a manifest is anybody's: it may say anything
REVISION = "revision"  # what `forestall promote` adds to the manifest of a release


@dataclass(frozen=True)
class Origin:
    """Where a bundle comes from.

    md5: of the folder as the pipeline made it, as dvc.lock has it. commits: that wrote it, or its model, into
    dvc.lock, oldest first. whole: whether they have the bundle, and not its model alone.
    """

    md5: str
    manifest: Mapping[str, Any]
    commits: list[str]
    whole: bool


def provenance(folder: Path, root: Path) -> list[str]:
    """What to print, a `name: value` a line.

    Raises:
        ForestallError: there is no bundle, or no commit that this clone knows has it.
    """
    origin = _origin(folder.resolve(), root)
    one = Commit(root, origin.commits[0][:12], origin.commits[0])
    stages = _upstream(one, BUNDLE if origin.whole else FITTED)
    told = [
        f"bundle: {folder}",
        f"md5: {origin.md5}",
        f"revision: {one.commit}",
        f"committed: {git(root, 'show', '--no-patch', '--format=%ci, %an: %s', one.commit).stdout.strip()}",
        *_hashes(stages, origin.manifest),
    ]
    return [*told, *(f"note: {note}" for note in _notes(origin, one, stages))]


def _origin(folder: Path, root: Path) -> Origin:
    manifest = _manifest(folder)
    md5 = _md5(folder, manifest)
    keys = {BUNDLE: md5, FITTED: str(manifest.get("model_md5"))}
    for out, key in keys.items():
        if HASH.fullmatch(key) and (commits := _commits(out, key, root)):
            if out == FITTED:
                _check_unchanged(folder, manifest)
            return Origin(md5, manifest, commits, out == BUNDLE)
    if any(_has(Workspace(root), out, key) for out, key in keys.items()):
        raise ForestallError(
            f"{folder} was made by files here that are not committed. Commit them with {LOCK_FILE}, and ask again."
        )
    raise ForestallError(
        f"{folder}: no commit that this clone knows has it{if_shallow(root)}. It was made by files that were never "
        "committed, by a branch or an experiment that is not here (`git fetch --all`), or was changed afterwards."
    )


def _manifest(folder: Path) -> dict[str, Any]:
    file = folder / MANIFEST
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"), parse_constant=_refuse)
    except (OSError, ValueError) as error:
        raise ForestallError(
            f"{file}: no bundle's manifest ({error}). Name the folder of a bundle."
        ) from error
    if not isinstance(manifest, dict):
        raise ForestallError(f"{file}: no bundle's manifest. Name the folder of a bundle.")
    return manifest


def _check_unchanged(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Whether the files are those that the export wrote, as far as the manifest tells; those of a model have to be."""
    # Here, not above: it loads what writes models.
    from forestall.pipeline.files import sha256

    sums = manifest.get("sha256")
    sums = sums if isinstance(sums, dict) else {}
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and file.name in sums]
    changed = [file.name for file in files if sha256(file) != sums[file.name]]
    if changed:
        raise ForestallError(
            f"{folder}: what {MANIFEST} says of {', '.join(changed)} does not fit: changed after the export, so that "
            "no revision made this bundle."
        )


def _refuse(number: str) -> NoReturn:
    raise ValueError(f"{number} is no JSON")


def _md5(folder: Path, manifest: Mapping[str, Any]) -> str:
    """The folder's hash as DVC knows it; of a release, as it was before it was promoted."""
    if REVISION not in manifest:
        return digest(folder.parent, folder.name, lambda _: False)
    # Here, not above: it loads the runtime.
    from forestall.serving.bundle import manifest_text

    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(shutil.copytree(folder, Path(scratch) / "bundle"))
        made = {key: value for key, value in manifest.items() if key != REVISION}
        (copy / MANIFEST).write_text(manifest_text(made), encoding="utf-8")
        return digest(copy.parent, copy.name, lambda _: False)


def _commits(out: str, key: str, root: Path) -> list[str]:
    """The commits, of whatever branch, tag or experiment, that brought an output's hash into dvc.lock; oldest first.

    Of a merge the one whose entry was taken, be it ours or theirs. Those that no branch or tag has, as experiments,
    come last: they are in no other clone, and may be gone tomorrow.
    """
    how = ("--all", "--full-history", "--reverse", "--date-order", "-m", "--format=%H %P")
    listed = dict.fromkeys(git(root, "log", *how, f"-S{key}", "--", LOCK_FILE).stdout.splitlines())

    def has(commit: str) -> bool:
        return _has(Commit(root, commit, commit), out, key)

    found = [one for one, *parents in map(str.split, listed) if has(one) and not any(map(has, parents))]
    return sorted(found, key=lambda one: not _on_a_branch(one, root))


def _on_a_branch(commit: str, root: Path) -> bool:
    """Whether a branch or a tag has it, or what is checked out, as in CI, where there may be neither."""
    words = ("for-each-ref", "--count=1", "--contains", commit, "refs/heads", "refs/remotes", "refs/tags")
    here = git(root, "merge-base", "--is-ancestor", commit, "HEAD", check=False).returncode == 0
    return here or bool(git(root, *words).stdout)


def _has(one: Revision, out: str, key: str) -> bool:
    """Whether a revision has an output by that hash; what else may have it is no bundle, and no model."""
    with suppress(ForestallError):  # torn
        return output_hash(lock(one), out) == key
    return False


def _upstream(one: Commit, out: str) -> dict[str, LockedStage]:
    """The entries of the stage that made an output, and of all before it, as that commit's dvc.lock has them.

    Raises:
        ForestallError: it is torn.
    """
    every = {
        name: locked_stage(entry, str, f"{one.name}:{LOCK_FILE}: {name}") for name, entry in lock(one).items()
    }
    makers = {path: name for name, stage in every.items() for path in stage.outs}
    if out not in makers:
        raise ForestallError(f"{one.name}:{LOCK_FILE} is torn: no stage of it makes {out}.")
    found: dict[str, LockedStage] = {}
    queue = [makers[out]]
    while queue:
        name = queue.pop()
        if name not in found:
            found[name] = every[name]
            queue += [makers[path] for path in every[name].deps if path in makers]
    return {name: found[name] for name in every if name in found}


def _hashes(stages: Mapping[str, LockedStage], manifest: Mapping[str, Any]) -> Iterator[str]:
    """The data, params, code and packages that it was made of, each by a hash."""
    deps = {path: md5 for stage in stages.values() for path, md5 in stage.deps.items()}
    made = {path: name for name, stage in stages.items() for path in stage.outs}
    raw = {path: md5 for path, md5 in deps.items() if not is_code(path) and path.startswith("data/raw/")}
    for path, md5 in raw.items():
        yield f"data: {path} {md5}" + (f", made by {made[path]}" if path in made else "")
    if HASH.fullmatch(data := str(manifest.get("data_hash"))):
        yield f"prepared data: {data}, the manifest's data_hash"
    params = {name: dict(stage.params) for name, stage in stages.items()}
    files = sorted({file for stage in stages.values() for file in stage.params})
    yield f"params: {_digest(params)}, of what {', '.join(stages)} read in {' and '.join(files)}"
    code = {path: md5 for path, md5 in deps.items() if is_code(path) and path != ENVIRONMENT_LOCK}
    yield f"code: {_digest(code)}, of {len(code)} files"
    yield f"packages: {deps[ENVIRONMENT_LOCK]}, {ENVIRONMENT_LOCK}"


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _notes(origin: Origin, one: Commit, stages: Mapping[str, LockedStage]) -> Iterator[str]:
    if not origin.whole:
        yield "that revision made its model; this bundle of it was exported by other code, or changed afterwards"
    if not _on_a_branch(str(one.commit), one.root):
        asked = ("for-each-ref", "--points-at", one.commit, "--format=%(refname:lstrip=4)", "refs/exps")
        names = git(one.root, *asked).stdout.split()
        yield "no branch or tag has it" + (f"; it is the experiment {names[0]}" if names else "")
    if words := if_shallow(one.root):
        yield f"an earlier one may have made it, which is not{words}"
    others = origin.commits[1:]
    if others:
        yield f"so did {', '.join(other[:12] for other in others[:3])}" + (", …" if len(others) > 3 else "")
    if REVISION in origin.manifest:
        promoted = str(origin.manifest[REVISION])
        yield f"promoted from {promoted if HASH.fullmatch(promoted) else 'what is no commit'}, says its manifest"
    with suppress(ForestallError):
        if behind := [name for name in stale(one, one.root) if name in stages]:
            yield f"of that revision {', '.join(behind)} would run again: its files are not all that made it"
