"""Bins of several quantities side by side: what is counted of risks and inputs, in the reference and in service."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from forestall.errors import ForestallError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
MOST = 10  # bins of a quantity's values, about; one more is for what is missing
RARE = 0.01
ROWS_AT_A_TIME = 20_000


@dataclass(frozen=True)
class Bins:
    """Q quantities by name, and each one's edges, ascending.

    With E edges a quantity has E + 1 bins of values, the first below all edges, an edge itself in the bin above it;
    after these one for what is missing. All bins, N of them, lie side by side in the order of the names.
    """

    edges: Mapping[str, tuple[float, ...]]

    @property
    def names(self) -> list[str]:
        """The quantities."""
        return list(self.edges)

    @cached_property
    def starts(self) -> Ints:
        """Where each quantity's bins begin, [Q + 1]; the last is N."""
        widths = [len(edges) + 2 for edges in self.edges.values()]
        return np.concatenate([[0], np.cumsum(widths, dtype=np.int64)]).astype(np.int64)

    @property
    def size(self) -> int:
        """N."""
        return int(self.starts[-1])

    @cached_property
    def digest(self) -> str:
        """Counts of bins of one digest can be added."""
        text = json.dumps([[name, *edges] for name, edges in self.edges.items()])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def _padded(self) -> npt.NDArray[np.float32]:
        width = max((len(edges) for edges in self.edges.values()), default=0)
        rows = [[*edges, *[np.inf] * (width - len(edges))] for edges in self.edges.values()]
        return np.array(rows, dtype=np.float32).reshape(len(rows), width)

    def places(self, values: Floats) -> Ints:
        """The bin of each value: [rows, Q] -> [rows, Q], numbers below N; NaN is missing."""
        found = np.zeros(values.shape, dtype=np.int64)
        seen = values.astype(np.float32)
        for edge in self._padded.T:
            found += seen >= edge
        return np.where(np.isnan(seen), self.starts[1:] - 1, self.starts[:-1] + found)

    def counts(self, values: Floats, group: Ints, groups: int) -> npt.NDArray[np.int32]:
        """How many rows' values [rows, Q] are in each bin, by the rows' group, [groups, N].

        Raises:
            ForestallError: the values are not those of the quantities.
        """
        if values.ndim != 2 or values.shape[1] != len(self.edges):
            raise ForestallError(
                f"values of shape {values.shape} are not those of {len(self.edges)} quantities."
            )
        total = np.zeros(groups * self.size, dtype=np.int64)
        for start in range(0, len(values), ROWS_AT_A_TIME):
            some = slice(start, start + ROWS_AT_A_TIME)
            at = group[some, None] * self.size + self.places(values[some])
            total += np.bincount(at.ravel(), minlength=len(total))
        return total.reshape(groups, self.size).astype(np.int32)

    @classmethod
    def of(cls, names: Sequence[str], values: Floats) -> Self:
        """Bins by quantiles of reference values [rows, Q]."""
        return cls({name: edges_of(column) for name, column in zip(names, values.T, strict=True)})


def edges_of(values: Floats) -> tuple[float, ...]:
    """Edges by quantiles, fewer than MOST; where there are few values (counts of errors), those that are not rare.

    A value that many rows have at the low end (no error, a new part) has a bin by itself.
    """
    known = np.sort(values[~np.isnan(values)])
    seen, first = np.unique(known, return_index=True)
    if len(seen) <= MOST:
        frequent = 1 - first / max(len(known), 1) >= RARE
        return tuple(np.union1d(seen[1:2], seen[1:][frequent[1:]]).tolist())
    edges = known[(np.arange(1, MOST) / MOST * len(known)).astype(np.int64)]
    low = seen[1:2] if edges[0] == seen[0] else edges[:0]
    return tuple(np.union1d(low, edges[edges > seen[0]]).tolist())
