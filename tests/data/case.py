"""One small plant as real files, of which each test changes what it is about."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.data.prepare import Summary, prepare
from forestall.data.repairs import Repairs
from forestall.errors import InputError
from tests import plant

TELEMETRY = """machine,time,volt,spin
a,2024-01-01 01:00:00,170.5,450
a,2024-01-01 02:00:00,171.5,451
a,2024-01-01 03:00:00,172.5,452
b,2024-01-01 01:00:00,160.5,440
b,2024-01-01 02:00:00,161.5,441
"""
ERRORS = "machine,time,code\na,2024-01-01 01:30:00,e1\n"
MAINT = "machine,time,component\na,2023-12-01 08:00:00,pump\n"
FAILURES = "machine,time,component\na,2024-01-01 02:30:00,pump\n"
MACHINES = "machine,model,age\na,large,3\nb,small,5\nc,large,1\n"


class Case:
    """The plant's folder, and the content of its dataset file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.content: dict[str, Any] = copy.deepcopy(plant.dataset().model_dump(exclude_none=True))
        self.tables: dict[str, Any] = self.content["tables"]
        for name, text in {
            "telemetry": TELEMETRY,
            "errors": ERRORS,
            "maint": MAINT,
            "failures": FAILURES,
            "machines": MACHINES,
        }.items():
            self.write(name, text)

    def write(self, name: str, text: str | bytes) -> Path:
        """One table's file."""
        file = self.folder / f"{name}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def one_component(self) -> None:
        """The same plant without component columns, and only the tables that every plant has."""
        self.tables["failures"].pop("component", None)
        for name in ("errors", "maintenance", "machines"):
            self.tables.pop(name)
        self.content["components"] = {"machine": {}}

    @property
    def dataset(self) -> Dataset:
        """The dataset file in its typed form."""
        return Dataset.model_validate(self.content)

    def run(self, carry_forward: int = 0) -> Prepared:
        """What `prepare` makes of it."""
        frames: list[pd.DataFrame] = []
        events, repairs, summary = prepare(
            self.folder,
            self.dataset,
            carry_forward,
            frames.append,
            lambda _: None,
            self.folder.with_name("scratch"),
        )
        return Prepared(pd.concat(frames, ignore_index=True), events, repairs, summary)

    def refused(
        self, file: str, row: int | None = None, column: str | None = None, says: tuple[str, ...] = ()
    ) -> None:
        """Check that the plant is refused, at this place and in these words."""
        with pytest.raises(InputError) as caught:
            self.run()
        error, message = caught.value, str(caught.value)
        assert (Path(str(error.file)).name, error.row, error.column) == (file, row, column), message
        assert file in message
        assert row is None or f"row {row}" in message
        assert column is None or f"column {column}" in message
        for words in says:
            assert words in message


class Prepared:
    """The clean tables."""

    def __init__(self, telemetry: pd.DataFrame, events: Events, repairs: Repairs, summary: Summary) -> None:
        self.telemetry, self.events, self.summary = telemetry, events, summary
        frame = repairs.frame()
        keys = zip(frame["table"], frame["column"], frame["repair"], strict=True)
        self.repairs = dict(zip(keys, frame["cells"], strict=True))

    def of(self, machine: str) -> pd.DataFrame:
        """One machine's telemetry."""
        return self.telemetry[self.telemetry["machine"] == machine].reset_index(drop=True)
