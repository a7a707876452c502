"""Why dvc.lock does not tell the truth about the files: what `dvc repro` would run, and what it would overlook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from forestall.pipeline.locked import LockedStage
from forestall.pipeline.stages import Stage, above, value_at

REPRO = "run `dvc repro`"
GONE = "is missing"  # and nothing makes it, so that `dvc repro` would end there


class Kind(StrEnum):
    """What a reason is about; all but NOTE make the answer no."""

    STALE = "stale"  # `dvc repro` runs the stage
    WRONG = "wrong"  # it does not, and dvc.lock is wrong all the same
    IMPORTS = "imports"  # dvc.yaml lists other code than the stage imports
    SETTINGS = "settings"  # no stage would start
    ENVIRONMENT = "environment"
    UNCOMMITTED = "uncommitted"
    NOTE = "note"


@dataclass(frozen=True)
class Reason:
    """One of them, about a stage or, with an empty name, about all."""

    kind: Kind
    stage: str
    text: str


@dataclass(frozen=True)
class Pipeline:
    """A dvc.yaml and what the dvc.lock beside it has of its stages. gone: entries of stages that are no more."""

    file: str
    stages: Mapping[str, Stage]
    locked: Mapping[str, LockedStage]
    gone: tuple[str, ...] = ()

    @property
    def made(self) -> dict[str, str]:
        """The md5 of what its stages made last, by path, as far as dvc.lock has it."""
        pairs = ((self.stages[name], one) for name, one in self.locked.items())
        return {path: md5 for stage, one in pairs for path, md5 in one.outs.items() if path in stage.outs}


@dataclass(frozen=True)
class Facts:
    """What is there. hashes: md5 of deps and outs, without those that are missing. made: of what stages made, by
    dvc.lock. pointers: of data, by the .dvc file beside them. settings: files of params."""

    hashes: Mapping[str, str]
    made: Mapping[str, str]
    pointers: Mapping[str, str]
    settings: Mapping[str, Mapping[str, Any]]


def reasons(pipeline: Pipeline, facts: Facts) -> Iterator[Reason]:
    """All there are, stage by stage; data that are not there are taken to be those of dvc.lock or of their pointer."""
    for name, stage in pipeline.stages.items():
        locked = pipeline.locked.get(name)
        if locked is None:
            yield Reason(Kind.STALE, name, f"has no entry in dvc.lock: {REPRO}")
        else:
            yield from _of_stage(stage, locked, facts)
    for name in pipeline.gone:
        advice = "delete its entry there, or give the stage back"
        yield Reason(Kind.WRONG, name, f"is in dvc.lock and no longer in {pipeline.file}: {advice}")


def stale(pipeline: Pipeline, facts: Facts) -> list[str]:
    """The stages that `dvc repro` would run, before any of them has run."""
    return list(dict.fromkeys(one.stage for one in reasons(pipeline, facts) if one.kind is Kind.STALE))


def _of_stage(stage: Stage, locked: LockedStage, facts: Facts) -> Iterator[Reason]:
    found = [*_changes(stage, locked, facts)]
    yield from found
    if not any(one.kind is Kind.STALE for one in found):  # a run would write the entry anew
        again = f"`dvc repro --force --single-item {stage.name}`"
        yield from (Reason(Kind.WRONG, stage.name, f"{text}: {again}") for text in _left(stage, locked))


def _changes(stage: Stage, locked: LockedStage, facts: Facts) -> Iterator[Reason]:
    if stage.always and not stage.frozen:
        yield Reason(Kind.STALE, stage.name, "runs every time: give it deps, without `always_changed`")
    if stage.cmd != locked.cmd:
        yield Reason(Kind.STALE, stage.name, f"has another cmd than it ran with: {REPRO}")
    texts = [*_deps(stage, locked, facts), *_params(stage, locked, facts)]
    if stage.frozen:
        yield Reason(Kind.NOTE, stage.name, "is frozen: `dvc repro` does not run it, whatever changes")
        # By hand: `dvc unfreeze` refuses a stage with a `${…}`.
        thaw = f"take its `frozen: true` out of dvc.yaml, then {REPRO}"
        yield from (Reason(Kind.WRONG, stage.name, f"{text}: {thaw}") for text in texts)
    else:
        yield from (Reason(Kind.STALE, stage.name, f"{text}: {_todo(text)}") for text in texts)
    yield from (Reason(Kind.STALE, stage.name, text) for text in _outs(stage, locked, facts))
    yield from (Reason(Kind.WRONG, stage.name, text) for text in _strayed(stage, facts))


def _todo(text: str) -> str:
    return "bring it back, or take it out of dvc.yaml" if text.endswith(GONE) else REPRO


def _deps(stage: Stage, locked: LockedStage, facts: Facts) -> Iterator[str]:
    for path in stage.deps:
        before, now = locked.deps.get(path), _now(path, facts)
        if before is None:
            yield f"{path} is a new dep"
        elif now is None and not _is_data(path, facts):
            yield f"{path}, a dep, {GONE}"
        elif now is not None and now != before:
            yield _changed(path, facts)


def _changed(path: str, facts: Facts) -> str:
    if path in facts.made:
        return f"{path} is not what the stage that makes it made last"
    if path not in facts.hashes:
        return f"{path} is not what {path}.dvc points to"
    return f"{path} has changed since it ran"


def _strayed(stage: Stage, facts: Facts) -> Iterator[str]:
    """Data that are other than their .dvc file says, which `dvc repro` would write anew by what lies there."""
    for path in stage.deps:
        if path in facts.pointers and facts.hashes.get(path, facts.pointers[path]) != facts.pointers[path]:
            advice = f"`dvc checkout {path}.dvc` for those, `dvc add {path}` for what lies there"
            yield f"{path} is not what {path}.dvc points to: {advice}"


def _now(path: str, facts: Facts) -> str | None:
    """What a dep is once all before it ran: what its stage made, else the file, else what its pointer names."""
    return facts.made.get(path) or facts.hashes.get(path) or facts.pointers.get(path)


def _is_data(path: str, facts: Facts) -> bool:
    """Whether a missing dep lies within what a stage makes or a pointer names, so that a pull would bring it."""
    return any(folder in facts.made or folder in facts.pointers for folder in above(path))


def _params(stage: Stage, locked: LockedStage, facts: Facts) -> Iterator[str]:
    for file, keys in stage.params.items():
        before, content = locked.params.get(file), facts.settings.get(file)
        if before is None or content is None:
            yield f"{file} {GONE if content is None else 'is a new file of params'}"
            continue
        for key in keys or tuple(dict.fromkeys([*map(str, content), *before])):
            yield from _param(file, key, value_at(content, key.split(".")), before)


def _param(file: str, key: str, now: tuple[bool, Any], before: Mapping[str, Any]) -> Iterator[str]:
    there, value = now
    if not there:
        yield f"{file}: {key} {GONE}"
    elif key not in before:
        yield f"{file}: {key} is a new param"
    elif value != before[key]:
        yield f"{file}: {_differing(key, before[key], value)} since it ran"


def _differing(key: str, before: Any, now: Any) -> str:
    """The first key below which two values differ, with both if they are short."""
    if isinstance(before, dict) and isinstance(now, dict):
        for one in [*before, *now]:
            if one not in before or one not in now:
                return f"{key}.{one} was {'added' if one in now else 'removed'}"
            if before[one] != now[one]:
                return _differing(f"{key}.{one}", before[one], now[one])
    both = f"from {before!r} to {now!r}"
    return f"{key} went {both}" if len(both) < 80 else f"{key} changed"


def _outs(stage: Stage, locked: LockedStage, facts: Facts) -> Iterator[str]:
    for path, cached in stage.outs.items():
        before, now = locked.outs.get(path), facts.hashes.get(path)
        back = f"{REPRO}, or `{'dvc' if cached else 'git'} checkout {path}`"
        if before is None:
            yield f"{path} is a new out: {REPRO}"
        elif now is None and not cached:
            yield f"{path} is missing: {back}"
        elif now is not None and now != before:
            yield f"{path} is not what the stage made: {back}"


def _left(stage: Stage, locked: LockedStage) -> Iterator[str]:
    """What dvc.lock has and dvc.yaml has no longer, of which DVC says nothing."""
    for path in (*(locked.deps.keys() - set(stage.deps)), *(locked.outs.keys() - stage.outs.keys())):
        yield f"{path} is in dvc.lock and no longer in dvc.yaml"
    for file, values in locked.params.items():
        keys = stage.params.get(file)
        if keys is None or (keys and values.keys() - set(keys)):
            left = file if keys is None else f"{file}: {', '.join(sorted(values.keys() - set(keys or ())))}"
            yield f"{left} is in dvc.lock and no longer in dvc.yaml"
