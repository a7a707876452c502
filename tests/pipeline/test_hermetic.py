"""Every stage reads what dvc.yaml gives it and writes its outs, and nothing else: seen by strace."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import pytest

from forestall.pipeline.stages import Stage
from tests.pipeline.clones import ROOT, clone
from tests.pipeline.hermetic import Place, Ran, copy, isolated, never_read, offences, stages_of, traced

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
STAGES = stages_of(ROOT)


@dataclass
class Runs:
    """Each stage's place and what it did there; a stage is run when it is asked for, after those that it needs."""

    project: Path
    scratch: Path
    done: dict[str, tuple[Place, Ran]] = field(default_factory=dict)

    def of(self, name: str) -> tuple[Place, Ran]:
        for one in list(STAGES)[: list(STAGES).index(name) + 1]:
            if one not in self.done:
                self.done[one] = self._run(stages_of(self.project)[one])
        return self.done[name]

    def _run(self, stage: Stage) -> tuple[Place, Ran]:
        place = isolated(stage, self.project, self.scratch / stage.name)
        ran = traced(stage, place)
        assert ran.code == 0, f"{stage.name} does not run on what it declares: {ran.said}"
        for out in stage.outs:
            copy(place.folder / out, self.project / out)
        return place, ran


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    if shutil.which("strace") is None:
        pytest.fail("strace is not installed: run .ci/services")
    return Runs(clone(tmp_path_factory.mktemp("small")), tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_does_nothing_that_it_does_not_declare(name: str, runs: Runs) -> None:
    place, ran = runs.of(name)
    assert offences(STAGES[name], place, ran) == []


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_reads_all_that_it_declares(name: str, runs: Runs) -> None:
    place, ran = runs.of(name)
    assert never_read(STAGES[name], place, ran) == []


NOT_GIVEN, NO_OUTPUT, NOT_HERE = (
    "which dvc.yaml does not give it.", "which is no output of it.", "which is not in the project."
)  # fmt: skip
ALONE, NOBODY = "and a stage is one program.", "and no stage needs anybody."
# A line more in the stage's script, and what is said of it.
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
    '__import__("os").chdir("..")': 'card calls chdir(".."), and what it reaches after that cannot be told.',
    '__import__("subprocess").run(["/bin/true"])': f"card starts /bin/true, {ALONE}",
    '__import__("os").system("true")': f"card starts /bin/sh, {ALONE}",
    '__import__("socket").socket().connect_ex(("127.0.0.1", 9))': (
        f"card talks over a socket: connect AF_INET 9 127.0.0.1, {NOBODY}"
    ),
    '__import__("socket").getaddrinfo("localhost", 80)': f"card reads /etc/hosts, {NOT_HERE}",
    '__import__("threading").Thread(target=Path("README.md").exists).start()': (
        f"card looks for README.md, {NOT_GIVEN}"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("line", "sentence"), CHEATS.items())
def test_a_stage_that_does_is_told(line: str, sentence: str, runs: Runs, tmp_path: Path) -> None:
    runs.of("evaluate")
    place = isolated(STAGES["card"], runs.project, tmp_path)
    with (place.folder / STAGES["card"].deps[0]).open("a", encoding="utf-8") as script:
        script.write(f"    {line}\n")
    said = offences(STAGES["card"], place, traced(STAGES["card"], place))
    expected = sentence.format(above=tmp_path)
    assert any(fnmatch(one, expected) for one in said), said
