"""What a metric is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram", "info"]
Of = Literal["process", "plant"]
PARTS = {"histogram": ("_bucket", "_sum", "_count")}  # of a kind that is exported as several series


@dataclass(frozen=True)
class Metric:
    """A metric.

    name: as it is exported, with `_total` or `_info`; a histogram's without the endings of its parts.
    of: `process` for what each process knows of itself, to be added up; `plant` for what stands in the store and is the
    same from every process over it, of which one is to be taken.
    """

    name: str
    kind: Kind
    of: Of
    help: str
    labels: tuple[str, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The names that Prometheus stores."""
        return tuple(self.name + ending for ending in PARTS.get(self.kind, ("",)))
