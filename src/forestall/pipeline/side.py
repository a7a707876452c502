"""One side of a comparison: a revision's settings, tables, features and model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forestall.data import store
from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.data.settings import validate
from forestall.features.files import FEATURES as FILE
from forestall.features.files import read_features
from forestall.features.labels import TEST, VALIDATION
from forestall.pipeline.bundles import tried_bundle
from forestall.pipeline.params import PARAMS, Params
from forestall.pipeline.revisions import Revision, RevisionError, lock, yaml_of
from forestall.pipeline.stage import RAW
from forestall.serving.bundle import Bundle
from forestall.training.series import Risk

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
        path = self.dataset_file
        return validate(Dataset, self.mapping(path), Path(f"{self.revision.name}:{path}"))

    @property
    def dataset_file(self) -> str:
        """The path of its dataset file."""
        return (RAW / f"{self.dataset_name}.yaml").as_posix()

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
        return tried_bundle(self.revision.output(BUNDLE, self.folder), self.revision.name)

    @cached_property
    def prepared(self) -> Path:
        """Its cleaned tables."""
        return self.revision.output(PREPARED, self.folder)

    @cached_property
    def events(self) -> tuple[Events, dict[str, int]]:
        """Its events, and the time of each machine's last reading."""
        clock = self.dataset.clock
        with readable_tables(self.revision, PREPARED):
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
        with readable_tables(self.revision, FEATURES):
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


@contextmanager
def readable_tables(revision: Revision, path: str) -> Iterator[None]:
    """Tables that another version of this code wrote, or that are not whole, are an error that a user can act on."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise RevisionError(
            f"{path} of {revision.name} does not hold the tables that this code reads ({error}). "
            "Run `dvc repro` there with this code."
        ) from error
