"""Machines' own baselines as they are handed in: from a bundle or a store, instead of from months of history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from forestall.data import store
from forestall.features.baselines import OwnBaselines, columns_of, own_baselines, own_frame
from forestall.features.files import BASELINES
from forestall.features.history import Floats, History, Ints
from forestall.features.reference import Reference
from forestall.serving.bundle import Bundle

ALWAYS = -(2**62)


@dataclass(frozen=True)
class KnownBaselines:
    """Baselines of machines by their position: [machines + 1, sensors, 2 + conditions], the last row all missing."""

    position: dict[str, int]
    values: Floats

    def of(self, machines: Sequence[str]) -> OwnBaselines:
        """What holds at any time for these machines; a machine that is not known has none of its own:
        its model's stands in where features are made."""
        return _always(self.rows(machines))

    def rows(self, machines: Sequence[str]) -> Floats:
        """The values of these machines, [machines, sensors, 2 + conditions]."""
        nobody = len(self.values) - 1
        return self.values[[self.position.get(machine, nobody) for machine in machines]]


def _always(values: Floats) -> OwnBaselines:
    held = values[:, None]
    return OwnBaselines(np.array([ALWAYS], dtype=np.int64), held[..., 0], held[..., 1], held[..., 2:])


def known_baselines(frame: pd.DataFrame, reference: Reference) -> KnownBaselines:
    """What `own_frame` wrote, [machines + 1, sensors, 2 + conditions] and the machines' positions."""
    sensors, places = list(reference.sensors), reference.condition_places
    columns = [frame[columns_of(sensor, sensors, places)].to_numpy(dtype=np.float64) for sensor in sensors]
    values = np.stack(columns, axis=1)
    nobody = np.full((1, *values.shape[1:]), np.nan)
    position = {machine: number for number, machine in enumerate(frame["machine"])}
    return KnownBaselines(position, np.concatenate([values, nobody]))


def bundle_baselines(folder: Path, bundle: Bundle) -> KnownBaselines:
    """The baselines in a bundle's folder, whose hashes `load_bundle` has checked."""
    return known_baselines(store.read_frame(folder / BASELINES, bundle.plant.dataset.clock), bundle.reference)


def own_or_known(history: History, until: Ints, stored: KnownBaselines, reference: Reference) -> OwnBaselines:
    """Each machine's baseline as of its time in `until` [machines], from its own history.

    Of a machine whose history is too short for any, it is the stored one.
    """
    sensors, places = list(reference.sensors), reference.condition_places
    own = own_baselines(history, reference.spans, places, until)
    mine = known_baselines(own_frame(history.machines, own, until, sensors, places), reference).rows(
        history.machines
    )
    none = np.isnan(mine[:, :, :1]).all(axis=1, keepdims=True)
    return _always(np.where(none, stored.rows(history.machines), mine))
