"""Rows with the risks that the bundle gave where it was made, so that any other place can check its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from forestall.features.reference import Matrix
from forestall.serving.bundle import Bundle, BundleError

KNOWN_ANSWERS = "known_answers.parquet"
FEATURES, CURVES = "features", "curves"
TOLERANCE = 1e-5  # of a probability: what other processors' rounding may do, and no more
ROWS = 256


def write_known_answers(folder: Path, bundle: Bundle, features: Matrix) -> None:
    """The answers to at most `ROWS` of some filled rows [1 or more, features], evenly chosen, beside the bundle."""
    rows = features[:: -(-len(features) // ROWS)]
    curves = bundle.curves(rows).reshape(len(rows), -1)
    columns = {FEATURES: _lists(rows), CURVES: _lists(curves)}
    pq.write_table(pa.table(columns), folder / KNOWN_ANSWERS, compression="zstd")


def check_known_answers(folder: Path, bundle: Bundle) -> int:
    """Ask the bundle in a folder what it is known to answer; how many rows that were, 0 for one that has none.

    Raises:
        BundleError: it answers otherwise here.
    """
    if KNOWN_ANSWERS not in bundle.manifest["sha256"]:
        return 0
    table = pq.read_table(folder / KNOWN_ANSWERS)
    rows, known = (_matrix(table[name]) for name in (FEATURES, CURVES))
    given = bundle.curves(rows).reshape(known.shape)
    worst = float(np.abs(given - known).max(initial=0.0))
    if not worst <= TOLERANCE:
        raise BundleError(
            f"{folder}: its risks are off by up to {worst:.1e} on this computer from those where it was made. "
            "Compare the versions in its manifest with those installed here."
        )
    return len(rows)


def _lists(values: Matrix) -> pa.FixedSizeListArray:
    flat = pa.array(np.ascontiguousarray(values, dtype=np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def _matrix(column: pa.ChunkedArray) -> Matrix:
    found: Matrix = np.array(column.to_pylist(), dtype=np.float32).reshape(len(column), -1)
    return found
