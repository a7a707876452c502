"""Executor of ExampleGen for prepared tables: Parquet rows to tf.Examples.

TFX's own for Parquet takes no timestamps, and makes a missing value of each 0 and of each False.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf
from tfx.components.example_gen.base_example_gen_executor import BaseExampleGenExecutor
from tfx.types.standard_component_specs import INPUT_BASE_KEY

MAKERS = {
    bytes: lambda value: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value])),
    float: lambda value: tf.train.Feature(float_list=tf.train.FloatList(value=[value])),
    int: lambda value: tf.train.Feature(int64_list=tf.train.Int64List(value=[value])),
}


class Executor(BaseExampleGenExecutor):
    """Reads the Parquet file that a split's pattern names."""

    def GetInputSourceToExamplePTransform(self) -> beam.PTransform:  # noqa: N802  (TFX's name)
        """The transform from a pipeline to its examples."""
        return _read


@beam.ptransform_fn
@beam.typehints.with_input_types(beam.Pipeline)
@beam.typehints.with_output_types(tf.train.Example)
def _read(
    pipeline: beam.Pipeline, exec_properties: dict[str, Any], split_pattern: str
) -> beam.pvalue.PCollection:
    pattern = str(Path(exec_properties[INPUT_BASE_KEY]) / split_pattern)
    return (
        pipeline
        | "ReadFromParquet" >> beam.io.ReadFromParquetBatched(pattern)
        | "ToExamples" >> beam.FlatMap(examples)
    )


def examples(rows: pa.Table) -> Iterator[tf.train.Example]:
    """An example a row. Times become seconds since 1970, booleans 0 or 1; what is null or NaN has no value."""
    columns = {name: plain(rows[name]).to_pylist() for name in rows.column_names}
    make = {name: maker(plain(rows[name]).type) for name in columns}
    for values in zip(*columns.values(), strict=True):
        feature = {
            name: make[name](value) for name, value in zip(columns, values, strict=True) if value is not None
        }
        yield tf.train.Example(features=tf.train.Features(feature=feature))


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as integers, floats or bytes."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return column.cast(pa.int64())
    if pa.types.is_floating(kind):
        values = column.cast(pa.float64())
        return pc.if_else(
            pc.is_nan(values), pa.scalar(None, pa.float64()), values
        )  # TFX counts NaN as a value
    return column.cast(pa.string()).cast(pa.binary())


def maker(kind: pa.DataType) -> Any:
    """What makes a feature of one value of a plain column."""
    if pa.types.is_integer(kind):
        return MAKERS[int]
    return MAKERS[float] if pa.types.is_floating(kind) else MAKERS[bytes]
