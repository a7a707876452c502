"""The featurize stage's outputs as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forestall.data import store
from forestall.data.dataset import Clock
from forestall.data.table_writer import TableWriter
from forestall.features.reference import Matrix, Reference

FEATURES, BASELINES = "features.parquet", "baselines.parquet"


class FeatureWriter(TableWriter):
    """Writes decisions and features side by side, one row group for each of `write`."""

    def __init__(self, folder: Path, reference: Reference, clock: Clock) -> None:
        super().__init__(folder / FEATURES, compression="zstd", use_dictionary=False)
        self.reference, self.clock = reference, clock
        self.rows = 0
        self._folds: list[pd.DataFrame] = []

    def write(self, decisions: pd.DataFrame, features: Matrix) -> None:
        """Append some machines' decisions with their features, [rows, features]."""
        table = store.to_arrow(decisions, self.clock)
        for number, feature in enumerate(self.reference.features):
            table = table.append_column(feature.name, pa.array(np.ascontiguousarray(features[:, number])))
        self.append(table)
        self.rows += len(decisions)
        labels = [column for column in decisions if str(column).startswith("label.")]
        self._folds.append(decisions[["fold", *labels]])

    @property
    def folds(self) -> pd.DataFrame:
        """Fold and labels of every decision written."""
        return pd.concat(self._folds, ignore_index=True)


def read_features(folder: Path, names: list[str], clock: Clock) -> tuple[pd.DataFrame, Matrix]:
    """Decisions and the named features, float32 [rows, features]."""
    table = pq.read_table(folder / FEATURES)
    decisions = store.from_arrow(table.drop_columns(names), clock)
    matrix = np.empty((len(decisions), len(names)), dtype=np.float32)
    for number, name in enumerate(names):
        matrix[:, number] = table[name].to_numpy()
    return decisions, matrix


def write_baselines(folder: Path, baselines: pd.DataFrame, clock: Clock) -> None:
    """The machines' latest own baselines."""
    store.write_frame(folder / BASELINES, baselines, clock)
