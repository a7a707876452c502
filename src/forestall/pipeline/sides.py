"""A revision's model, and both revisions' models on the same decisions: those of head."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forestall.comparison.changes import output_hash
from forestall.comparison.paired import same_decisions
from forestall.data import store
from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.data.settings import validate
from forestall.errors import ForestallError
from forestall.evaluation.gaps import missing_before
from forestall.evaluation.judge import Data
from forestall.features import build
from forestall.features.files import read_features
from forestall.features.labels import TEST, VALIDATION
from forestall.pipeline.params import PARAMS, Params
from forestall.pipeline.revisions import Revision, RevisionError, lock
from forestall.pipeline.stage import RAW
from forestall.serving.bundle import Bundle, load_bundle
from forestall.training.series import Bools, Floats, Risk

PREPARED, FEATURES, BUNDLE = "data/prepared", "data/features", "models/bundle"
FOLDS = (VALIDATION, TEST)


class NotComparableError(ForestallError):
    """Why two revisions' models cannot be judged on the same decisions."""


@dataclass(frozen=True)
class Side:
    """A revision, and where copies of its outputs lie."""

    revision: Revision
    folder: Path

    @cached_property
    def params(self) -> Params:
        """Its params.yaml.

        Raises:
            RevisionError: it has none. SettingsError: it has one that this code cannot read.
        """
        file = f"{self.revision.name}:{PARAMS}"
        return validate(Params, self.mapping(str(PARAMS)), Path(file))

    @cached_property
    def dataset(self) -> Dataset:
        """Its dataset file; raises as `params`."""
        path = (RAW / f"{self.dataset_name}.yaml").as_posix()
        return validate(Dataset, self.mapping(path), Path(f"{self.revision.name}:{path}"))

    @property
    def dataset_name(self) -> str:
        """Which dataset it runs on."""
        return str(self.mapping(str(PARAMS))["data"]["dataset"])

    @cached_property
    def lock(self) -> dict[str, Any]:
        """The stages in its dvc.lock; nothing where there is none."""
        return lock(self.revision)

    @cached_property
    def bundle(self) -> Bundle:
        """What it would serve."""
        return load_bundle(self.revision.output(BUNDLE, self.folder))

    @cached_property
    def prepared(self) -> Path:
        """Its cleaned tables."""
        return self.revision.output(PREPARED, self.folder)

    @cached_property
    def events(self) -> tuple[Events, dict[str, int]]:
        """Its events, and the time of each machine's last reading."""
        clock = self.dataset.clock
        return store.read_events(self.prepared, clock), store.last_readings(self.prepared, clock)

    @cached_property
    def features(self) -> tuple[pd.DataFrame, Risk]:
        """Its decisions, and their features as its bundle wants them, [rows, features]."""
        names = [feature.name for feature in self.bundle.reference.features]
        return read_features(self.revision.output(FEATURES, self.folder), names, self.dataset.clock)

    def mapping(self, path: str) -> dict[str, Any]:
        """A YAML file of it as plain mappings."""
        from ruamel.yaml import YAML

        text = self.revision.text(path)
        if text is None:
            raise RevisionError(f"{self.revision.name} has no {path}.")
        content = YAML(typ="safe").load(text)
        return content if isinstance(content, dict) else {}

    def figures(self, path: str) -> dict[str, Any]:
        """A JSON file of it; nothing where there is none."""
        text = self.revision.text(path)
        content = json.loads(text) if text else {}
        return content if isinstance(content, dict) else {}


@dataclass(frozen=True)
class Together:
    """Both models on the same decisions.

    data: head's decisions, events and dataset, with the components that both know. risks: of base and head,
    [rows, components]. gaps: ticks of missing data before each decision. notes: what to know when reading the figures.
    """

    data: Data
    base_risk: Risk
    head_risk: Risk
    gaps: Floats
    notes: list[str]


def together(base: Side, head: Side) -> Together:
    """Both models on head's decisions.

    Raises:
        NotComparableError: base's model cannot be asked about them. RevisionError: an output is not to be had.
    """
    decisions, features = head.features
    dataset, notes = head.dataset, list(_notes(base, head))
    events, last = head.events
    both = [name for name in dataset.components if name in base.bundle.components]
    if not both:
        raise NotComparableError(f"no component of {head.revision.name} is one of {base.revision.name}")
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
    return Together(data, before, after, gaps, notes)


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
        except (ForestallError, OSError, KeyError):
            pass  # base's own features are not needed: they can be computed from head's tables
    return _computed(base, head, decisions)


def _computed(base: Side, head: Side, decisions: pd.DataFrame) -> Risk:
    dataset, reference = head.dataset, base.bundle.reference
    if reference.sensors != tuple(dataset.tables.telemetry.sensors):
        raise NotComparableError("the sensors differ, and base's model needs its own")
    if reference.unit != dataset.clock.unit:
        raise NotComparableError("the clocks differ")
    events, last = head.events
    found = list(
        build.parts(
            lambda: store.read_telemetry(head.prepared, dataset.clock),
            events,
            dataset,
            reference,
            max(last.values()),
        )
    )
    rows = pd.concat([part.decisions for part in found], ignore_index=True)
    if not same_decisions(rows[["machine", "time"]], decisions[["machine", "time"]]):
        raise NotComparableError(
            "this code makes other decisions of head's tables than head did; run `dvc repro`"
        )
    return np.concatenate([part.features for part in found])


def _notes(base: Side, head: Side) -> Iterator[str]:
    if base.dataset_name != head.dataset_name:
        yield f"The datasets differ: {base.dataset_name}'s model is asked about {head.dataset_name}'s machines."
    ours, theirs = head.bundle.components, base.bundle.components
    if set(ours) != set(theirs):
        yield "The components differ; only those that both know are compared."
    if base.bundle.reference.spans.horizons[-1] != head.bundle.reference.spans.horizons[-1]:
        yield "The longest horizons differ; both are judged by head's."
