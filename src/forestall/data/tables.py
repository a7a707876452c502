"""The tables' part of the dataset file: where the files are, and what their columns mean."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from pathlib import PurePath
from typing import Annotated, Any, Literal, Self

import pandas as pd
from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from forestall.data.clock import Duration
from forestall.data.settings import Section

Scalar = str | int | float | bool
Files = str | list[str]
Values = Scalar | Annotated[list[Scalar], Field(min_length=1)]


class Sensor(Section):
    """One measured quantity; values outside `range` are impossible and become missing.

    A `condition` is what the machine is asked to do (load, set point): other sensors are judged relative to it.
    """

    unit: str = ""
    range: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    column: str | None = Field(None, description="its column or tag, when it is not the sensor's own name")
    condition: bool = Field(False, description="an operating condition, such as load or a set point")

    @model_validator(mode="after")
    def _range_rises(self) -> Self:
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError("`range` must be [lowest, highest]")
        return self


class Table(Section):
    """Where a table's files are and how they are written."""

    files: Files = Field(description="a path or glob below the dataset's folder, or a list of them")
    machine: str = Field(description="the column with the machine's identifier")
    where: dict[str, Values] = Field(
        default={}, description="keep only the rows with these values: one a column, or a list of them"
    )
    header: bool = True
    columns: list[str] | None = Field(None, description="without a header: the columns' names in order")
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    decimal: Literal[".", ","] = "."
    encoding: str = "utf-8"

    @field_validator("files")
    @classmethod
    def _below_the_folder(cls, files: Files) -> Files:
        for pattern in [files] if isinstance(files, str) else files:
            if not pattern or PurePath(pattern).is_absolute() or ".." in PurePath(pattern).parts:
                raise ValueError(f"{pattern!r} must be a path or glob below the dataset's folder")
        return files

    @field_validator("encoding")
    @classmethod
    def _python_knows_it(cls, encoding: str) -> str:
        try:
            return codecs.lookup(encoding).name
        except LookupError:
            raise ValueError(f"unknown encoding {encoding!r}; utf-8, cp1252 and latin-1 are common") from None

    @model_validator(mode="after")
    def _headerless_names_columns(self) -> Self:
        if self.header == (self.columns is not None):
            raise ValueError("`columns` names the columns of files with `header: false`, and only of those")
        return self


class TimedTable(Table):
    """A table whose rows are stamped with the time at which they were known."""

    time: str
    time_format: str | None = Field(None, description="strptime pattern; ISO 8601 needs none")


class Running(Section):
    """The telemetry column that tells a machine that runs from one that is off."""

    column: str
    values: list[Scalar] = Field(min_length=1)


def _refuse_names(names: Iterable[str], ours: tuple[str, ...]) -> None:
    taken = next((name for name in names if name in ours), None)
    if taken is not None:
        raise ValueError(f"{taken!r} is a column of our own tables; give it another name")


class Telemetry(TimedTable):
    """Sensor readings, wide (a column a sensor) or long (one row a reading: `tag` and `value`)."""

    interval: Duration
    sensors: dict[str, Sensor] = Field(min_length=1)
    tag: str | None = None
    value: str | None = None
    running: Running | None = None

    @model_validator(mode="after")
    def _sensors_have_names_of_their_own(self) -> Self:
        _refuse_names(self.sensors, ("machine", "time", "running", "tag"))
        return self

    @model_validator(mode="after")
    def _long_has_tag_and_value(self) -> Self:
        if all(sensor.condition for sensor in self.sensors.values()):
            raise ValueError("every sensor is a `condition`, so none is left to judge; take the flag off one")
        if (self.tag is None) != (self.value is None):
            raise ValueError("long telemetry needs both `tag` and `value`")
        if self.tag is not None and self.running is not None:
            raise ValueError(
                "`running` is a column of wide telemetry; use a downtime table with long telemetry"
            )
        return self

    @property
    def conditions(self) -> tuple[str, ...]:
        """The sensors that are operating conditions."""
        return tuple(name for name, sensor in self.sensors.items() if sensor.condition)


class Errors(TimedTable):
    """Coded messages of the machines' controllers."""

    code: str


class Maintenance(TimedTable):
    """Replacements, planned ones and repairs after a failure."""

    component: str | None = None


class Failures(TimedTable):
    """Breakdowns, the events to foresee."""

    component: str | None = None


class LastRow(Section):
    """Run-to-failure histories: the last telemetry row of each machine is its failure."""

    last_row: bool
    alive: list[Scalar] = Field(default=[], description="machines that were still running at the end")

    @model_validator(mode="after")
    def _last_row_is_true(self) -> Self:
        if not self.last_row:
            raise ValueError("write `last_row: true`, or name the failures table's `files`")
        return self


class Machines(Table):
    """One row a machine; `attributes` are what may be known of it: a category or a number."""

    attributes: dict[str, Literal["category", "number"]] = Field(default={})

    @model_validator(mode="after")
    def _attributes_have_names_of_their_own(self) -> Self:
        _refuse_names(self.attributes, ("machine", "file", "index"))
        return self


class Downtime(Table):
    """Periods in which a machine was off."""

    start: str
    end: str
    time_format: str | None = None


def _kind_of_failures(content: Any) -> str:
    # Told apart by a key, so that an error names the keys of one kind and not of both.
    last_row = "last_row" in content if isinstance(content, dict) else isinstance(content, LastRow)
    return "the last row" if last_row else "a table"


class Tables(Section):
    """The plant's tables; only telemetry and failures are required."""

    telemetry: Telemetry
    failures: Annotated[
        Annotated[Failures, Tag("a table")] | Annotated[LastRow, Tag("the last row")],
        Discriminator(_kind_of_failures),
    ]
    errors: Errors | None = None
    maintenance: Maintenance | None = None
    machines: Machines | None = None
    downtime: Downtime | None = None


def one_of(cells: pd.Series[Any], values: list[Scalar]) -> pd.Series[bool]:
    """Which cells hold one of `values`; numbers are compared as numbers, so that `1` finds `1.0`."""
    found = pd.Series(data=False, index=cells.index)
    for value in values:
        found |= _equals(cells, value)
    return found


def _equals(cells: pd.Series[Any], value: Scalar) -> pd.Series[bool]:
    if isinstance(value, bool):
        return cells.astype(str).str.strip().str.lower().isin(["true", "1"] if value else ["false", "0"])
    if isinstance(value, int | float):
        return pd.to_numeric(cells, errors="coerce") == value
    return cells.astype(str).str.strip() == value
