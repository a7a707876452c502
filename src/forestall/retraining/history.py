"""What was promoted, when, by whom and why: one line of JSON for each step, only ever added to."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from forestall.errors import ForestallError

FILE = "history.jsonl"
KINDS = {"number": int, "at": int}  # of a promotion's fields; the others are text
Verdict = Literal["first", "passed", "forced", "back"]
Step = Literal["begun", "done", "abandoned"]


@dataclass(frozen=True)
class Promotion:
    """An exchange of the model that is served.

    number: from 1 on. version: of the release; before: of the one that it replaces, empty for the first. revision: the
    commit that made it. at: seconds since 1970. verdict: of the gate (`passed`, or `forced` against it), `first` where
    nothing was served before, `back` to an earlier release. reason: what people said.
    """

    number: int
    version: str
    before: str
    revision: str
    at: int
    who: str
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True)
class History:
    """All promotions in a folder, and those whose last step is not known."""

    promotions: tuple[Promotion, ...]
    steps: dict[int, Step]

    @property
    def done(self) -> list[Promotion]:
        """Those that were carried out, the latest last."""
        return [one for one in self.promotions if self.steps[one.number] == "done"]

    @property
    def unsettled(self) -> Promotion | None:
        """One that was begun and neither done nor abandoned: its process was killed."""
        return next((one for one in self.promotions if self.steps[one.number] == "begun"), None)


def read_history(folder: Path) -> History:
    """What the file says; a last line that was cut off when its process was killed says nothing.

    Raises:
        ForestallError: another line is none of ours.
    """
    found, steps = list[Promotion](), dict[int, Step]()
    for number, line in enumerate(_lines(folder / FILE), 1):
        try:
            content = json.loads(line)
            step: Step = content.pop("step")
            if step == "begun":
                found.append(_checked(Promotion(**content)))
            steps[content["number"]] = step
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ForestallError(
                f"{folder / FILE}, line {number}: not a step of a promotion ({error}). "
                "Bring the file back from a copy, or take out what is none of its lines."
            ) from error
    return History(tuple(found), steps)


def begin(folder: Path, one: Promotion) -> None:
    """Note what is about to be done."""
    _add(folder, asdict(one) | {"step": "begun"})


def end(folder: Path, number: int, step: Step) -> None:
    """Note what became of it."""
    _add(folder, {"number": number, "step": step})


def _checked(one: Promotion) -> Promotion:
    wrong = [name for name, value in asdict(one).items() if type(value) is not KINDS.get(name, str)]
    if wrong:
        raise TypeError(f"{wrong[0]} cannot be {asdict(one)[wrong[0]]!r}")
    return one


def _lines(file: Path) -> list[bytes]:
    """Those that have their end: the last one may have been cut off."""
    return file.read_bytes().split(b"\n")[:-1] if file.exists() else []


def _add(folder: Path, content: dict[str, object]) -> None:
    """In one write, on disk before it counts, in the place of a line that was cut off."""
    file = folder / FILE
    held = file.read_bytes() if file.is_file() else b""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        whole = held.rfind(b"\n") + 1
        os.ftruncate(handle, whole)
        line = (json.dumps(content, ensure_ascii=False) + "\n").encode()
        if os.pwrite(handle, line, whole) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
        os.fsync(handle)
    finally:
        os.close(handle)
