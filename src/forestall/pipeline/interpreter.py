"""Importing this ends a stage that was started in a wrong environment, in one sentence that says what to do.

DVC starts stages with whatever `python` is first on PATH. Only the standard library is used, and only syntax
that an old Python can read: it must get as far as the message.
"""

import operator
import os
import re
import sys
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)
LOCK = Path(__file__).resolve().parents[3] / "requirements" / "pipeline.txt"
ADVICE = "run `make setup` and `source .venv/bin/activate`, then try again."
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)\s*(?:;([^\\]*))?")
CLAUSE = re.compile(r"^(\w+)\s*(==|!=|<=|>=|<|>)\s*'([^']*)'$")
SIGNS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
HERE = {
    "python_version": "{}.{}".format(*sys.version_info),
    "python_full_version": "{}.{}.{}".format(*sys.version_info),
    "implementation_name": sys.implementation.name,
    "sys_platform": sys.platform,
    "os_name": os.name,
}


def problem(version: "tuple[int, ...]", lock: Path) -> str:
    """Why stages cannot run on a Python of this version with what is installed; empty if they can."""
    if not OLDEST <= version[:2] <= NEWEST:
        return f"Forestall needs Python 3.11 to 3.13 and this is {version[0]}.{version[1]}: {ADVICE}"
    if not lock.is_file():
        return f"{lock.name} is missing: restore it with `git checkout requirements/{lock.name}`."
    found = installed(sys.path)
    for name, wanted in pins(lock):
        if name not in found:
            return f"The package {name} is not installed in this Python's environment: {ADVICE}"
        if found[name] != wanted:
            return f"This Python's environment has {name} {found[name]} instead of {wanted}: {ADVICE}"
    return ""


def pins(lock: Path) -> "list[tuple[str, str]]":
    """Name and version of the packages that the lock wants on this Python and system."""
    matches = [match for match in map(PIN.match, lock.read_text(encoding="utf-8").splitlines()) if match]
    return [(normal(m.group(1)), m.group(2)) for m in matches if m.group(3) is None or applies(m.group(3))]


def installed(folders: "list[str]") -> "dict[str, str]":
    """Version of each package, read off its .dist-info folder's name: far faster than its metadata."""
    found = {}  # type: dict[str, str]
    for folder in filter(Path.is_dir, map(Path, folders)):
        for info in folder.glob("*.dist-info"):
            name, _, version = info.stem.rpartition("-")
            found.setdefault(normal(name), version)
    return found


def normal(name: str) -> str:
    """A package's name as all spellings of it agree."""
    return re.sub("[-_.]+", "-", name).lower()


def applies(marker: str) -> bool:
    """Whether a marker made of `and` and `or` (no brackets) holds here; one not understood does not."""
    return any(all(map(_holds, part.split(" and "))) for part in marker.strip().split(" or "))


def _holds(clause: str) -> bool:
    match = CLAUSE.match(clause.strip())
    if match is None or match.group(1) not in HERE:
        return False
    name, sign, value = match.groups()
    return bool(SIGNS[sign](_sortable(HERE[name]), _sortable(value)))


def _sortable(text: str) -> "list[tuple[int, str]]":
    """The text's parts so that numbers compare as numbers."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in text.split(".")]


def refuse() -> None:
    """End the process if it runs in the wrong environment."""
    reason = problem(tuple(sys.version_info[:3]), LOCK)
    if reason:
        sys.stderr.write(reason + "\n")
        sys.exit(2)


refuse()

import forestall.pipeline.steady  # noqa: E402, F401  (from here on, what the stage is made of is watched)
