"""A Parquet file written piece by piece."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq


class TableWriter:
    """Writes a Parquet file, one row group for each table appended; none at all if nothing is.

    Args:
        options: what `pyarrow.parquet.ParquetWriter` takes.
    """

    def __init__(self, file: Path, **options: Any) -> None:
        self._file, self._options = file, options
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def append(self, table: pa.Table) -> None:
        """Append a table; all have one schema."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, table.schema, **self._options)
        self._writer.write_table(table, row_group_size=max(len(table), 1))
