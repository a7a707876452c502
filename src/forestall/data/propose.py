"""A dataset file guessed from a folder of tables, for a person to check."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from forestall.data.clock import SECONDS
from forestall.data.roles import Role, flag_column, roles, sensors, tag_and_value
from forestall.data.sniff import look, median_interval
from forestall.errors import InputError

Lines = Iterator[str]
PLAIN = re.compile(r"[A-Za-z_][\w./*-]*( [\w./*-]+)*")
WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
ABOUT = {
    "telemetry": "Sensor readings.",
    "errors": "Coded messages of the controllers.",
    "maintenance": "Replacements, planned ones and repairs after a failure.",
    "failures": "Breakdowns, the events to foresee.",
    "machines": "One row a machine.",
    "downtime": "Periods in which a machine was off.",
}


def propose(folder: Path) -> str:
    """A dataset file for the CSV and Parquet tables in `folder`; each guess says what to check.

    Raises:
        InputError: no table looks like telemetry: a machine, a time, and columns of numbers.
    """
    found = roles(look(folder))
    if "telemetry" not in found or not (tag_and_value(found["telemetry"]) or sensors(found["telemetry"])):
        todo = "Name its columns so (machine, time), or write the dataset file by hand"
        raise InputError("no table with a machine, a time and columns of numbers", todo, folder)
    telemetry = found["telemetry"]
    unit = "s" if telemetry.seen.times else "cycles"
    interval = median_interval(telemetry.seen.frame, telemetry.machine, telemetry.times[0])
    parts = _parts(found)
    sections = [_head(folder, unit), _tables(found, parts, _text(interval, unit)), _components(parts)]
    sections += [
        _plan(interval, unit, _offset(telemetry, interval, unit)),
        _split(telemetry, interval, unit),
        _costs(),
    ]
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _head(folder: Path, unit: str) -> Lines:
    yield "# Guessed from the tables; check every line, and above all those marked CHECK."
    yield ""
    yield "# CHECK: where the data come from, their licence, measured or simulated."
    yield f"about: {_scalar(f'Tables of {folder.name}')}"
    yield ""
    yield "# What a time in the tables is."
    yield "clock:"
    if unit == "s":
        yield "  kind: timestamps"
        return
    yield from (
        "  # No column of timestamps was found: a counter that every machine starts from new.",
        "  kind: counter",
    )
    yield from (
        "  # Its name in durations.",
        f"  unit: {unit}",
        "  # CHECK: how many of them a machine runs in a month.",
    )
    yield "  per_month: 720.0"


def _tables(found: dict[str, Role], parts: list[str], interval: str) -> Lines:
    yield "# The tables, below the dataset's folder; a table without a guess is absent."
    yield "tables:"
    for name in ABOUT:
        if name in found:
            yield from (f"  # {ABOUT[name]}", f"  {name}:")
            yield from (f"    {line}" for line in _table(name, found[name], bool(parts), interval))
        elif name == "failures":
            yield from _failures_without_table(found["telemetry"])


def _table(name: str, role: Role, parts: bool, interval: str) -> Lines:
    yield f"files: {_scalar(role.seen.files)}"
    if role.seen.separator != ",":
        yield f"separator: {json.dumps(role.seen.separator)}"
    if role.seen.decimal != ".":
        yield f"decimal: {json.dumps(role.seen.decimal)}"
    yield from ("# The column with the machine's identifier.", f"machine: {_scalar(role.machine)}")
    if name == "machines":
        yield from _attributes(role)
        return
    if name == "downtime":
        yield from (f"start: {_scalar(role.times[-1])}", f"end: {_scalar(role.times[0])}")
    else:
        yield from ("# CHECK: the moment at which a row is known.", f"time: {_scalar(role.times[0])}")
    if time_format := role.seen.times.get(role.times[0]):
        yield from (
            "# CHECK: day before month, or month before day?",
            f"time_format: {json.dumps(time_format)}",
        )
    if name == "errors" and role.label:
        yield f"code: {_scalar(role.label)}"
    if name in ("maintenance", "failures") and role.label and parts:
        yield f"component: {_scalar(role.label)}"
    if name == "telemetry":
        yield from ("# The median time between two readings.", f"interval: {interval}")
        yield from _sensors(role)


def _failures_without_table(telemetry: Role) -> Lines:
    yield f"  # {ABOUT['failures']}"
    yield "  failures:"
    if flag := flag_column(telemetry.seen):
        yield f"    # CHECK: the telemetry's rows with {flag} = 1."
        yield from (f"    {line}" for line in _table("failures", telemetry, False, ""))
        yield from ("    where:", f"      {_scalar(flag)}: 1")
        return
    yield "    # CHECK: no table of failures was found. This says that each machine's last row is its failure."
    yield from (
        "    last_row: true",
        "    # Machines that were still running at the end.",
        "    # alive:",
        "    #   - ID",
    )


def _sensors(role: Role) -> Lines:
    long = tag_and_value(role)
    frame = role.seen.frame
    if long:
        yield from (f"tag: {_scalar(long[0])}", f"value: {_scalar(long[1])}")
        values = {str(tag): rows for tag, rows in frame.groupby(long[0])[long[1]]}
    else:
        values = {name: frame[name] for name in sensors(role)}
    yield from (
        "# CHECK: the measured quantities; add a unit, and a range outside which a value is",
        "# impossible.",
    )
    yield "sensors:"
    for name, cells in values.items():
        if cells.nunique() < 2 and len(values) > 1:
            yield f"  # {_scalar(name)} was left out: it never changes."
            continue
        low, high = f"{cells.min():g}", f"{cells.max():g}"
        yield from (f"  # Seen: {low} to {high}.", f"  {_scalar(name)}:", '    unit: ""')
        yield from ("    # range:", f"    #   - {low}", f"    #   - {high}")


def _attributes(role: Role) -> Lines:
    others = [str(name) for name in role.seen.frame if name != role.machine]
    yield from (
        "# CHECK: what may be known of a machine, a category or a number.",
        "attributes:" if others else "",
    )
    for name in others:
        kind = "number" if name in role.seen.numeric else "category"
        yield f"  {_scalar(name)}: {kind}"


def _parts(found: dict[str, Role]) -> list[str]:
    """The components' names; none where failures or maintenance do not tell them apart."""
    named = [found[name] for name in ("failures", "maintenance") if name in found]
    if "failures" not in found or any(role.label is None for role in named):
        return []
    cells = [role.seen.frame[role.label].dropna() for role in named if role.label]
    return sorted({str(value).strip() for column in cells for value in column.unique()})


def _components(parts: list[str]) -> Lines:
    yield "# CHECK: the parts that fail and are replaced; with none told apart there is one, the machine."
    yield "components:"
    for part in parts or ["machine"]:
        yield from (f"  {_scalar(part)}:", "    # Shown to people.", f"    about: {_scalar(part)}")


def _plan(interval: int, unit: str, offset: int) -> Lines:
    every, day = _every(interval, unit), _day(interval, unit)
    text = {
        name: _text(span, unit) for name, span in (("every", every), ("offset", offset), ("horizon", day))
    }
    text |= {"min_lead": _text(day // 12, unit), "history": _text(day, unit), "stale": _text(2 * every, unit)}
    yield "# CHECK: when predictions are made, and about what span of time."
    yield "decisions:"
    about = (
        "Time between two decisions about a machine.",
        "Shift of the grid from midnight.",
        "How far one looks.",
    )
    about += ("Shortest warning that still helps.", "Least history before a machine is judged.")
    for (name, value), line in zip(text.items(), (*about, "Older data give no opinion."), strict=True):
        yield from (f"  # {line}", f"  {name}: {value}")
    spans = [_text(span, unit) for span in sorted({every, day, 3 * day})]
    yield from ("", "# The spans that features look back over.", "windows:")
    for name in ("sensors", "events"):
        yield from (f"  {name}:", *(f"    - {span}" for span in spans))
    yield from (
        "  # The healthy history that makes a machine's own baseline.",
        f"  baseline: {_text(30 * day, unit)}",
    )
    yield from ("  # How often it is renewed.", f"  baseline_every: {_text(7 * day, unit)}")


def _split(telemetry: Role, interval: int, unit: str) -> Lines:
    day = _day(interval, unit)
    yield from ("# CHECK: the folds, counted back from the end of the data.", "split:")
    if unit == "s":
        stamps = telemetry.seen.frame[telemetry.times[0]]
        span = _text(max(int((stamps.max() - stamps.min()).total_seconds()) // 5 // 86400, 1) * 86400, unit)
        yield from ("  by: time", f"  test: {span}", f"  validation: {span}")
    else:
        yield from ("  by: machine", "  test: 0.2", "  validation: 0.2")
    yield from ("  # At least `decisions.horizon`.", f"  gap: {_text(day, unit)}")
    yield from ("  # Share of machines never trained on, scored apart.", "  unseen_machines: 0.0")


def _costs() -> Lines:
    yield from ("# CHECK: your own costs, in one currency; these are placeholders.", "costs:")
    yield from (
        "  # A failure in operation.",
        "  failure: 10000.0",
        "  # A planned replacement.",
        "  planned: 2000.0",
    )
    yield from ("  # An inspection that finds nothing.", "  inspection: 300.0")
    yield from ("  # Share of the failures that acting on an alarm prevents.", "  prevented: 0.8")


def _every(interval: int, unit: str) -> int:
    shortest = 3 * SECONDS["h"] if unit == "s" else 1
    return interval * math.ceil(shortest / interval)


def _day(interval: int, unit: str) -> int:
    """The horizon: a day or more in whole decisions; of a counter, 30 readings."""
    every = _every(interval, unit)
    return every * max(math.ceil(SECONDS["d"] / every), 2) if unit == "s" else 30 * interval


def _offset(telemetry: Role, interval: int, unit: str) -> int:
    """The shift of readings that all stand at one place in their interval, such as 06:00 of daily ones."""
    if unit != "s":
        return 0
    ticks = pd.to_datetime(telemetry.seen.frame[telemetry.times[0]].dropna(), utc=True).map(
        pd.Timestamp.timestamp
    )
    places = (ticks % interval).value_counts()
    return int(places.index[0]) if places.iloc[0] > 0.9 * len(ticks) else 0


def _text(span: int, unit: str) -> str:
    if unit != "s":
        return f"{span}{unit}"
    name = next(name for name in ("h", "min", "s") if span % SECONDS[name] == 0)
    return f"{span // SECONDS[name]}{name}"


def _scalar(text: str) -> str:
    plain = PLAIN.fullmatch(text) and text.lower() not in WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)
