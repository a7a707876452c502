"""Every stage reads what dvc.yaml gives it and writes its outs, and nothing else: seen by strace."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
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
