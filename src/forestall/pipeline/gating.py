"""The gate as both revisions' params.yaml have it: a change cannot let itself in by asking less of itself."""

from __future__ import annotations

from collections.abc import Iterator

from forestall.comparison import gate
from forestall.comparison.gate import Evidence, Limits, Ruling
from forestall.data.settings import validate
from forestall.errors import ForestallError
from forestall.pipeline.params import PARAMS, GateParams
from forestall.pipeline.side import Side


def rulings(known: Evidence, base: Side, head: Side) -> list[Ruling]:
    """Every rule of head's gate, and whether head would pass base's, too, where that is another.

    Raises:
        ForestallError: head's gate cannot be read.
    """
    own = gate.rulings(known, _limits(head.params.gate))
    return [*own, *_as_it_was(known, own, base, head)]


def _as_it_was(known: Evidence, own: list[Ruling], base: Side, head: Side) -> Iterator[Ruling]:
    earlier = _earlier(base)
    if earlier is None or earlier == _limits(head.params.gate):
        return
    failed = {one.rule for one in own if not one.passed}
    lost = [
        f"{one.rule} ({one.reason})"
        for one in gate.rulings(known, earlier)
        if not one.passed and one.rule not in failed
    ]
    told = f"by {base.revision.name}'s gate it fails: {'; '.join(lost)}"
    yield Ruling("gate as it was", not lost, told if lost else "another gate, but it passes the same rules")


def _earlier(base: Side) -> Limits | None:
    """Base's gate; None where it has none that this code can read."""
    try:
        section = base.mapping(str(PARAMS)).get("gate")
        return _limits(validate(GateParams, section, PARAMS)) if isinstance(section, dict) else None
    except ForestallError:
        return None


def _limits(asked: GateParams) -> Limits:
    return Limits(**asked.floors.model_dump(), **asked.model_dump(exclude={"floors"}))
