"""The inputs that a service counts: in the bins of its bundle's reference."""

from __future__ import annotations

from dataclasses import dataclass

from forestall.errors import ForestallError
from forestall.features.reference import Matrix
from forestall.monitoring.bins import Bins
from forestall.monitoring.blocks import Counts, Ints
from forestall.monitoring.inputs import Input, input_values, inputs_of
from forestall.monitoring.reference import MonitoringReference
from forestall.serving.bundle import Bundle


@dataclass(frozen=True)
class WatchedInputs:
    """Counts inputs in a reference's bins, as live scoring wants it. length: of a block, in ticks."""

    inputs: list[Input]
    bins: Bins
    length: int

    @property
    def kind(self) -> str:
        """Which bins, and weeks of which length."""
        return f"{self.bins.digest} {self.length}"

    def counts(self, features: Matrix, group: Ints, groups: int) -> Counts:
        """Of filled feature rows [rows, features] by group, [groups, bins]."""
        return self.bins.counts(input_values(features, self.inputs), group, groups)


def watched_inputs(bundle: Bundle, reference: MonitoringReference | None) -> WatchedInputs | None:
    """What is counted in service; None where the bundle has no reference to compare it with.

    Raises:
        ForestallError: the reference watches other inputs than this release does.
    """
    if reference is None:
        return None
    inputs = inputs_of(bundle.reference)
    if [one.name for one in inputs] != reference.inputs.names:
        raise ForestallError("The bundle's reference watches other inputs. Run `dvc repro export`.")
    return WatchedInputs(inputs, reference.inputs, reference.length)
