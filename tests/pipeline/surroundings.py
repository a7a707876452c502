"""What may be other where the same bytes have to come out: clock, zone, host, folder, cores and so on."""

from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forestall.data.settings import read_yaml
from forestall.pipeline.stages import Stage
from tests.pipeline.hermetic import Place

BACKWARDS = Path(__file__).with_name("backwards")
# glibc asks here how many cores there are: the number of one of them is not how many of them this process may use.
CORES, NODES = "/sys/devices/system/cpu/online", "/sys/devices/system/node/online"
CLOCKS = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))  # Debian's faketime


@dataclass(frozen=True)
class Change:
    """Something that is other: words before a command, variables of its environment, the name of the folder."""

    words: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    folder: str = "here"

    def possible(self) -> bool:
        """Whether this computer can do that and lets us: namespaces need rights, the clock a library."""
        if self.variables.get("LD_PRELOAD") == "":
            return False
        words = [*self.words, "true"]
        return bool(shutil.which(words[0])) and not subprocess.run(words, capture_output=True).returncode


def _shell(first: str) -> tuple[str, ...]:
    return "sh", "-c", f'{first}; exec "$@"', "sh"


HERE = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", "USER": "here", "COLUMNS": "80"}
CHANGES = {
    "when it runs again": Change(),
    "at another time": Change(
        variables={"LD_PRELOAD": next(map(str, CLOCKS), ""), "FAKETIME": "@2031-12-31 23:59:40"}
    ),
    "in another zone": Change(variables={"TZ": "Pacific/Auckland"}),
    "in another locale": Change(variables={"LC_ALL": "C", "LANG": "de_DE.UTF-8", "LANGUAGE": "de"}),
    "with another hash seed": Change(variables={"PYTHONHASHSEED": "7"}),
    "with other variables": Change(
        variables={"USER": "elsewhere", "LOGNAME": "elsewhere", "COLUMNS": "33", "LINES": "9", "TERM": "dumb"}
        | {"SOURCE_DATE_EPOCH": "1", "ODD": "\N{SNOWMAN}\n=", "MPLBACKEND": "pdf", "OMP_NUM_THREADS": "2"}
    ),
    # What forestall/__init__.py sets is handed in, and what decides which kernels of libraries are taken.
    "with other kernels": Change(
        variables={"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": "", "ARROW_USER_SIMD_LEVEL": "NONE"}
        | {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD,-ERMS"}
    ),
    "on another host": Change(("unshare", "--uts", "--map-root-user", *_shell("hostname elsewhere"))),
    "without a network": Change(("unshare", "--net", "--map-root-user")),
    "under another umask": Change(_shell("umask 027")),
    "on one core": Change(("taskset", "-c", "0")),
    "with another count of cores": Change(
        ("unshare", "--mount", "--map-root-user", *_shell(f"mount --bind {NODES} {CORES}"))
    ),
    "with another input": Change(_shell("exec </proc/version")),
    "where folders are listed otherwise": Change(variables={"PYTHONPATH": str(BACKWARDS)}),
    "in memory that is not zero": Change(variables={"MALLOC_PERTURB_": "85"}),
    "as another user": Change(("unshare", "--user", "--map-user=4711", "--map-group=4711")),
    "in another folder": Change(folder="a folder with blanks, \xe4\xf6\xfc"),
}  # fmt: skip


def together(changes: Iterable[Change]) -> Change:
    """Those that are possible here, at once."""
    words: tuple[str, ...] = ()
    variables: dict[str, str] = {}
    folder = Change.folder
    for change in filter(Change.possible, changes):
        words += change.words
        variables |= change.variables
        folder = change.folder if change.folder != Change.folder else folder
    return Change(words, variables, folder)


def strange_home(folder: Path) -> Path:
    """A home whose owner wants all plots drawn otherwise."""
    settings = folder / ".config/matplotlib/matplotlibrc"
    settings.parent.mkdir(parents=True)
    settings.write_text("lines.linewidth: 9\nfont.family: serif\nsavefig.dpi: 30\n", encoding="utf-8")
    return folder


def outs_of(stage: Stage, place: Place, change: Change) -> dict[str, str]:
    """Run the stage's command there with that change; the SHA-256 of each file that it made."""
    words = [*change.words, *shlex.split(stage.cmd)]
    variables = {**place.variables, **HERE, **change.variables}
    done = subprocess.run(
        words, cwd=place.folder, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return made(stage, place.folder)


def made(stage: Stage, folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of its outputs there."""
    files = [file for out in stage.outs for file in _files(folder / out)]
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }


def _files(out: Path) -> list[Path]:
    return sorted(filter(Path.is_file, out.rglob("*"))) if out.is_dir() else [out]


def told(stage: str, here: Mapping[str, str], there: Mapping[str, str], when: str) -> list[str]:
    """A sentence for each file that the stage made otherwise."""
    others = [file for file in sorted({*here, *there}) if here.get(file) != there.get(file)]
    return [f"{stage} writes other bytes to {file} {when}." for file in others]


def differences(here: Path, there: Path) -> list[str]:
    """A sentence for each output that differs in the locks of two projects, in the order of the stages."""
    stages, others = (read_yaml(folder / "dvc.lock")["stages"] for folder in (here, there))
    said = []
    for name, stage in stages.items():
        own, other = ({out["path"]: out["md5"] for out in one["outs"]} for one in (stage, others[name]))
        said += told(name, own, other, "elsewhere")
    return said
