"""The deployment recipes hold what their README says, as far as that can be told without running them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from forestall.cli import parser
from forestall.data.settings import read_yaml

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"


def stages() -> list[list[tuple[str, str]]]:
    """The Dockerfile's instructions, stage by stage."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = [line for line in re.sub(r"\\\n\s*", " ", text).splitlines() if line]
    found: list[list[tuple[str, str]]] = []
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


def test_the_images_are_of_a_named_version_and_do_not_run_as_root() -> None:
    build, retraining, final = stages()
    for stage in (build, retraining, final):
        assert re.match(r"[a-z]+:\d+\.\d+(-slim)?\b", stage[0][1])
    assert "-slim" in final[0][1] and retraining[0][1].endswith("AS retraining")
    for stage in (retraining, final):
        assert [rest for word, rest in stage if word == "USER"] == ["10001"]
    assert [word for word, _ in final][-2:] == ["ENTRYPOINT", "CMD"]


def test_all_that_comes_from_elsewhere_is_checked_by_hash() -> None:
    for word, rest in [one for stage in stages() for one in stage]:
        assert word != "ADD"
        for command in rest.split("&&") if word == "RUN" else []:
            if "pip " in command:
                assert "--require-hashes" in command or "--no-index" in command, command
            assert not re.search(r"\b(curl|wget|apt)\b", command)


def test_what_is_copied_is_there_and_not_ignored() -> None:
    kept = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    for word, rest in [one for stage in stages() for one in stage]:
        for source in rest.split()[:-1] if word == "COPY" and "--from" not in rest else []:
            assert (ROOT / source).exists()
            assert any(source.startswith(line[1:]) for line in kept if line.startswith("!")), source


def test_the_pinned_builder_is_found_in_the_lock() -> None:
    (command,) = [rest for word, rest in stages()[0] if word == "RUN" and "sed" in rest]
    script = command.split("&&")[0].split(">")[0]
    done = subprocess.run(script, shell=True, cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.fullmatch(r"setuptools==[\d.]+ \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+", done.stdout)


def test_no_secret_has_a_default() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert "POSTGRES_PASSWORD: ${FORESTALL_DATABASE_PASSWORD:?" in text
    services = read_yaml(DEPLOY / "compose.yaml")["services"]
    assert services["forestall"]["ports"] == ["127.0.0.1:8000:8000"]


def test_what_watches_is_optional_of_a_named_version_and_for_this_computer_only() -> None:
    compose = read_yaml(DEPLOY / "compose.yaml")
    services = compose["services"]
    assert [name for name, one in services.items() if "profiles" not in one] == ["database", "forestall"]
    for name in ("prometheus", "alertmanager", "grafana"):
        one = services[name]
        assert one["profiles"] == ["monitoring"] and "ports" not in one
        assert re.fullmatch(r"[a-z]+/[a-z]+:v?\d+\.\d+\.\d+", one["image"])
        assert "127.0.0.1" in str([*one.get("command", []), one.get("environment")])
        for source, _, _ in (mount.split(":") for mount in one["volumes"] if mount.endswith(":ro")):
            assert source == "./forestall.key" or (DEPLOY / source).exists()
    assert services["grafana"]["image"].endswith(f":{_schema_version()}")
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/deploy/forestall.key", "/deploy/grafana.password"} <= set(ignored)


def _schema_version() -> str:
    """Of the types by which the dashboard is checked."""
    package = json.loads((ROOT / ".ci/grafana/package.json").read_text(encoding="utf-8"))
    return str(package["devDependencies"]["@grafana/schema"])


def test_npm_s_lock_has_hashes_and_no_addresses() -> None:
    lock = json.loads((ROOT / ".ci/grafana/package-lock.json").read_text(encoding="utf-8"))
    for name, one in lock["packages"].items():
        assert "resolved" not in one
        assert not name or one["integrity"].startswith("sha512-")


UNITS = ("forestall.service", "forestall-retrain.service", "forestall-retrain.timer")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    for name in UNITS:
        unit = (DEPLOY / name).read_text(encoding="utf-8")
        # The clone of the unit is not here: `true` stands for its command.
        here = unit.replace("/opt/forestall/.venv/bin/forestall", shutil.which("true") or "/bin/true")
        (tmp_path / name).write_text(here, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not any(name in done.stderr for name in UNITS), done.stderr


@pytest.mark.parametrize("file", ["forestall.service", "forestall-retrain.service"])
def test_what_a_unit_starts_is_a_command_of_forestall(file: str) -> None:
    unit = (DEPLOY / file).read_text(encoding="utf-8")
    (line,) = re.findall(r"^ExecStart=/opt/forestall/\.venv/bin/forestall (.*)$", unit, re.MULTILINE)
    parser().parse_args(line.split())
