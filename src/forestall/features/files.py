"""The featurize stage's outputs as files."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forestall.data import store
from forestall.data.dataset import Clock
from forestall.features.build import Part
from forestall.features.matrix import Matrix, Reference

FEATURES, BASELINES = "features.parquet", "baselines.parquet"


class FeatureWriter:
    """Writes decisions and features side by side, one row group for each part."""

    def __init__(self, folder: Path, reference: Reference, clock: Clock) -> None:
        self.file, self.reference, self.clock = folder / FEATURES, reference, clock
        self.writer: pq.ParquetWriter | None = None
        self.rows = 0
        self._folds: list[pd.DataFrame] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.writer is not None:
            self.writer.close()

    def write(self, part: Part) -> None:
        """Append some machines' decisions."""
        table = store.to_arrow(part.decisions, self.clock)
        for number, feature in enumerate(self.reference.features):
            table = table.append_column(
                feature.name, pa.array(np.ascontiguousarray(part.features[:, number]))
            )
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.file, table.schema, compression="zstd", use_dictionary=False)
        self.writer.write_table(table, row_group_size=len(part.decisions))
        self.rows += len(part.decisions)
        labels = [column for column in part.decisions if str(column).startswith("label.")]
        self._folds.append(part.decisions[["fold", *labels]])

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
