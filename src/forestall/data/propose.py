"""A dataset file guessed from a folder of tables, for a person to check."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from forestall.data.clock import is_counter
from forestall.data.plan import duration, plan_lines, split_lines, steady_offset
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
    tables = look(folder)
    found = roles(tables)
    if "telemetry" not in found or not (tag_and_value(found["telemetry"]) or sensors(found["telemetry"])):
        todo = "Name its columns so (machine, time) in a copy, or write the dataset file by hand"
        raise InputError("no table with a machine, a time and columns of numbers", todo, folder)
    telemetry = found["telemetry"]
    if telemetry.seen.frame.empty:
        raise InputError("no row", "Export the readings again", folder / telemetry.seen.files)
    unit = "s" if telemetry.seen.times else "cycles"
    interval = median_interval(telemetry.seen.frame, telemetry.machine, telemetry.times[0])
    parts = _parts(found)
    unused = [seen.files for seen in tables if all(role.seen is not seen for role in found.values())]
    sections = [
        _head(folder, unit),
        _tables(found, parts, duration(interval, unit), unused),
        _components(parts),
    ]
    sections += [
        plan_lines(interval, unit, steady_offset(telemetry, interval, unit)),
        split_lines(telemetry, interval, unit),
        _costs(),
        _card(),
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
    if not is_counter(unit):
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


def _tables(found: dict[str, Role], parts: list[str], interval: str, unused: list[str]) -> Lines:
    yield "# The tables, below the dataset's folder; a table without a guess is absent."
    for files in unused:
        yield f"# CHECK: not used, as its name and columns say none of these: {files}"
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
    if role.seen.encoding != "utf-8":
        yield from ("# CHECK: whether umlauts and accents come out right.", f"encoding: {role.seen.encoding}")
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
    yield "    # CHECK: no table of failures was found; this says that a machine's last row is its failure."
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


def _card() -> Lines:
    yield from ("# CHECK: the words of the model card.", "card:", "  # Who uses it, for what decision.")
    yield "  intended_use: Ranking the plant's machines for inspection by its maintenance planners."
    yield "  # Where it must not be relied on."
    yield "  limits: Not a safety system; failures without a precursor in the data are not foreseen."


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


def _scalar(text: str) -> str:
    plain = PLAIN.fullmatch(text) and text.lower() not in WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)
