"""What was promoted, when, by whom and why: one line of JSON for each step, only ever added to."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from forestall.errors import ForestallError

FILE = "history.jsonl"
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
                found.append(Promotion(**content))
            steps[content["number"]] = step
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ForestallError(
                f"{folder / FILE}, line {number}: not a step of a promotion ({error})."
            ) from error
    return History(tuple(found), steps)


def begin(folder: Path, one: Promotion) -> None:
    """Note what is about to be done."""
    _add(folder, asdict(one) | {"step": "begun"})


def end(folder: Path, number: int, step: Step) -> None:
    """Note what became of it."""
    _add(folder, {"number": number, "step": step})


def _lines(file: Path) -> list[str]:
    """Those that have their end: the last one may have been cut off."""
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return text.split("\n")[:-1]


def _add(folder: Path, content: dict[str, object]) -> None:
    """In one write, on disk before it counts, in the place of a line that was cut off."""
    file = folder / FILE
    held = file.read_bytes() if file.is_file() else b""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        whole = held.rfind(b"\n") + 1
        os.ftruncate(handle, whole)
        os.pwrite(handle, (json.dumps(content, ensure_ascii=False) + "\n").encode(), whole)
        os.fsync(handle)
    finally:
        os.close(handle)
