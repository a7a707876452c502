"""What a traced stage did and must not do."""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

from forestall.pipeline.stages import Stage
from tests.pipeline.hermetic import Place, Ran
from tests.pipeline.traces import Deed, Kind

# What of the computer a stage may look at, as patterns of paths, and what for. That none of it makes other bytes is
# tried elsewhere, with another zone, locale, number of cores and so on.
OUTSIDE = {
    "/(usr/)?lib(64)?": "system libraries",
    r"/etc/ld\.so\.(cache|preload)": "where those are",
    r"(/etc|/usr/share/locale)/locale\.alias": "the locale, which Python sets when it starts",
    f"/etc/localtime|{Path('/etc/localtime').resolve()}": "the zone, which Python's `time` sets when it is loaded",
    "/usr/share/zoneinfo/UTC": "the zone of stamps",
    r"/etc/ssl/openssl\.cnf": "OpenSSL, which `hashlib` loads",
    r"/etc/je_arrow_malloc\.conf|/sys/kernel/mm/transparent_hugepage|/proc/sys/vm/overcommit_memory": "memory",
    "/sys/devices/system/(cpu|node)|/sys/fs/cgroup|/proc/(stat|cpuinfo|self/cgroup)": "how many cores of what kind",
    r"/proc/\d+/(cgroup|smaps|smaps_rollup|io)": "the same, and memory: psutil and pyarrow, of their own process",
    r"/sys/bus/pci/devices|/sys/devices/pci[^/]*/[^/]*/class|/sys/class/(drm|accel)|/etc/os-release": (
        "whether there is a GPU: ONNX Runtime, which makes no use of one here"
    ),
}
# Semaphores, with which joblib and scikit-learn can wait for other processes; each has no name any more at once.
SEMAPHORES = r"/dev/shm/sem\.[\w-]+"
# What else a stage may look at, never write, and what for; paths are as sentences have them.
BESIDES = {
    # matplotlib looks for settings and its list of fonts. Plots are drawn by its defaults and its own font.
    "evaluate": r"matplotlibrc|~|~/\.(config|cache)(/matplotlib)?|~/\.config/matplotlib/matplotlibrc"
    r"|~/\.cache/matplotlib/fontlist-[\w.-]+",
}
# Where Python looks for itself, packed, on the way up from its own folder.
ZIPPED = f"/lib/python{sys.version_info.major}{sys.version_info.minor}.zip"
NEVER = {
    Kind.TALKS: "and no stage needs anybody",
    Kind.EVADES: "and what it reaches after that cannot be told",
    Kind.STARTS: "and a stage is one program",
}


def offences(stage: Stage, place: Place, ran: Ran) -> list[str]:
    """A sentence for each thing that the stage did and must not do."""
    rules = _Rules(stage, place)
    found = [
        f"{stage.name} {deed.kind} {rules.short(deed.of)}, {reason}."
        for deed in dict.fromkeys(ran.deeds)
        if (reason := rules.against(deed))
    ]
    left = sorted(path.name for path in place.temporary.rglob("*"))
    found += [f"{stage.name} leaves {name} in the temporary folder." for name in left]
    kept = sorted({deed.of for deed in ran.deeds if _is_semaphore(deed.of) and Path(deed.of).exists()})
    return found + [f"{stage.name} leaves {path}, which any other could read." for path in kept]


def never_read(stage: Stage, place: Place, ran: Ran) -> list[str]:
    """The deps and params files that the stage declares and did not open, nor any file below them."""
    opened = {deed.of for deed in ran.deeds if deed.kind is Kind.READS}
    return [
        path
        for path in (*stage.deps, *stage.params)
        if not any(_below(one, [str(place.folder / path)]) for one in opened)
    ]


class _Rules:
    """What one stage may do in its place."""

    def __init__(self, stage: Stage, place: Place) -> None:
        self.place = place
        self.inputs = [*stage.deps, *place.settings]
        self.outs = list(stage.outs)
        self.besides = BESIDES.get(stage.name, "")
        base = Path(sys.base_prefix).resolve()  # may be /usr: not all of it
        self.python = [str(path) for path in (Path(sys.prefix).resolve(), base / "bin", base / "lib")]

    def short(self, of: str) -> str:
        """A path as a person would name it."""
        for folder, name in ((self.place.folder, ""), (self.place.home, "~/")):
            if _below(of, [str(folder)]):
                return (name + of[len(str(folder)) + 1 :]).rstrip("/") or "."
        return of

    def against(self, deed: Deed) -> str:
        """Why the stage must not do that; empty if it may."""
        if deed.kind in NEVER:
            return NEVER[deed.kind]
        path, changes = self.short(deed.of), deed.kind is Kind.WRITES
        if not changes and re.fullmatch(self.besides, path):
            return ""
        if _below(deed.of, [str(self.place.folder)]):
            return self._inside(deed.kind, path)
        return self._outside(deed.kind, deed.of)

    def _inside(self, kind: Kind, path: str) -> str:
        if _below(path, self.outs) or (kind in (Kind.ASKS, Kind.MAKES) and _above(path, self.outs)):
            return ""
        if kind in (Kind.WRITES, Kind.MAKES):
            return "which is no output of it"
        code = [dep for dep in self.inputs if dep.endswith(".py")]
        allowed = (
            _below(path, self.inputs)
            or (kind is Kind.ASKS and _above(path, self.inputs))
            or (kind is Kind.LISTS and _above(path, code))
            or _import_of(path) in code
        )
        return "" if allowed else "which dvc.yaml does not give it"

    def _outside(self, kind: Kind, path: str) -> str:
        if _below(path, [str(self.place.temporary)]) or path == "/dev/null":
            return ""
        if kind in (Kind.ASKS, Kind.WRITES) and _is_semaphore(path):
            return ""
        way = [str(self.place.folder), str(self.place.temporary), *self.python, "/proc/self/cgroup"]
        allowed = kind not in (Kind.WRITES, Kind.MAKES) and (
            _below(path, self.python)
            or re.fullmatch(f"({'|'.join(OUTSIDE)})(/.*)?", path)
            or (kind is Kind.ASKS and (_above(path, way) or path.endswith(ZIPPED)))
            or (kind in (Kind.ASKS, Kind.LISTS) and path in _of_editable())
        )
        return "" if allowed else "which is not in the project"


@functools.cache
def _of_editable() -> list[str]:
    """The source folders of packages that are installed to be edited, this one: Python looks there last of all."""
    words = [sys.executable, "-I", "-c", "import sys; print(*sys.path, sep='\\n')"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()


def _is_semaphore(path: str) -> bool:
    return bool(re.fullmatch(SEMAPHORES, path))


def _below(path: str, tops: list[str]) -> bool:
    """Whether a path is one of these or in one of them."""
    return any(path == top or path.startswith(f"{top}/") for top in tops)


def _above(path: str, files: list[str]) -> bool:
    """Whether one of these is in that folder."""
    return path in (".", "/") or any(file.startswith(f"{path}/") for file in files)


def _import_of(path: str) -> str:
    """The module that Python looks for where it looks for another form of it; empty if it is none."""
    if "/__pycache__/" in path and path.endswith(".pyc"):
        return importlib.util.source_from_cache(path)
    suffixes = [suffix for suffix in importlib.machinery.all_suffixes() if path.endswith(suffix)]
    return f"{path.removesuffix(max(suffixes, key=len))}.py" if suffixes else ""
