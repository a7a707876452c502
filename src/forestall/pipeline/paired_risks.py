"""Both revisions' models on the same decisions: those of head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forestall.comparison.changes import output_hash
from forestall.comparison.paired import same_decisions
from forestall.data import store
from forestall.errors import ForestallError
from forestall.evaluation.gaps import missing_before
from forestall.evaluation.judge import Data
from forestall.features.labels import VALIDATION
from forestall.pipeline.recomputed import features_for
from forestall.pipeline.revisions import NotComparableError
from forestall.pipeline.side import BUNDLE, FEATURES, FOLDS, PREPARED, Side, readable_tables
from forestall.serving.bundle import Bundle
from forestall.training.series import Bools, Floats, Risk


@dataclass(frozen=True)
class PairedRisks:
    """Both models on the same decisions.

    data: head's decisions, events and dataset, with the components that both know. base_risk, head_risk:
    [rows, components]. gaps: ticks of missing data before each decision. notes: what to know when reading the figures.
    """

    data: Data
    base_risk: Risk
    head_risk: Risk
    gaps: Floats
    notes: list[str]


def paired_risks(base: Side, head: Side, fold: str) -> PairedRisks:
    """Both models on head's decisions.

    Args:
        fold: the one that decides.

    Raises:
        NotComparableError: base's model cannot be asked about them. RevisionError: an output is not to be had.
    """
    decisions, features = head.features
    if not (decisions["fold"] == VALIDATION).any():
        raise NotComparableError(f"{head.revision.name} has no decision in its validation fold")
    dataset, notes = head.dataset, list(_notes(base, head, fold))
    events, last = head.events
    both = [name for name in dataset.components if name in base.bundle.components]
    if not both:
        raise NotComparableError(
            f"the components are others ({', '.join(base.bundle.components)} in {base.revision.name}, "
            f"{', '.join(head.bundle.components)} in {head.revision.name}), so neither model can be asked about the "
            "other's failures"
        )
    rows = decisions["fold"].isin(FOLDS).to_numpy()
    after = _risk(head.bundle, features, both, rows)
    before = (
        after if _same(base, head) else _risk(base.bundle, _base_features(base, head, decisions), both, rows)
    )
    dropped = [f"label.{name}" for name in dataset.components if name not in both]
    shared = dataset.model_copy(update={"components": {name: dataset.components[name] for name in both}})
    names = [feature.name for feature in head.bundle.reference.features]
    data = Data(
        decisions.drop(columns=dropped), features, names, events, shared, last, head.params.alarm.quiet
    )
    gaps = missing_before(store.read_telemetry(head.prepared, dataset.clock), decisions, dataset)
    return PairedRisks(data, before, after, gaps, notes)


def _same(base: Side, head: Side) -> bool:
    """Whether both are the same model with the same features, so that their risks are."""
    hashes = [[output_hash(side.lock, path) for path in (BUNDLE, FEATURES)] for side in (base, head)]
    return (
        hashes[0] == hashes[1]
        and None not in hashes[0]
        and None not in (base.revision.commit, head.revision.commit)
    )


def _risk(bundle: Bundle, features: Risk, components: list[str], rows: Bools) -> Risk:
    """[rows, components]; not a number where a decision is not judged."""
    found = np.full((len(features), len(components)), np.nan, dtype=np.float32)
    found[rows] = bundle.risk(features[rows])[:, [bundle.components.index(name) for name in components]]
    return found


def _base_features(base: Side, head: Side, decisions: pd.DataFrame) -> Risk:
    """The features that base's model wants, of head's decisions."""
    if base.dataset_name == head.dataset_name:
        try:
            own, features = base.features
            if same_decisions(own[["machine", "time"]], decisions[["machine", "time"]]):
                return features
        except ForestallError:
            pass  # base's own features are not needed: they can be computed from head's tables
    return recomputed(base, head, decisions)


def recomputed(base: Side, head: Side, decisions: pd.DataFrame) -> Risk:
    """The features that base's model wants, computed from head's tables, [rows, features].

    Raises:
        NotComparableError: base's model cannot be asked about these tables. RevisionError: they are not readable.
    """
    with readable_tables(head.revision, PREPARED):
        return features_for(base.bundle.reference, head.prepared, head.dataset, head.events, decisions)


def _notes(base: Side, head: Side, fold: str) -> Iterator[str]:
    if base.dataset_name != head.dataset_name:
        yield f"The datasets differ: {base.dataset_name}'s model is asked about {head.dataset_name}'s machines."
    elif output_hash(base.lock, PREPARED) != output_hash(head.lock, PREPARED):
        yield (
            f"The data differ: {base.revision.name}'s model, too, is asked about {head.revision.name}'s decisions. "
            + _flattered(base, head, fold)
        )
    ours, theirs = head.bundle.components, base.bundle.components
    if set(ours) != set(theirs):
        yield "The components differ; only those that both know are compared."
    if base.bundle.reference.spans.horizons[-1] != head.bundle.reference.spans.horizons[-1]:
        yield "The longest horizons differ; both are judged by head's."


def _flattered(base: Side, head: Side, fold: str) -> str:
    """Whom it favours that the folds are head's, where the data differ."""
    if fold == VALIDATION:
        return f"Only {head.revision.name} chose its thresholds on them, which flatters it."
    return (
        f"Nothing was chosen on their {fold} fold, but if it begins earlier than {base.revision.name}'s, then "
        f"{base.revision.name} was made with a part of it, which flatters {base.revision.name}."
    )
