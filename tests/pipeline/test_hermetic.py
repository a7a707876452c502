"""Every stage reads what dvc.yaml gives it and writes its outs, and nothing else: seen by strace."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

import pytest

from forestall.pipeline.stages import PARAMS, Stage
from tests.pipeline.clones import ROOT
from tests.pipeline.hermetic import Place, Ran, isolated, stages_of, traced
from tests.pipeline.offences import never_read, offences
from tests.pipeline.repository import first_run
from tests.pipeline.surroundings import CHANGES, CLOCKS, Change, made, outs_of, told
from tests.pipeline.undeclared import otherwise

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
STAGES = stages_of(ROOT)
CARD = "reports/model_card.md"
WITH_OTHERS = "with other settings that it does not declare"


@dataclass
class Runs:
    """Each stage's place and what it did there, where settings that it does not declare are other."""

    project: Path
    scratch: Path
    done: dict[str, tuple[Place, Ran]] = field(default_factory=dict)

    def of(self, name: str) -> tuple[Place, Ran]:
        if name not in self.done:
            place = isolated(STAGES[name], self.project, self.scratch / name)
            assert otherwise(STAGES[name], place.folder) <= {
                "data",
                "clock",
            }  # the dataset's name and clock alone
            self.done[name] = place, traced(STAGES[name], place)
        place, ran = self.done[name]
        assert ran.code == 0, f"{name} does not run on what it declares: {ran.said}"
        return place, ran

    def told(self, name: str, place: Place) -> list[str]:
        """A sentence for each file that came out otherwise there than by `dvc repro`."""
        stage = STAGES[name]
        return told(name, made(stage, self.project), made(stage, place.folder), WITH_OTHERS)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    if shutil.which("strace") is None:
        pytest.fail("strace is not installed: run .ci/services")
    return Runs(first_run(tmp_path_factory.mktemp("small")), tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_does_nothing_that_it_does_not_declare(name: str, runs: Runs) -> None:
    place, ran = runs.of(name)
    assert offences(STAGES[name], place, ran) == []


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_reads_all_that_it_declares(name: str, runs: Runs) -> None:
    place, ran = runs.of(name)
    assert never_read(STAGES[name], place, ran) == []


@pytest.mark.parametrize("name", STAGES)
def test_settings_that_it_does_not_declare_do_not_show(name: str, runs: Runs) -> None:
    assert runs.told(name, runs.of(name)[0]) == []


def test_a_setting_that_is_not_handed_to_a_stage_shows_where_it_is_used(runs: Runs, tmp_path: Path) -> None:
    place = with_lines([f"Path({CARD!r}).write_text(Path({PARAMS!r}).read_text())"], runs, tmp_path / "there")
    otherwise(STAGES["card"], place.folder)
    assert traced(STAGES["card"], place).code == 0
    assert runs.told("card", place) == [f"card writes other bytes to {CARD} {WITH_OTHERS}."]


NOT_GIVEN, NO_OUTPUT, NOT_HERE = (
    "which dvc.yaml does not give it.", "which is no output of it.", "which is not in the project."
)  # fmt: skip
ALONE, NOBODY = "and a stage is one program.", "and no stage needs anybody."
# Lines more in the stage's script, and what is said of each.
CHEATS = {
    'Path("README.md").read_bytes()': f"card reads README.md, {NOT_GIVEN}",
    'Path("data/truth").exists()': f"card looks for data/truth, {NOT_GIVEN}",
    'list(Path("metrics").iterdir())': f"card lists metrics, {NOT_GIVEN}",
    'Path("/proc/self/cwd/dvc.lock").write_text("")': f"card writes dvc.lock, {NO_OUTPUT}",
    'Path("~/.netrc").expanduser().exists()': f"card looks for ~/.netrc, {NOT_HERE}",
    'list(Path.home().iterdir())': f"card lists ~, {NOT_HERE}",
    'Path("/etc/passwd").read_bytes()': f"card reads /etc/passwd, {NOT_HERE}",
    'Path("../outside").read_bytes()': "card reads {above}/outside, " + NOT_HERE,
    'Path("reports/other.md").write_text("")': f"card writes reports/other.md, {NO_OUTPUT}",
    'Path("reports/other").mkdir()': f"card makes the folder reports/other, {NO_OUTPUT}",
    'Path("metrics/data.json").unlink()': f"card writes metrics/data.json, {NO_OUTPUT}",
    'OUT.rename("reports/other.md")': f"card writes reports/other.md, {NO_OUTPUT}",
    'Path("reports/link").symlink_to("/etc")': f"card writes reports/link, {NO_OUTPUT}",
    'Path("../outside").write_text("")': "card writes {above}/outside, " + NOT_HERE,
    '__import__("tempfile").mkstemp(suffix="-left")': "card leaves *-left in the temporary folder.",
    '__import__("subprocess").run(["python", "-c", ""])': f"card starts */python, {ALONE}",
    '__import__("os").system("true")': f"card starts /bin/sh, {ALONE}",
    '__import__("socket").socket().connect_ex(("127.0.0.1", 9))': (
        f"card talks over a socket: connect AF_INET 9 127.0.0.1, {NOBODY}"
    ),
    '__import__("socket").getaddrinfo("localhost", 80)': f"card reads /etc/hosts, {NOT_HERE}",
    'Path("/dev/shm/sem.kept").write_text("")': "card leaves /dev/shm/sem.kept, which any other could read.",
    'Path("/dev/shm/sem.other").read_text()': f"card reads /dev/shm/sem.other, {NOT_HERE}",
    '__import__("ctypes").CDLL(None).shmget(4711, 0, 0)': (
        "card calls shmget(0x1267, 0, 000), and what it reaches after that cannot be told."
    ),
    '(one := __import__("threading").Thread(target=Path("README.md").exists)).start() or one.join()': (
        f"card looks for README.md, {NOT_GIVEN}"
    ),
    '__import__("os").chdir("..")': 'card calls chdir(".."), and what it reaches after that cannot be told.',
}  # fmt: skip


def with_lines(lines: Iterable[str], runs: Runs, scratch: Path) -> Place:
    """A place for the lightest stage, with lines more at the end of its script, that run whatever becomes of one."""
    place = isolated(STAGES["card"], runs.project, scratch)
    with (place.folder / STAGES["card"].deps[0]).open("a", encoding="utf-8") as script:
        for line in lines:
            script.write(f"    with __import__('contextlib').suppress(OSError):\n        {line}\n")
    return place


@pytest.fixture(scope="module")
def told_of_cheats(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder above the stage's, and all that is said of the stage with all of these lines."""
    scratch = tmp_path_factory.mktemp("cheats") / "scratch"
    place = with_lines(CHEATS, runs, scratch)
    ran = traced(STAGES["card"], place)
    said = offences(STAGES["card"], place, ran)
    Path("/dev/shm/sem.kept").unlink(missing_ok=True)
    assert ran.code == 0, ran.said
    return scratch, said


@pytest.mark.parametrize(("line", "sentence"), CHEATS.items())
def test_a_stage_that_cheats_is_told(
    line: str, sentence: str, told_of_cheats: tuple[Path, list[str]]
) -> None:
    scratch, said = told_of_cheats
    assert any(fnmatch(one, sentence.format(above=scratch)) for one in said), said


# What the stage writes into outputs more, reports/0.txt and so on, and when that is other.
WRITTEN = [
    ("when it runs again", '__import__("random").random()'),
    ("when it runs again", '__import__("numpy").random.default_rng().random()'),
    ("when it runs again", '__import__("uuid").uuid4()'),
    ("when it runs again", '__import__("time").time()'),
    ("at another time", '__import__("datetime").date.today()'),
    ("in another zone", '__import__("time").tzname'),
    ("in another zone", '__import__("datetime").datetime.fromtimestamp(0)'),
    ("in another locale", '__import__("locale").setlocale(__import__("locale").LC_ALL, "")'),
    ("with another hash seed", 'hash("a")'),
    ("with another hash seed", 'list({"a", "b", "c", "d", "e"})'),
    ("with other variables", '__import__("os").environ["USER"]'),
    ("with other variables", '__import__("shutil").get_terminal_size()'),
    ("with other kernels", '__import__("os").environ.get("ARROW_USER_SIMD_LEVEL")'),
    ("on another host", '__import__("socket").gethostname()'),
    ("without a network", 'open("/proc/net/dev").read()'),
    ("under another umask", '__import__("os").umask(0)'),
    ("on one core", 'len(__import__("os").sched_getaffinity(0))'),
    ("with another count of cores", '__import__("os").cpu_count()'),
    ("with another input", '__import__("sys").stdin.read()'),
    ("where folders are listed otherwise", 'list(Path("metrics").iterdir())'),
    ("where folders are listed otherwise", 'list(__import__("os").walk("metrics"))'),
    ("in memory that is not zero", '__import__("numpy").empty(999).tobytes().hex()'),
    ("as another user", '__import__("os").getuid()'),
    ("in another folder", "Path.cwd()"),
]
TEXTS = [f"reports/{number}.txt" for number in range(len(WRITTEN))]
LINES = [f"Path({text!r}).write_text(str({what}))" for text, (_, what) in zip(TEXTS, WRITTEN, strict=True)]


@dataclass(frozen=True)
class Elsewhere:
    """The lightest stage, which writes more than it should, run in this folder and in others."""

    runs: Runs
    scratch: Path
    stage: Stage = field(
        default_factory=lambda: replace(STAGES["card"], outs={CARD: True} | dict.fromkeys(TEXTS, True))
    )

    def made(self, change: Change) -> dict[str, str]:
        """What it makes with that change: in the same folder, if it is not the folder that changes."""
        scratch = self.scratch / change.folder
        shutil.rmtree(scratch, ignore_errors=True)
        return outs_of(self.stage, with_lines(LINES, self.runs, scratch), change)


@pytest.fixture(scope="module")
def elsewhere(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    return Elsewhere(runs, tmp_path_factory.mktemp("elsewhere"))


@pytest.fixture(scope="module")
def made_here(elsewhere: Elsewhere) -> dict[str, str]:
    return elsewhere.made(Change())


@pytest.mark.parametrize("when", CHANGES)
def test_what_is_other_elsewhere_is_told(when: str, made_here: dict[str, str], elsewhere: Elsewhere) -> None:
    if when == "at another time" and not CLOCKS:
        pytest.fail("libfaketime is not installed: run .ci/services")
    if not CHANGES[when].possible():
        pytest.skip(f"a stage cannot be run {when} by this user on this computer")
    said = told("card", made_here, elsewhere.made(CHANGES[when]), when)
    planted = [text for text, (one, _) in zip(TEXTS, WRITTEN, strict=True) if one == when]
    assert planted and {f"card writes other bytes to {text} {when}." for text in planted} <= set(said)
    assert f"card writes other bytes to {CARD} {when}." not in said
