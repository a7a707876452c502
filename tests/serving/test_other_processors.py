"""Emulated processors without AVX-512, an Intel and an AMD, answer as this one; the first fits the same models, too."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import joblib
import pytest

from tests.serving import fitted_again
from tests.serving.conftest import FAMILIES, Made, served

pytestmark = pytest.mark.slow
# QEMU 7.2 is wrong in the AVX2 of numpy's argsort, by which boosting finds its bins. Its bundles are asked.
FITTED = sorted(FAMILIES.keys() - {"hist_gradient_boosting"})
Found = dict[str, list[str]]


def run(made: Path, bundles: Path, families: list[str], *emulator: str) -> Found:
    """What `fitted_again` prints, on this processor or an emulated one."""
    words = [
        *emulator,
        sys.executable,
        "-W",
        "ignore",
        fitted_again.__file__,
        str(made),
        str(bundles),
        *families,
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def given(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What models are fitted on, as a file."""
    if shutil.which("qemu-x86_64") is None:
        pytest.fail("qemu-x86_64 is not installed: run .ci/services")
    file = tmp_path_factory.mktemp("given") / "made.joblib"
    names = ("decisions", "features", "reference")
    joblib.dump(
        {name: getattr(made, name) for name in names} | {"plant": served(), "families": FAMILIES}, file
    )
    return file


@pytest.fixture(scope="module")
def here(given: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Found]:
    """All bundles, made by this processor, and what was found."""
    bundles = tmp_path_factory.mktemp("bundles")
    return bundles, run(given, bundles, list(FAMILIES))


@pytest.mark.parametrize(("processor", "fitted"), [("Haswell", FITTED), ("EPYC", [])])
def test_the_same_models_and_answers(
    processor: str, fitted: list[str], given: Path, here: tuple[Path, Found], tmp_path: Path
) -> None:
    bundles, expected = here
    for folder in bundles.iterdir():
        if folder.name.rpartition("-")[0] not in fitted:
            shutil.copytree(folder, tmp_path / folder.name)
    found = run(given, tmp_path, fitted, "qemu-x86_64", "-cpu", processor)
    assert len(found) == len(FAMILIES) * len(fitted_again.CALIBRATIONS)
    assert {name for name in expected if found[name] != expected[name]} == set()
