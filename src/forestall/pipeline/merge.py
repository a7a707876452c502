"""Two branches' dvc.lock made one, stage by stage: what it says of a stage is of one run, never put together of two."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from forestall.errors import ForestallError
from forestall.pipeline.locked import locked_stage
from forestall.pipeline.revisions import is_whole

# As DVC writes it: the entries below this, in no order that means something, each from its name on to the next name.
HEADER = "schema: '2.0'\nstages:\n"
NAME = re.compile(r"^(?=  [^ \n])", re.MULTILINE)

Entries = Mapping[str, str]


@dataclass(frozen=True)
class Merged:
    """entries: text by stage. ours, theirs: stages that this side alone changed, added or removed. left: those that
    both changed, where ours stands. removed: those that one side removed and the other changed."""

    entries: Entries
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    left: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def text(self) -> str:
        """The whole file."""
        return HEADER + "".join(self.entries.values()) if self.entries else "schema: '2.0'\nstages: {}\n"


def merge_files(base: Path, ours: Path, theirs: Path, path: str) -> Merged:
    """Merge two branches' versions of the dvc.lock at `path`, and write the outcome in the place of ours.

    Raises:
        ForestallError: one of them is torn, in conflict or of another form. Nothing is written.
    """
    found = merged(
        *(_read(file, side, path) for file, side in ((base, "base"), (ours, "ours"), (theirs, "theirs")))
    )
    ours.write_text(found.text, encoding="utf-8", newline="\n")
    return found


def merged(base: Entries, ours: Entries, theirs: Entries) -> Merged:
    """What each side changed since `base`; where both changed a stage, ours, which is a run's record all the same.

    A stage that one side removed is gone: if dvc.yaml has it still, `dvc repro` makes its entry anew, and an entry
    too many would have to be taken out by hand.
    """
    names = list(dict.fromkeys([*ours, *theirs, *base]))
    sides = {name: (base.get(name), ours.get(name), theirs.get(name)) for name in names}
    both = [name for name, (was, our, their) in sides.items() if our != was != their and our != their]
    gone = {name for name in both if None in sides[name][1:]}
    kept = {
        name: their if our == was else our for name, (was, our, their) in sides.items() if name not in gone
    }
    return Merged(
        {name: entry for name, entry in kept.items() if entry is not None},
        tuple(name for name, (was, our, their) in sides.items() if our != was == their),
        tuple(name for name, (was, our, their) in sides.items() if our == was != their),
        tuple(name for name in both if name not in gone),
        tuple(name for name in both if name in gone),
    )


def plan(found: Merged, path: str) -> list[str]:
    """What was taken from where, and what to do now, in lines."""
    folder = posixpath.dirname(path)
    repro = f"dvc repro {folder}/dvc.yaml" if folder else "dvc repro"
    told = {
        "from ours": found.ours,
        "from theirs": found.theirs,
        f"changed by both, ours stands until `{repro}`": found.left,
        "removed by one, changed by the other, so removed": found.removed,
    }
    lines = [f"{path}: {how}: {', '.join(stages)}" for how, stages in told.items() if stages]
    return [*lines, f"{path}: once merged: `dvc checkout`; `forestall check` says what `{repro}` runs"]


def entries(text: str) -> dict[str, str]:
    """The entries in a dvc.lock by stage, to the byte as they stand there; none in an empty file.

    Each is YAML by itself, so any of them together are.

    Raises:
        ForestallError: it is torn, in conflict or of another form.
    """
    first, *rest = NAME.split(text.removeprefix(HEADER))
    blocks = [first, *rest] if first else rest
    found = {_stage(block): block for block in blocks}
    if text and not (text.startswith(HEADER) and blocks and len(found) == len(blocks)):
        raise ForestallError("it is not of the form that DVC 3 writes")
    return found


def _read(file: Path, side: str, path: str) -> dict[str, str]:
    try:
        text = file.read_bytes().decode()
        if not text and side != "base":  # where both sides added it, there is no base
            raise ForestallError("it is empty")
        return entries(text)
    except (UnicodeDecodeError, ForestallError) as error:
        why = str(error).removesuffix(".")
        raise ForestallError(
            f"{path} of {side} is torn, in conflict or of another form ({why}). It is left in conflict, as ours: "
            f"choose by `git checkout --ours {path}` or `--theirs`, or delete it; `git add` it, then `dvc repro`."
        ) from error


@cache
def _stage(block: str) -> str:
    """The name of the stage that a block of lines is the whole entry of; the three versions share most of them."""
    try:
        content = YAML(typ="safe").load(block)
    except YAMLError as error:
        raise ForestallError(f"no YAML: {block.split(':')[0].strip()[:40]!r}") from error
    if not (block.endswith("\n") and isinstance(content, dict) and len(content) == 1):
        raise ForestallError(f"no entry: {block.strip()[:40]!r}")
    ((name, entry),) = content.items()
    try:
        if not is_whole(entry):
            raise ForestallError("not whole")
        locked_stage(entry, str, str(name))
    except ForestallError as error:
        raise ForestallError(f"{name} is cut off, or of an older DVC") from error
    return str(name)
