"""`forestall compare`: two revisions read, judged on the same decisions, and all that differs as one report."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pandas as pd

from forestall.comparison import changes, gate, outcomes, paired
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
from forestall.pipeline.paired_risks import PairedRisks, paired_risks
from forestall.pipeline.recorded import (
    RECORDED,
    fleet,
    recorded_figures,
    recorded_recalls,
    rule_cost,
)
from forestall.pipeline.revisions import Revision, named
from forestall.pipeline.seeds import seed_spreads, spread_note, two_spreads
from forestall.pipeline.side import FOLDS, PREPARED, Side

SAME = 1e-4  # metrics are written to six digits


def compare(base: Revision, head: Revision, root: Path, fold: str = VALIDATION) -> Report:
    """All that differs between two revisions; what cannot be compared is left out, and the report says why.

    Args:
        fold: the one that decides. A change is judged on the validation fold; a release on head's test fold, which
            neither model has seen unless base's data end later.
    """
    with tempfile.TemporaryDirectory() as folder:
        sides = Side(base, Path(folder) / "base"), Side(head, Path(folder) / "head")
        found = changes_of(*sides, root)
        why_stale = {side.revision.name: _stale(side, root) for side in sides}
        try:
            return _judged(*sides, found, root, why_stale, fold)
        except ForestallError as error:
            return _recorded(*sides, found, str(error), why_stale, fold)


def _judged(
    base: Side, head: Side, found: Changes, root: Path, why_stale: Mapping[str, str], fold: str
) -> Report:
    both, least = paired_risks(base, head, fold), head.params.evaluate.min_failures
    folds = {name: _on_fold(both, base, head, name) for name in _order(fold) if both.data.rows(name).any()}
    figures = {name: paired.differences(*models) for name, models in folds.items()}
    cost = paired.cost_of(figures[fold])
    spreads = seed_spreads(base, head, root, fold)
    verdict = paired.least_favourable([paired.verdict(cost, one) for one in spreads])
    known = Evidence(
        head.numbers(RECORDED[fold]),
        outcomes.slice_recalls(folds[fold][1], both.gaps, least),
        rule_cost(head, fold),
        cost,
        verdict,
        "",
        why_stale[head.revision.name],
    )
    alarms, missing = _alarms(base, head)
    failures = next(one.head for one in figures[fold] if one.metric == "failures")
    spread = [*two_spreads(base, head, spreads), *spread_note(root, head, failures, fold)]
    differ = _not_as_recorded(base, head, figures, found, fold) if not any(why_stale.values()) else ()
    return Report(
        base=named(base.revision),
        head=named(head.revision),
        changes=found,
        notes=[
            *both.notes,
            *_judged_by(head, found),
            *differ,
            *_notes(base, head, why_stale, set(FOLDS) - set(folds)),
            *spread,
            *missing,
        ],
        figures=figures,
        verdict=verdict,
        failures={name: _failures(both, *models) for name, models in folds.items()},
        alarms=alarms,
        slices=outcomes.slices_worse(*folds[fold], both.gaps, least),
        rulings=rulings(known, base, head),
        fold=fold,
    )


def _recorded(
    base: Side, head: Side, found: Changes, why: str, why_stale: Mapping[str, str], fold: str
) -> Report:
    """What the metrics files alone say, without intervals."""
    figures = {name: recorded_figures(base, head, name) for name in _order(fold)}
    first = not base.has_model and not base.figures(RECORDED[fold])
    text = f"{base.revision.name} has no model to compare with." if first else why
    known = Evidence(
        head.numbers(RECORDED[fold]),
        recorded_recalls(head, fold),
        rule_cost(head, fold),
        None,
        None,
        "" if first else text,
        why_stale[head.revision.name],
    )
    try:
        ruled = rulings(known, base, head)
    except ForestallError as error:
        ruled = [gate.Ruling("params", False, str(error))]
    alarms, missing = _alarms(base, head)
    return Report(
        base=named(base.revision),
        head=named(head.revision),
        changes=found,
        notes=[
            f"Not judged on the same decisions, only as recorded: {text}",
            *_notes(base, head, why_stale),
            *missing,
        ],
        figures=figures,
        verdict=Verdict("no evidence", None, None),
        failures={},
        alarms=alarms,
        slices=[],
        rulings=ruled,
        judged=False,
        fold=fold,
    )


def _order(fold: str) -> list[str]:
    """The fold that decides first."""
    return [fold, *(one for one in FOLDS if one != fold)]


def _stale(side: Side, root: Path) -> str:
    """Why its outputs are not what its files make; empty if they are, or if there are none."""
    try:
        found = stale(side.revision, root) if side.lock or side.problems else []
    except ForestallError as error:
        return f"whether {side.revision.name}'s outputs are current is not known: {error}"
    todo = "run `dvc repro`" if side.revision.commit is None else "run `dvc repro` there and commit dvc.lock"
    if not found:
        return ""
    return (
        f"{side.revision.name}'s files were changed after its outputs were made ({', '.join(found)}): {todo}"
    )


def _notes(
    base: Side, head: Side, why_stale: Mapping[str, str], missing: Collection[str] = ()
) -> Iterator[str]:
    """What to know of both revisions' own files."""
    yield from (f"{text}." for text in why_stale.values() if text)
    for fold in missing:
        yield f"{head.revision.name} has no decision in its {fold} fold."
    if not base.lock and not base.problems:
        yield f"{base.revision.name} has no dvc.lock."
    before, after = (set(side.numbers(RECORDED[VALIDATION])) for side in (base, head))
    for side, only in ((base, before - after), (head, after - before)):
        if only and before and after:
            yield f"Only {side.revision.name} records {', '.join(sorted(only))}."
    yield from (problem for side in (base, head) for problem in side.problems)


def _judged_by(head: Side, found: Changes) -> Iterator[str]:
    """What base's model was not made for, where both are judged by head's dataset file."""
    asked = {"costs": "dataset.costs", "folds": "dataset.split", "decisions": "dataset.decisions"}
    differ = [name for name, key in asked.items() if any(one.startswith(f"{key}.") for one in found.params)]
    if differ:
        yield (
            f"The {' and '.join(differ)} differ: both are judged by {head.revision.name}'s, by which only "
            f"{head.revision.name}'s thresholds were chosen. That flatters {head.revision.name}."
        )


def _on_fold(both: PairedRisks, base: Side, head: Side, name: str) -> tuple[Judged, Judged]:
    # No one-line rule is judged here: its alarms are none.
    before, after = (
        judge.fold_of(both.data, name, risk, risk * 0) for risk in (both.base_risk, both.head_risk)
    )
    draws = drawn(len(before.machines))
    return (
        paired.judged(before, base.bundle.thresholds, draws),
        paired.judged(after, head.bundle.thresholds, draws),
    )


def _failures(both: PairedRisks, base: Judged, head: Judged) -> dict[str, outcomes.Rows]:
    found = outcomes.failures_changed(base, head)
    clock = both.data.dataset.clock
    return {
        name: outcomes.records(with_stamps(pd.DataFrame(rows, columns=KEY), clock).astype(str))
        for name, rows in found.items()
    }


def _alarms(base: Side, head: Side) -> tuple[dict[str, outcomes.Rows], list[str]]:
    """Machines newly alarmed and no longer, by the fleet's lists; or why there is none."""
    try:
        return outcomes.alarms_changed(*(fleet(side) for side in (base, head))), []
    except ForestallError as error:
        return {}, [f"Machines newly alarmed are not known: {error}"]


def _not_as_recorded(
    base: Side, head: Side, figures: dict[str, list[Difference]], found: Changes, fold: str
) -> Iterator[str]:
    """Where the figures here are not those in a revision's own metrics."""
    if set(base.bundle.components) != set(head.bundle.components):
        return  # only those that both know are judged here
    cost, sides = paired.cost_of(figures[fold]), [(head, "head")]
    same_rows = changes.output_hash(base.lock, PREPARED) == changes.output_hash(head.lock, PREPARED)
    if same_rows and not any(name.startswith(("dataset.", "alarm.")) for name in found.params):
        sides.append((base, "base"))
    for side, name in sides:
        here, recorded = getattr(cost, name), side.numbers(RECORDED[fold]).get(COST)
        if here is not None and recorded and abs(here / recorded - 1) > SAME:
            yield (
                f"{side.revision.name} records a cost of {recorded:,.0f} on the {fold} fold and is judged at "
                f"{here:,.0f} here: by this code, or its outputs are not those of its metrics (`dvc status`)."
            )
