"""`forestall compare`: two revisions read, judged on the same decisions, and all that differs as one report."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
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
from forestall.evaluation.policies import RULE
from forestall.evaluation.resampling import drawn
from forestall.evaluation.tables import COST, HEADLINE
from forestall.features.labels import VALIDATION
from forestall.pipeline.imports import LOCK
from forestall.pipeline.params import PARAMS
from forestall.pipeline.revisions import Revision, git
from forestall.pipeline.sides import FOLDS, PREPARED, Side, Together, together
from forestall.pipeline.stage import RAW

PREDICTIONS, FLEET = "data/predictions", "fleet.csv"
SEEDS = Path("studies/results/seeds.json")
CODE = ("src", "dvc.yaml")
SAME = 1e-4  # metrics are written to six digits


def compare(base: Revision, head: Revision, root: Path) -> Report:
    """All that differs between two revisions; what cannot be compared is left out, and the report says why."""
    with tempfile.TemporaryDirectory() as folder:
        sides = Side(base, Path(folder) / "base"), Side(head, Path(folder) / "head")
        found = _changes(*sides, root)
        try:
            return _judged(*sides, found, root)
        except (ForestallError, OSError, KeyError, TypeError, ValueError) as error:
            return _recorded(
                *sides, found, f"{type(error).__name__}: {error}" if _bare(error) else str(error)
            )


def _judged(base: Side, head: Side, found: Changes, root: Path) -> Report:
    both, least = together(base, head), head.params.evaluate.min_failures
    folds = {name: _on_fold(both, base, head, name) for name in FOLDS if both.data.rows(name).any()}
    figures = {name: paired.differences(*models) for name, models in folds.items()}
    cost = paired.cost_of(figures[VALIDATION])
    verdict = paired.verdict(cost, seed_spread(root))
    recalls = names.slice_recalls(folds[VALIDATION][1], both.gaps, least)
    known = Evidence(head.figures("metrics/validation.json"), recalls, rule_cost(head), cost, verdict, "")
    alarms, missing = _alarms(base, head)
    return Report(
        base=_named(base),
        head=_named(head),
        changes=asdict(found),
        notes=[*both.notes, *_not_as_recorded(base, head, figures, found), *missing],
        figures={name: [asdict(one) for one in rows] for name, rows in figures.items()},
        verdict=asdict(verdict),
        failures={name: _failures(both, *models) for name, models in folds.items()},
        alarms=alarms,
        slices=names.slices_worse(*folds[VALIDATION], both.gaps, least),
        rulings=[asdict(one) for one in gate.rulings(known, _limits(head))],
    )


def _recorded(base: Side, head: Side, found: Changes, why: str) -> Report:
    """What the metrics files alone say, without intervals."""
    figures = {name: _recorded_figures(base, head, name) for name in FOLDS}
    first = not base.lock
    text = f"{base.revision.name} has no dvc.lock, so no model to compare with." if first else why
    known = Evidence(
        head.figures("metrics/validation.json"), {}, rule_cost(head), None, None, "" if first else text
    )
    try:
        rulings = [asdict(one) for one in gate.rulings(known, _limits(head))]
    except ForestallError as error:
        rulings = [asdict(gate.Ruling("params", False, str(error)))]
    alarms, missing = _alarms(base, head)
    return Report(
        base=_named(base),
        head=_named(head),
        changes=asdict(found),
        notes=[f"Not judged on the same decisions, only as recorded: {text}", *missing],
        figures={name: [asdict(one) for one in rows] for name, rows in figures.items()},
        verdict=asdict(Verdict("no evidence", None, None)),
        failures={},
        alarms=alarms,
        slices=[],
        rulings=rulings,
    )


def _limits(side: Side) -> gate.Limits:
    asked = side.params.gate
    return gate.Limits(**asked.floors.model_dump(), **asked.model_dump(exclude={"floors"}))


def _recorded_figures(base: Side, head: Side, fold: str) -> list[Difference]:
    before, after = (side.figures(f"metrics/{fold}.json") for side in (base, head))
    every = [name for name in HEADLINE if name in before or name in after]
    own = [name for name in (*before, *after) if name not in HEADLINE]
    return [
        Difference(name, one, other, None if one is None or other is None else other - one, None, None)
        for name in [*every, *dict.fromkeys(own)]
        for one, other in [(before.get(name), after.get(name))]
    ]


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
        lists = [
            pd.read_csv(side.revision.output(PREDICTIONS, side.folder) / FLEET, dtype=str)
            for side in (base, head)
        ]
        return names.alarms_changed(*lists), []
    except (ForestallError, OSError, KeyError, ValueError) as error:
        return {}, [f"Machines newly alarmed are not known: {error}"]


def _not_as_recorded(
    base: Side, head: Side, figures: dict[str, list[Difference]], found: Changes
) -> Iterator[str]:
    """Where the figures here are not those in a revision's own metrics."""
    cost, sides = paired.cost_of(figures[VALIDATION]), [(head, "head")]
    same_rows = changes.output_hash(base.lock, PREPARED) == changes.output_hash(head.lock, PREPARED)
    if same_rows and not any(name.startswith(("dataset.", "alarm.")) for name in found.params):
        sides.append((base, "base"))
    for side, name in sides:
        here, recorded = getattr(cost, name), side.figures("metrics/validation.json").get(COST)
        if here is not None and recorded and abs(here / recorded - 1) > SAME:
            yield (
                f"{side.revision.name} records a cost of {recorded:,.0f} on the validation fold and is judged at "
                f"{here:,.0f} here: by this code, or its outputs are not those of its metrics (`dvc status`)."
            )


def _changes(base: Side, head: Side, root: Path) -> Changes:
    pinned = (changes.packages(side.revision.text(LOCK) or "") for side in (base, head))
    return Changes(
        params=changes.differing(*(_settings(side) for side in (base, head))),
        data=changes.differing(*(_data(side) for side in (base, head))),
        code=changed_code(base.revision, head.revision, root),
        packages=changes.differing(*pinned),
        stages=changes.stage_changes(base.lock, head.lock),
    )


def _settings(side: Side) -> changes.Flat:
    """params.yaml, and the dataset file's keys after `dataset.`."""
    params = side.mapping(str(PARAMS))
    file = (RAW / f"{side.dataset_name}.yaml").as_posix()
    return changes.flat(params) | changes.flat(side.mapping(file), "dataset")


def _data(side: Side) -> changes.Flat:
    """What metrics/data.json says of the tables, their columns, and the hash of what was made of them."""
    columns = (
        side.mapping((RAW / f"{side.dataset_name}.yaml").as_posix()).get("tables", {}).get("telemetry", {})
    )
    sensors = {"sensors": ", ".join(columns.get("sensors", {}))}
    return side.figures("metrics/data.json") | sensors | {PREPARED: changes.output_hash(side.lock, PREPARED)}


def changed_code(base: Revision, head: Revision, root: Path) -> list[str]:
    """Files of code that differ."""
    ends: Sequence[str] = [one.commit for one in (base, head) if one.commit is not None]
    if not ends:
        return []
    done = git(root, "diff", "--name-only", *ends, "--", *CODE)
    return done.stdout.split()


def seed_spread(root: Path) -> float | None:
    """The standard deviation of the validation fold's cost over seeds, as the study measured it."""
    file = root / SEEDS
    if not file.is_file():
        return None
    found = json.loads(file.read_text(encoding="utf-8")).get(VALIDATION, {}).get(COST)
    return float(found) if found is not None else None


def rule_cost(side: Side) -> float | None:
    """The one-line rule's cost on the validation fold, as metrics/policies.csv has it."""
    from io import StringIO

    text = side.revision.text("metrics/policies.csv")
    if text is None:
        return None
    table = pd.read_csv(StringIO(text))
    found = table.loc[(table["fold"] == VALIDATION) & (table["policy"] == RULE), COST].dropna()
    return float(found.iloc[0]) if len(found) else None


def _named(side: Side) -> dict[str, str | None]:
    return {"name": side.revision.name, "commit": side.revision.commit}


def _bare(error: Exception) -> bool:
    return not isinstance(error, ForestallError)
