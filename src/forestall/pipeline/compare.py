"""`forestall compare`: two revisions read, judged on the same decisions, and all that differs as one report."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from forestall.comparison import changes, gate, names, paired
from forestall.comparison.changes import Changes
from forestall.comparison.gate import Evidence
from forestall.comparison.paired import Difference, Judged, Verdict
from forestall.comparison.report import Report
from forestall.data.store import with_stamps
from forestall.errors import ForestallError
from forestall.evaluation import judge
from forestall.evaluation.ledger import KEY
from forestall.evaluation.resampling import drawn
from forestall.evaluation.tables import COST
from forestall.features.labels import VALIDATION
from forestall.pipeline.differences import changes_of
from forestall.pipeline.freshness import stale
from forestall.pipeline.gating import rulings
from forestall.pipeline.recorded import (
    RECORDED,
    fleet,
    recorded_figures,
    recorded_recalls,
    rule_cost,
    table_of,
)
from forestall.pipeline.revisions import Revision, Workspace
from forestall.pipeline.sides import FOLDS, PREPARED, Side, Together, together

SEEDS = Path("studies/results/seeds.json")
SAME = 1e-4  # metrics are written to six digits


def compare(base: Revision, head: Revision, root: Path) -> Report:
    """All that differs between two revisions; what cannot be compared is left out, and the report says why."""
    with tempfile.TemporaryDirectory() as folder:
        sides = Side(base, Path(folder) / "base"), Side(head, Path(folder) / "head")
        found = changes_of(*sides, root)
        old = {side.revision.name: _stale(side, root) for side in sides}
        try:
            return _judged(*sides, found, root, old)
        except ForestallError as error:
            return _recorded(*sides, found, str(error), old)


def _judged(base: Side, head: Side, found: Changes, root: Path, old: Mapping[str, str]) -> Report:
    both, least = together(base, head), head.params.evaluate.min_failures
    folds = {name: _on_fold(both, base, head, name) for name in FOLDS if both.data.rows(name).any()}
    figures = {name: paired.differences(*models) for name, models in folds.items()}
    cost = paired.cost_of(figures[VALIDATION])
    spreads = _spreads(base, head, root)
    verdict = paired.least_favourable([paired.verdict(cost, one) for one in spreads])
    known = Evidence(
        head.numbers(RECORDED[VALIDATION]),
        names.slice_recalls(folds[VALIDATION][1], both.gaps, least),
        rule_cost(head),
        cost,
        verdict,
        "",
        old[head.revision.name],
    )
    alarms, missing = _alarms(base, head)
    failures = next(one.head for one in figures[VALIDATION] if one.metric == "failures")
    spread = [*_two_spreads(base, head, spreads), *_spread_note(root, failures)]
    differ = _not_as_recorded(base, head, figures, found) if not any(old.values()) else ()
    return Report(
        base=_named(base),
        head=_named(head),
        changes=asdict(found),
        notes=[*both.notes, *differ, *_notes(base, head, old, set(FOLDS) - set(folds)), *spread, *missing],
        figures={name: [asdict(one) for one in rows] for name, rows in figures.items()},
        verdict=asdict(verdict),
        failures={name: _failures(both, *models) for name, models in folds.items()},
        alarms=alarms,
        slices=names.slices_worse(*folds[VALIDATION], both.gaps, least),
        rulings=[asdict(one) for one in rulings(known, base, head)],
    )


def _recorded(base: Side, head: Side, found: Changes, why: str, old: Mapping[str, str]) -> Report:
    """What the metrics files alone say, without intervals."""
    figures = {name: recorded_figures(base, head, name) for name in FOLDS}
    first = not base.has_model and not base.figures(RECORDED[VALIDATION])
    text = f"{base.revision.name} has no model to compare with." if first else why
    known = Evidence(
        head.numbers(RECORDED[VALIDATION]),
        recorded_recalls(head),
        rule_cost(head),
        None,
        None,
        "" if first else text,
        old[head.revision.name],
    )
    try:
        ruled = rulings(known, base, head)
    except ForestallError as error:
        ruled = [gate.Ruling("params", False, str(error))]
    alarms, missing = _alarms(base, head)
    return Report(
        base=_named(base),
        head=_named(head),
        changes=asdict(found),
        notes=[
            f"Not judged on the same decisions, only as recorded: {text}",
            *_notes(base, head, old),
            *missing,
        ],
        figures={name: [asdict(one) for one in rows] for name, rows in figures.items()},
        verdict=asdict(Verdict("no evidence", None, None)),
        failures={},
        alarms=alarms,
        slices=[],
        rulings=[asdict(one) for one in ruled],
    )


def _stale(side: Side, root: Path) -> str:
    """Why its outputs are not what its files make; empty if they are, or if there are none."""
    try:
        found = stale(side, root) if side.lock or side.problems else []
    except ForestallError as error:
        return f"whether {side.revision.name}'s outputs are current is not known: {error}"
    todo = "run `dvc repro`" if side.revision.commit is None else "run `dvc repro` there and commit dvc.lock"
    named = ", ".join(found)
    return (
        f"{side.revision.name}'s files were changed after its outputs were made ({named}): {todo}"
        if found
        else ""
    )


def _notes(base: Side, head: Side, old: Mapping[str, str], missing: Collection[str] = ()) -> Iterator[str]:
    """What to know of both revisions' own files."""
    yield from (f"{text}." for text in old.values() if text)
    for fold in missing:
        yield f"{head.revision.name} has no decision in its {fold} fold."
    if not base.lock and not base.problems:
        yield f"{base.revision.name} has no dvc.lock."
    before, after = (set(side.numbers(RECORDED[VALIDATION])) for side in (base, head))
    for side, only in ((base, before - after), (head, after - before)):
        if only and before and after:
            yield f"Only {side.revision.name} records {', '.join(sorted(only))}."
    yield from (problem for side in (base, head) for problem in side.problems)


def _on_fold(both: Together, base: Side, head: Side, name: str) -> tuple[Judged, Judged]:
    draws: Any = None
    found = []
    for side, risk in ((base, both.base_risk), (head, both.head_risk)):
        fold = judge.fold_of(both.data, name, risk, risk * 0)
        draws = drawn(len(fold.machines)) if draws is None else draws
        found.append(paired.judged(fold, side.bundle.thresholds, draws))
    return found[0], found[1]


def _failures(both: Together, base: Judged, head: Judged) -> dict[str, names.Rows]:
    found = names.failures_changed(base, head)
    clock = both.data.dataset.clock
    return {
        name: names.records(with_stamps(pd.DataFrame(rows, columns=KEY), clock).astype(str))
        for name, rows in found.items()
    }


def _alarms(base: Side, head: Side) -> tuple[dict[str, names.Rows], list[str]]:
    """Machines newly alarmed and no longer, by the fleet's lists; or why there is none."""
    try:
        return names.alarms_changed(*(fleet(side) for side in (base, head))), []
    except ForestallError as error:
        return {}, [f"Machines newly alarmed are not known: {error}"]


def _not_as_recorded(
    base: Side, head: Side, figures: dict[str, list[Difference]], found: Changes
) -> Iterator[str]:
    """Where the figures here are not those in a revision's own metrics."""
    if set(base.bundle.components) != set(head.bundle.components):
        return  # only those that both know are judged here
    cost, sides = paired.cost_of(figures[VALIDATION]), [(head, "head")]
    same_rows = changes.output_hash(base.lock, PREPARED) == changes.output_hash(head.lock, PREPARED)
    if same_rows and not any(name.startswith(("dataset.", "alarm.")) for name in found.params):
        sides.append((base, "base"))
    for side, name in sides:
        here, recorded = getattr(cost, name), side.numbers(RECORDED[VALIDATION]).get(COST)
        if here is not None and recorded and abs(here / recorded - 1) > SAME:
            yield (
                f"{side.revision.name} records a cost of {recorded:,.0f} on the validation fold and is judged at "
                f"{here:,.0f} here: by this code, or its outputs are not those of its metrics (`dvc status`)."
            )


def seed_spread(root: Path) -> float | None:
    """The standard deviation of the validation fold's cost over seeds, as the study measured it."""
    return _spread_in(Workspace(root).text(SEEDS.as_posix()))


def _spread_in(text: str | None) -> float | None:
    try:
        found = json.loads(text or "{}")
    except json.JSONDecodeError:  # half merged, say: as good as none
        return None
    spread = found.get(VALIDATION, {}).get(COST)
    return float(spread) if spread is not None else None


def _spreads(base: Side, head: Side, root: Path) -> list[float | None]:
    """The spread over seeds that base and head have, one where they are equal; the workspace's if neither has any."""
    own = [_spread_in(side.revision.text(SEEDS.as_posix())) for side in (base, head)]
    known = [one for one in dict.fromkeys(own) if one is not None]
    return [*known] or [seed_spread(root)]


def _two_spreads(base: Side, head: Side, spreads: list[float | None]) -> Iterator[str]:
    if len(spreads) > 1:
        before, after = spreads
        yield (
            f"The spread over seeds differs ({before:.3g} in {base.revision.name}, {after:.3g} in "
            f"{head.revision.name}): the word is the one of both that is less favourable to {head.revision.name}."
        )


def _spread_note(root: Path, failures: float | None) -> Iterator[str]:
    """Whether the spread over seeds is that of these data, as far as its validation fold's failures tell."""
    todo = "`dvc repro studies/dvc.yaml:seeds` measures it; until then the interval may be too narrow."
    table = table_of(Workspace(root).text(SEEDS.with_suffix(".csv").as_posix()), ["fold", "failures"])
    if seed_spread(root) is None or table is None:
        yield f"The spread over seeds is not known: {todo}"
        return
    seen = pd.to_numeric(table.loc[table["fold"] == VALIDATION, "failures"], errors="coerce").max()
    if seen != failures:
        yield (
            f"The spread over seeds was measured on other data ({seen:.0f} failures in its validation fold, "
            f"not {failures or 0:.0f}): {todo}"
        )


def _named(side: Side) -> dict[str, str | None]:
    return {"name": side.revision.name, "commit": side.revision.commit}
