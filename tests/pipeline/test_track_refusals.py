"""What `forestall track` says where it cannot publish; and that stages have nothing to do with it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from forestall.pipeline.imports import stage_modules
from forestall.pipeline.registered_model import requirements
from forestall.pipeline.track import allowed
from forestall.serving import registered
from tests.pipeline.clones import ROOT, STAGES, clone, command
from tests.pipeline.servers import HERE, free_port, refusing_server, silent_server

SECONDS = 40  # of which 5 to 15 go by until Python has imported everything, on a busy computer
NO_CLIENT = (
    "import sys; sys.modules['mlflow'] = None; from forestall.cli import main; sys.exit(main(sys.argv[1:]))"
)
STAGE_IMPORTS = """
import runpy, sys
for stage in sys.argv[1:]:
    runpy.run_path(stage, run_name="imported")
print(sorted(name for name in sys.modules if name.split(".")[0] == "mlflow"))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committed project that has never run."""
    return clone(tmp_path_factory.mktemp("track") / "plant")


def refusal(folder: Path, *words: str, **changes: str) -> str:
    """The one line with which `forestall track` ends, in seconds."""
    start = time.monotonic()
    done = command(folder, "forestall", "track", *words, **changes)
    assert time.monotonic() - start < SECONDS
    assert done.returncode == 1 and done.stdout.count("\n") == 1, done.stdout
    return done.stdout


def test_nothing_listens(project: Path) -> None:
    uri = f"http://{HERE}:{free_port()}"
    assert f"forestall: {uri} does not answer." in refusal(project, "--to", uri)


@pytest.mark.slow
def test_a_server_that_never_answers(project: Path) -> None:
    with silent_server() as uri:
        said = refusal(project, "--to", uri)
        assert f"{uri} does not answer." in said and "in seconds; now 5." in said


@pytest.mark.slow
def test_the_users_own_patience_counts(project: Path) -> None:
    mine = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    with silent_server() as uri:
        assert "in seconds; now 1." in refusal(project, "--to", uri, **mine)


def test_wrong_credentials_are_named_and_not_shown(project: Path) -> None:
    mine = {"MLFLOW_TRACKING_USERNAME": "somebody", "MLFLOW_TRACKING_PASSWORD": "a-secret"}
    with refusing_server(401) as uri:
        said = refusal(project, "--to", uri, **mine)
    assert "wants other credentials. Set MLFLOW_TRACKING_USERNAME" in said
    assert "a-secret" not in said and "somebody" not in said


@pytest.mark.parametrize(("status", "word"), [(404, "refuses"), (500, "answers with errors (HTTP 500)")])
def test_a_server_that_is_something_else(project: Path, status: int, word: str) -> None:
    with refusing_server(status) as uri:
        said = refusal(project, "--to", uri)
    assert f"forestall: {uri} {word}" in said and "<" not in said


def test_credentials_in_the_address_are_refused_and_not_shown(project: Path) -> None:
    said = refusal(project, "--to", f"http://somebody:a-secret@{HERE}:1")
    assert "MLFLOW_TRACKING_TOKEN" in said and "a-secret" not in said


@pytest.mark.parametrize(
    "uri", ["mlruns", "sqlite:///mlflow.db", "http://", "http://[bad", "http://a/?token=b", "file:///tmp"]
)
def test_what_is_no_server(project: Path, uri: str) -> None:
    assert "--to takes the address of an MLflow server" in refusal(project, "--to", uri)


def test_nowhere_is_said(project: Path) -> None:
    assert "Say where to: --to URI" in refusal(project, MLFLOW_TRACKING_URI="")


def test_without_the_client_it_says_what_to_install(project: Path) -> None:
    done = command(project, sys.executable, "-c", NO_CLIENT, "track", "--to", f"http://{HERE}:1")
    assert done.returncode == 1
    assert done.stdout == "forestall: MLflow's client is not installed. Run `make setup-tracking`.\n"


def test_stages_import_no_client() -> None:
    """Neither does anything that they import: there is no way from a stage to a tracking server."""
    scripts = [str(ROOT / f"src/{stage}.py") for stage in sorted(STAGES)]
    done = subprocess.run(
        [sys.executable, "-c", STAGE_IMPORTS, *scripts], text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
    modules = {module for stage in STAGES for module in stage_modules(ROOT / f"src/{stage}.py", ROOT)}
    assert not any("mlflow" in (ROOT / module).read_text(encoding="utf-8") for module in modules)


@pytest.mark.slow
def test_what_the_registered_model_needs_is_what_its_code_imports() -> None:
    """Asked of a Python that has just imported it, and nothing else."""
    find = (
        "import sys, forestall.serving.registered\n"
        "from importlib.metadata import packages_distributions as known\n"
        "tops = {name.split('.')[0] for name in sys.modules} - sys.stdlib_module_names\n"
        "print(*{one.lower().replace('.', '-') for top in tops for one in known().get(top, [])})"
    )
    imported = subprocess.check_output([sys.executable, "-c", find], text=True).split()
    assert set(registered.PACKAGES) <= set(imported)
    assert [line.split("==")[0] for line in requirements()] == list(registered.PACKAGES)


def test_params_are_made_to_fit() -> None:
    long = "x" * 7000
    assert allowed({"a/b (°C)": "1", "c.d": long}) == {"a_47_b _40__176_C_41_": "1", "c.d": long[:6000]}
