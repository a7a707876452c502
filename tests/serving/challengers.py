"""Models to stand beside the small plant's: another one, the same again, and one that cannot score."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from forestall.serving.export import write_bundle
from forestall.serving.live import Live
from forestall.serving.live_plan import Written
from forestall.serving.live_shadow import LiveShadow
from forestall.serving.store.database import Store
from forestall.serving.store.shadow_tables import shadow_risks
from forestall.serving.store.tables import machines
from tests.serving.conftest import Made, served

Row = tuple[str, int, str, bytes]


def other(folder: Path, whole: Path, made: Made) -> Path:
    """Another model, which carries values further forward: its machines' baselines are of its own."""
    return _written(folder, whole, made, replace(served(), carry_forward=3))


def broken(folder: Path, whole: Path, made: Made) -> Path:
    """One that answers vectors and fails with every history: it lacks what is normal for machines."""
    lacking = replace(made, reference=replace(made.reference, model_baselines={}))
    return _written(folder, whole, lacking, served())


def same(folder: Path, whole: Path) -> Path:
    """The same model, of another commit."""
    shutil.copytree(whole, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"revision": folder.name}))
    return folder


def _written(folder: Path, whole: Path, made: Made, plant: Any) -> Path:
    folder.mkdir()
    if (whole / "baselines.parquet").exists():
        shutil.copy(whole / "baselines.parquet", folder)
    write_bundle(folder, made.fit("extra_trees"), made.reference, plant)
    return folder


@dataclass
class Beside:
    """Scores in shadow at once whatever the champion has scored; what went wrong."""

    challenger: LiveShadow
    problems: list[str]

    def __call__(self, written: Written) -> None:
        if problem := self.challenger.score(written):
            self.problems.append(problem)


def shadow_rows(store: Store, model: int, times: Sequence[int] = ()) -> list[Row]:
    """What a challenger gave: machine, time, why no opinion, the bytes of its curves."""
    columns = (machines.c.name, shadow_risks.c.time, shadow_risks.c.no_opinion, shadow_risks.c.curves)
    query = select(*columns).join(machines, machines.c.id == shadow_risks.c.machine_id)
    query = query.where(shadow_risks.c.model_id == model).order_by(machines.c.name, shadow_risks.c.time)
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(query) if not times or row.time in times]


def beside(store: Store, bundle: Any, now: Any, placed: int = 1) -> Beside:
    """A challenger over a store."""
    return Beside(LiveShadow(Live.over(store, bundle, now), placed), [])
