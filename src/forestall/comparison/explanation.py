"""Which factor moved the metrics, from runs with one of them changed: mappings for machines, Markdown for people."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from forestall.comparison.factors import Factor
from forestall.comparison.paired import HALF_WIDTH
from forestall.comparison.text import number, signed

Figures = Mapping[str, float]
# Metrics are written to six digits: a sum of them is off by no more than this share of their size.
ROUNDING = 1e-5
TOGETHER = "together"


@dataclass(frozen=True)
class Run:
    """A state that was run: base, head, or base with one factor of head.

    figures: of the validation fold; None where it could not run, and `why` says so. reran: stages that DVC could not
    restore. recorded: not run, but as its own metrics have it.
    """

    name: str
    factor: Factor | None
    figures: dict[str, float] | None
    why: str | None
    reran: list[str]
    recorded: bool = False


@dataclass(frozen=True)
class Explanation:
    """All that was found; runs: base first, head last, none where nothing differs."""

    base: dict[str, str | None]
    head: dict[str, str | None]
    primary: str
    runs: list[Run]
    notes: list[str]
    seed_spread: float | None

    def moved(self, metric: str) -> dict[str, float]:
        """By factor, how far it alone moves a metric, and what they do together: the most first."""
        values = {run.factor or run.name: (run.figures or {}).get(metric) for run in self.runs}
        base, head = values.pop("base", None), values.pop("head", None)
        if base is None:
            return {}
        known = {name: value for name, value in values.items() if value is not None}
        changes = {name: exact(value - base, (value, base)) for name, value in known.items()}
        if head is not None and known:
            rest = head - base - sum(value - base for value in known.values())
            changes[TOGETHER] = exact(rest, (head, base, *known.values()))
        return dict(sorted(changes.items(), key=lambda one: -abs(one[1])))

    def as_json(self) -> dict[str, Any]:
        """For machines: the fields, and what moved each metric."""
        metrics = list(dict.fromkeys(name for run in self.runs for name in run.figures or {}))
        return asdict(self) | {"fold": "validation", "moved": {name: self.moved(name) for name in metrics}}


def exact(difference: float, terms: Sequence[float]) -> float:
    """A difference of rounded numbers, or 0 where it may be all rounding."""
    return 0.0 if abs(difference) <= ROUNDING * sum(map(abs, terms)) else difference


def markdown(found: Explanation) -> str:
    """The explanation for people."""
    parts = [f"## {_title(found)}", "", *_sentences(found), *_table(found), *_notes(found)]
    return "\n".join(parts).rstrip() + "\n"


def _title(found: Explanation) -> str:
    if not found.runs:
        return "Nothing that a run depends on differs"
    moved = found.moved(found.primary)
    causes = [name for name, change in moved.items() if change]
    if not causes:
        return f"What moved {found.primary}: {'nothing' if moved else 'not known'}"
    chance = _chance(found)
    if chance is not None and all(abs(change) <= chance for change in (*moved.values(), sum(moved.values()))):
        return f"What moved {found.primary}: nothing beyond what another seed does"
    if causes[0] != TOGETHER:
        return f"What moved {found.primary}: {'mostly ' if len(causes) > 1 else ''}{causes[0]}"
    lost = [str(run.factor) for run in found.runs if run.factor and run.why]
    why = f"not known without {' and '.join(lost)}" if lost else "no factor alone, they act together"
    return f"What moved {found.primary}: {why}"


def _sentences(found: Explanation) -> Iterator[str]:
    base, head = found.base["name"], found.head["name"]
    if not found.runs:
        yield f"Code, params, data and environment are the same in {base} and {head}."
        return
    ends = [(run.figures or {}).get(found.primary) for run in (found.runs[0], found.runs[-1])]
    moved = found.moved(found.primary)
    parts = ", ".join(f"{name} {signed(change) if change else '0'}" for name, change in moved.items())
    yield (
        f"Validation fold, from {number(ends[0])} ({base}) to {number(ends[1])} ({head})"
        + (f": {parts}." if parts else ".")
    )
    chance = _chance(found)
    if chance is not None:
        yield f"Two runs that differ by the seed alone differ by up to {number(chance)} (95 %): less is no evidence."
    yield ""


def _chance(found: Explanation) -> float | None:
    """How far two runs that differ by the seed alone differ at most, at 95 %."""
    return None if found.seed_spread is None else HALF_WIDTH * math.sqrt(2) * found.seed_spread


def _table(found: Explanation) -> Iterator[str]:
    ran = [run for run in found.runs if run.figures is not None]
    if not ran:
        return
    metrics = list(dict.fromkeys([found.primary, *(name for run in ran for name in run.figures or {})]))
    rest = any(TOGETHER in found.moved(name) for name in metrics)
    yield "| figure | " + " | ".join([*(run.name for run in ran), *([TOGETHER] if rest else [])]) + " |"
    yield "|---" * (1 + len(ran) + rest) + "|"
    for metric in metrics:
        base = (ran[0].figures or {}).get(metric) if ran[0].name == "base" else None
        cells = [_cell((run.figures or {}).get(metric), base, run.name == "base") for run in ran]
        if rest:
            last = found.moved(metric).get(TOGETHER)
            cells.append("-" if last is None else signed(last) if last else "0")
        yield f"| {metric} | " + " | ".join(cells) + " |"
    yield ""


def _cell(value: float | None, base: float | None, is_base: bool) -> str:
    if value is None or base is None or is_base:
        return number(value)
    change = exact(value - base, (value, base))
    return f"{number(value)} ({signed(change)})" if change else number(value)


def _notes(found: Explanation) -> Iterator[str]:
    failed = [run for run in found.runs if run.why]
    for run in failed:
        recorded = " Its figures are those of its own metrics files." if run.recorded else ""
        yield f"- {run.name} could not be run: {run.why}{recorded}"
    if any(run.factor for run in failed):
        yield f"- What a factor without a run did is in `{TOGETHER}`."
    yield from (f"- {note}" for note in found.notes)
