"""The tables' part of the dataset file: where the files are, and what their columns mean."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, field_validator, model_validator

from forestall.data.clock import Duration
from forestall.data.settings import Section

Scalar = str | int | float | bool
Files = str | list[str]
Values = Scalar | Annotated[list[Scalar], Field(min_length=1)]
# Columns of the pipeline's own tables, beside which a sensor or an attribute stands there.
NO_SENSORS = frozenset({"machine", "time", "running", "tag", "start", "end"})
NO_ATTRIBUTES = frozenset({"machine", "time", "start", "end", "file", "index"})
A_MOMENT = datetime(2024, 11, 23, 17, 48, 56, tzinfo=UTC)


def first_twice(names: Iterable[str]) -> str | None:
    """The first of the names that stands more than once."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


def has_zone(time_format: str) -> bool:
    """Whether a strptime pattern reads a time zone."""
    return "%z" in time_format or "%Z" in time_format


def _check_time_format(pattern: str) -> str:
    """Refuse a pattern that is none, or of which a moment does not come back but for its smaller units."""
    import pandas as pd  # here, not above: it takes a quarter of a second to load, and most files have no pattern

    try:
        read = pd.to_datetime(A_MOMENT.strftime(pattern), format=pattern, utc=True)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{pattern!r} is no strptime pattern such as %d.%m.%Y %H:%M ({error})") from error
    moment = pd.Timestamp(A_MOMENT)
    month = moment.normalize().replace(day=1)
    if read not in {*(moment.floor(unit) for unit in ("s", "min", "h", "D")), month, month.replace(month=1)}:
        raise ValueError(
            f"{pattern!r} leaves out a part of the time: %I needs %p, %H needs a date with its year"
        )
    return pattern


TimeFormat = Annotated[str, AfterValidator(_check_time_format)]


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
            if any("**" in part and part != "**" for part in PurePath(pattern).parts):
                raise ValueError(f"{pattern!r} is no glob: ** stands for folders, as in **/*.csv")
        return files

    @field_validator("separator")
    @classmethod
    def _separates(cls, separator: str) -> str:
        if not separator.isascii() or separator in '"\r\n':
            raise ValueError(f"{separator!r} cannot separate cells; semicolon, tab and | are common")
        return separator

    @field_validator("encoding")
    @classmethod
    def _python_knows_it(cls, encoding: str) -> str:
        try:
            "".encode(encoding)  # unlike a lookup, this refuses base64 and the like
        except LookupError:
            problem = f"{encoding!r} is no text encoding; utf-8, cp1252, latin-1 and utf-16 are common"
            raise ValueError(problem) from None
        return codecs.lookup(encoding).name

    @model_validator(mode="after")
    def _headerless_names_columns(self) -> Self:
        if self.header == (self.columns is not None):
            raise ValueError("`columns` names the columns of files with `header: false`, and only of those")
        if twice := first_twice(self.columns or []):
            raise ValueError(f"two of `columns` are called {twice!r}")
        return self


class TimedTable(Table):
    """A table whose rows are stamped with the time at which they were known."""

    time: str
    time_format: TimeFormat | None = Field(None, description="strptime pattern; ISO 8601 needs none")


class Running(Section):
    """The telemetry column that tells a machine that runs from one that is off."""

    column: str
    values: list[Scalar] = Field(min_length=1)


class Telemetry(TimedTable):
    """Sensor readings, wide (a column a sensor) or long (one row a reading: `tag` and `value`)."""

    interval: Duration
    sensors: dict[str, Sensor] = Field(min_length=1)
    tag: str | None = None
    value: str | None = None
    running: Running | None = None

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

    @model_validator(mode="after")
    def _sensors_have_names_and_columns_of_their_own(self) -> Self:
        if taken := sorted(NO_SENSORS & set(self.sensors)):
            problem = f"no sensor can be called {taken[0]!r}, a column of the prepared tables"
            raise ValueError(f"{problem}; give it another name and `column: {taken[0]}`")
        if twice := first_twice(sensor.column or name for name, sensor in self.sensors.items()):
            raise ValueError(f"two sensors have the column {twice!r}")
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

    @field_validator("attributes")
    @classmethod
    def _names_are_free(
        cls, attributes: dict[str, Literal["category", "number"]]
    ) -> dict[str, Literal["category", "number"]]:
        if taken := sorted(NO_ATTRIBUTES & set(attributes)):
            raise ValueError(f"no attribute can be called {taken[0]!r}; rename the column in the table")
        return attributes


class Downtime(Table):
    """Periods in which a machine was off."""

    start: str
    end: str = Field(description="the column with the end; an empty cell is a stop that goes on")
    time_format: TimeFormat | None = None


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
