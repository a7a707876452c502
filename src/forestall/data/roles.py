"""Guesses of what each table of a folder is, by its file's name and its columns."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from forestall.data.sniff import Seen

# In English and German: who writes decimal commas and 31.12.2024 seldom names columns in English.
MACHINE = re.compile(
    r"machine|asset|equip|device|unit|turbine|pump|engine|serial|^id$|_id$|maschine|anlage|aggregat|ger(ä|ae)t",
    re.I,
)
COMPONENT = re.compile(r"comp|part|module|failure|position|bauteil|baugruppe|komponente", re.I)
CODE = re.compile(r"code|error|alarm|message|event|fault|meldung|fehler", re.I)
COUNTER = re.compile(r"cycle|counter|operating", re.I)
FLAG = re.compile(r"fail|breakdown", re.I)
NOT_SENSORS = re.compile(r"^unnamed|^index$|^row$|^id$", re.I)
BY_NAME = {
    "telemetry": re.compile(r"telemetry|sensor|reading|measure|scada|historian|messwert|messung", re.I),
    "failures": re.compile(r"fail|breakdown|ausf(a|ä|ae)ll", re.I),
    "downtime": re.compile(r"down|stop|standstill|stillst", re.I),
    "maintenance": re.compile(r"maint|service|repair|work|replac|wartung|instandhalt|auftr|reparatur", re.I),
    "errors": re.compile(r"err|alarm|alert|event|message|log|fault|meldung|fehler", re.I),
    "machines": re.compile(r"machine|asset|equip|fleet|master|unit|maschine|anlage|stamm", re.I),
}


@dataclass(frozen=True)
class Role:
    """A table with a role, and the columns that the role needs; what was not found is None."""

    seen: Seen
    machine: str
    times: list[str]
    label: str | None = None


def roles(tables: list[Seen]) -> dict[str, Role]:
    """The tables by role; one that fits no role is left out. Empty without telemetry."""
    found: dict[str, Role] = {}
    rest = [(seen, machine) for seen in tables if (machine := _machine(seen, tables))]
    timed = [(seen, machine) for seen, machine in rest if _times(seen)]
    if not timed:
        return {}
    first = max(timed, key=lambda table: _weight(*table))
    found["telemetry"] = Role(first[0], first[1], _times(first[0]))
    for name in ("failures", "downtime", "maintenance", "errors", "machines"):
        fitting = [table for table in rest if table[0] is not first[0] and _fits(name, *table)]
        unused = [table for table in fitting if all(role.seen is not table[0] for role in found.values())]
        if unused:
            seen, machine = unused[0]
            found[name] = Role(seen, machine, _times(seen), _label(name, seen, machine))
    return found


def flag_column(telemetry: Seen) -> str | None:
    """The telemetry column that flags failures with 1, if there is one."""
    flags = [name for name in telemetry.numeric if FLAG.search(name)]
    return next((name for name in flags if set(telemetry.frame[name].dropna().unique()) <= {0, 1}), None)


def tag_and_value(role: Role) -> tuple[str, str] | None:
    """The columns of long telemetry: one of text, one of numbers, and no other."""
    others = [str(name) for name in role.seen.frame if name not in (role.machine, *role.times)]
    text = [name for name in others if _is_text(role.seen.frame[name])]
    numbers = [name for name in others if name in role.seen.numeric]
    if len(text) == 1 and len(numbers) == 1 and role.seen.frame[text[0]].nunique() <= 200:
        return text[0], numbers[0]
    return None


def sensors(role: Role) -> list[str]:
    """The columns of wide telemetry that look like measured quantities."""
    taken = {role.machine, *role.times, flag_column(role.seen)}
    return [name for name in role.seen.numeric if name not in taken and not NOT_SENSORS.search(name)]


def _is_text(cells: pd.Series[str]) -> bool:
    return bool(pd.api.types.is_string_dtype(cells) or cells.dtype == object)


def _machine(seen: Seen, tables: list[Seen]) -> str | None:
    names = [str(name) for name in seen.frame if name not in seen.times and not _is_measure(seen.frame[name])]
    shared = {name: sum(name in table.frame for table in tables) for name in names}
    named = [name for name in names if MACHINE.search(name) and not COMPONENT.search(name)]
    return max(named, key=lambda name: (shared[name], bool(re.search("machine", name, re.I))), default=None)


def _is_measure(cells: pd.Series[float]) -> bool:
    return bool(pd.api.types.is_float_dtype(cells) and (cells.dropna() % 1 != 0).any())


def _times(seen: Seen) -> list[str]:
    times = list(seen.times) or [name for name in seen.numeric if COUNTER.search(name)][:1]
    # Of a window's start and end, the end is when its value is known: the later one comes first.
    return sorted(times, key=lambda name: seen.frame[name].mean(), reverse=True)


def _weight(seen: Seen, machine: str) -> tuple[bool, int]:
    numbers = [name for name in seen.numeric if name != machine]
    return bool(BY_NAME["telemetry"].search(seen.files)), len(seen.frame) * len(numbers)


def _fits(name: str, seen: Seen, machine: str) -> bool:
    if not BY_NAME[name].search(seen.files):
        return False
    if name == "machines":
        return not _times(seen) and bool(seen.frame[machine].is_unique)
    if name == "downtime":
        return len(_times(seen)) == 2
    return bool(_times(seen)) and (name != "errors" or _label(name, seen, machine) is not None)


def _label(name: str, seen: Seen, machine: str) -> str | None:
    others = [str(column) for column in seen.frame if column != machine and column not in _times(seen)]
    wanted = {"errors": CODE, "maintenance": COMPONENT, "failures": COMPONENT}.get(name)
    if wanted is None:
        return None
    few = [column for column in others if not _is_measure(seen.frame[column])]
    named = [column for column in few if wanted.search(column)]
    text = [column for column in few if _is_text(seen.frame[column])]
    return next(iter(named), text[0] if len(text) == 1 else None)
