"""A revision's model, and both revisions' models on the same decisions: those of head."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forestall.comparison.changes import output_hash
from forestall.comparison.paired import same_decisions
from forestall.data import store
from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.data.settings import validate
from forestall.errors import ForestallError
from forestall.evaluation.gaps import missing_before
from forestall.evaluation.judge import Data
from forestall.features.files import FEATURES as FILE
from forestall.features.files import read_features
from forestall.features.labels import TEST, VALIDATION
from forestall.pipeline.asking import asked
from forestall.pipeline.params import PARAMS, Params
from forestall.pipeline.recomputed import NotComparableError, features_for
from forestall.pipeline.revisions import Revision, RevisionError, lock, yaml_of
from forestall.pipeline.stage import RAW
from forestall.serving.bundle import Bundle
from forestall.training.series import Bools, Floats, Risk

PREPARED, FEATURES, BUNDLE = "data/prepared", "data/features", "models/bundle"
MODELS = "models/"
FOLDS = (VALIDATION, TEST)
DECISIONS = ("machine", "time", "fold", "no_opinion")


@dataclass(frozen=True)
class Side:
    """A revision, and where copies of its outputs lie.

    problems: what of its files could not be read, a sentence each; the comparison goes on without.
    """

    revision: Revision
    folder: Path
    problems: list[str] = field(default_factory=list)

    def add(self, problem: str) -> None:
        """Note what could not be read, once."""
        if problem not in self.problems:
            self.problems.append(problem)

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
        data = self.mapping(str(PARAMS)).get("data")
        name = data.get("dataset") if isinstance(data, dict) else None
        if not isinstance(name, str):
            raise RevisionError(f"{self.revision.name}:{PARAMS} names no `data.dataset`.")
        return name

    @cached_property
    def lock(self) -> dict[str, Any]:
        """The stages in its dvc.lock; nothing where there is none, or where it is not readable."""
        try:
            return lock(self.revision)
        except RevisionError as error:
            self.add(str(error))
            return {}

    @property
    def has_model(self) -> bool:
        """Whether it has a model, as far as can be known."""
        outs = (one["path"] for stage in self.lock.values() for one in stage.get("outs", []))
        return bool(self.problems) or any(path.startswith(MODELS) for path in outs)

    @cached_property
    def bundle(self) -> Bundle:
        """What it would serve.

        Raises:
            NotComparableError: this code cannot ask it. RevisionError: it is not to be had.
        """
        return asked(self.revision.output(BUNDLE, self.folder), self.revision.name)

    @cached_property
    def prepared(self) -> Path:
        """Its cleaned tables."""
        return self.revision.output(PREPARED, self.folder)

    @cached_property
    def events(self) -> tuple[Events, dict[str, int]]:
        """Its events, and the time of each machine's last reading."""
        clock = self.dataset.clock
        with _expected(self.revision, PREPARED):
            return store.read_events(self.prepared, clock), store.last_readings(self.prepared, clock)

    @cached_property
    def features(self) -> tuple[pd.DataFrame, Risk]:
        """Its decisions, and their features as its bundle wants them, [rows, features].

        Raises:
            RevisionError: they are not to be had, or are not those of its bundle and its dataset file.
        """
        names = [feature.name for feature in self.bundle.reference.features]
        folder = self.revision.output(FEATURES, self.folder)
        wanted = [*names, *DECISIONS, *(f"label.{name}" for name in self.dataset.components)]
        with _expected(self.revision, FEATURES):
            if missing := set(wanted) - set(pq.read_schema(folder / FILE).names):
                raise RevisionError(
                    f"{FEATURES} of {self.revision.name} lacks {', '.join(sorted(missing)[:3])}, so it is not what its "
                    "bundle and its dataset file were made with. Run `dvc repro` there."
                )
            return read_features(folder, names, self.dataset.clock)

    def mapping(self, path: str) -> dict[str, Any]:
        """A YAML file of it as plain mappings.

        Raises:
            RevisionError: there is none, or it is not readable.
        """
        found = yaml_of(self.revision, path)
        if found is None:
            raise RevisionError(f"{self.revision.name} has no {path}.")
        return found

    def figures(self, path: str) -> dict[str, Any]:
        """A JSON file of it; nothing where there is none, or where it is not readable."""
        try:
            content = json.loads(self.revision.text(path) or "{}")
        except json.JSONDecodeError as error:
            self.add(f"{self.revision.name}:{path} is not readable as JSON ({error}).")
            return {}
        return content if isinstance(content, dict) else {}

    def numbers(self, path: str) -> dict[str, float]:
        """Those of `figures` that are numbers."""
        return {
            name: value
            for name, value in self.figures(path).items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }


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
    if not (decisions["fold"] == VALIDATION).any():
        raise NotComparableError(f"{head.revision.name} has no decision in its validation fold")
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
        except ForestallError:
            pass  # base's own features are not needed: they can be computed from head's tables
    return _computed(base, head, decisions)


def _computed(base: Side, head: Side, decisions: pd.DataFrame) -> Risk:
    with _expected(head.revision, PREPARED):
        return features_for(base.bundle.reference, head.prepared, head.dataset, head.events, decisions)


@contextmanager
def _expected(revision: Revision, path: str) -> Iterator[None]:
    """Tables that another version of this code wrote, or that are not whole, are an error that a user can act on."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise RevisionError(
            f"{path} of {revision.name} does not hold the tables that this code reads ({error}). "
            "Run `dvc repro` there with this code."
        ) from error


def _notes(base: Side, head: Side) -> Iterator[str]:
    if base.dataset_name != head.dataset_name:
        yield f"The datasets differ: {base.dataset_name}'s model is asked about {head.dataset_name}'s machines."
    elif output_hash(base.lock, PREPARED) != output_hash(head.lock, PREPARED):
        yield (
            f"The data differ: {base.revision.name}'s model, too, is asked about {head.revision.name}'s decisions. "
            f"Only {head.revision.name} chose its thresholds on them, which flatters it."
        )
    ours, theirs = head.bundle.components, base.bundle.components
    if set(ours) != set(theirs):
        yield "The components differ; only those that both know are compared."
    if base.bundle.reference.spans.horizons[-1] != head.bundle.reference.spans.horizons[-1]:
        yield "The longest horizons differ; both are judged by head's."
