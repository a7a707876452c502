"""What may be other where the same bytes have to come out: clock, zone, host, folder, variables, cores and so on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Change:
    """One thing that is other: words before a command, variables of its environment, the folder's name."""

    words: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""

    def possible(self) -> bool:
        """Whether this computer can, and lets us: namespaces need rights, the clock a library."""
        preload = self.variables.get("LD_PRELOAD")
        if preload is not None:
            return Path(preload).is_file()
        return not self.words or (
            shutil.which(self.words[0]) is not None
            and subprocess.run([*self.words, "true"], capture_output=True, check=False).returncode == 0
        )


def _shell(first: str) -> tuple[str, ...]:
    return "sh", "-c", f'{first}; exec "$@"', "sh"


FAKE_CLOCK = next(
    iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), Path("/usr/lib/libfaketime")
)
# What both sides share where nothing is changed: the tests' own surroundings differ from computer to computer.
HERE = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", "USER": "here", "COLUMNS": "80"}
CHANGES = {
    "chance": Change(),
    "clock": Change(variables={"LD_PRELOAD": str(FAKE_CLOCK), "FAKETIME": "@2031-12-31 23:59:40"}),
    "zone": Change(variables={"TZ": "Pacific/Auckland"}),
    "locale": Change(variables={"LC_ALL": "C", "LANG": "de_DE.UTF-8", "LANGUAGE": "de"}),
    "hash seed": Change(variables={"PYTHONHASHSEED": "7"}),
    "variables": Change(
        variables={"USER": "elsewhere", "LOGNAME": "elsewhere", "COLUMNS": "33", "LINES": "9", "TERM": "dumb"}
        | {
            "CI": "true",
            "SOURCE_DATE_EPOCH": "1",
            "PYTHONUTF8": "1",
            "PYTHONOPTIMIZE": "",
            "ODD": "\N{SNOWMAN}\n=",
        }
    ),
    "kernels": Change(
        variables={"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": "", "OMP_NUM_THREADS": "2"}
        | {
            "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-ERMS",
            "ARROW_USER_SIMD_LEVEL": "NONE",
        }
    ),
    "host": Change(("unshare", "--uts", "--map-root-user", *_shell("hostname elsewhere"))),
    "network": Change(("unshare", "--net", "--map-root-user")),
    "umask": Change(_shell("umask 027")),
    "cores": Change(("taskset", "-c", "0")),
    "folder": Change(folder="a folder with blanks, \xe4\xf6\xfc"),
}


def all_of(changes: Iterable[Change]) -> Change:
    """Those that are possible here, together."""
    words: tuple[str, ...] = ()
    variables: dict[str, str] = {}
    folder = ""
    for change in filter(Change.possible, changes):
        words += change.words
        variables |= change.variables
        folder = change.folder or folder
    return Change(words, variables, folder)
