"""The form of an alarm as a change of it, and refusals as people are told them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from forestall.data.clock import is_counter
from forestall.features.reference import Reference
from forestall.serving.api.problems import Problem, unfit
from forestall.serving.api.typed_columns import ticks
from forestall.serving.page.refused import OldFormError
from forestall.serving.store.alarm_changes import (
    Change,
    ContradictionError,
    RefusedChangeError,
    StaleAlarmError,
)
from forestall.serving.store.alarms import Finding, State
from forestall.serving.times import latest

ACTS: Mapping[str, State | None] = {
    "acknowledge": "acknowledged",
    "take": "in work",
    "close": "closed",
    "note": None,
}
FINDINGS: tuple[Finding, ...] = get_args(Finding)
Form = Mapping[str, str]


@dataclass(frozen=True)
class Refusal:
    """Why a change was not made; sent: what the form held, so that nothing has to be written again.

    text: the key of what is told. failed: with a contradiction, when the part failed, in ticks. detail: further words,
    in English, where there is no text of its own.
    """

    status: int
    text: str
    sent: Form
    failed: int | None = None
    detail: str = ""


def change_of(form: Form, who: str, at: int, reference: Reference) -> tuple[Change, int]:
    """The change that a form asks for, and the version of the alarm that it was made from.

    Raises:
        Problem: 422, a field that cannot be read.
    """
    act, version = form.get("act", ""), form.get("version", "")
    if act not in ACTS:
        raise unfit([("act", "is unknown")])
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise unfit([("version", "is none")])
    closing = act == "close"
    finding = next((one for one in FINDINGS if closing and form.get("finding") == one), None)
    dated = finding in ("confirmed", "replaced unseen")
    found = _time(form.get("found", ""), reference) if dated else None
    assignee = form.get("assignee", "").strip() if "assignee" in form else None
    note = form.get("note", "").replace("\r\n", "\n").strip() if "note" in form else None
    replaced = finding == "confirmed" and form.get("replaced") == "yes"
    if act == "take" and not assignee:
        assignee = who
    return Change(who, at, ACTS[act], finding, found, replaced, assignee, note), int(version)


def refusal_of(error: Exception, form: Form) -> Refusal:
    """Of a change that was refused."""
    if isinstance(error, OldFormError):
        return Refusal(error.status, error.key, form)
    if isinstance(error, StaleAlarmError):
        return Refusal(412, "page.refused_stale", form)
    if isinstance(error, ContradictionError):
        return Refusal(409, "page.refused_contradiction", form, error.failed)
    if isinstance(error, RefusedChangeError):
        return Refusal(422, f"page.refused_{error.field}", form, detail=str(error))
    if isinstance(error, Problem) and error.status == 422 and error.errors[0][0] == "found":
        return Refusal(422, "page.refused_found", form, detail=error.detail)
    raise error


def _time(text: str, reference: Reference) -> int | None:
    """A time as a browser's input gives it; None if it is empty."""
    if not text:
        return None
    counter = is_counter(reference.unit)
    value: object = int(text) if counter and text.isdigit() and len(text) < 16 else text
    return ticks("found", value, reference.unit, latest(reference))
