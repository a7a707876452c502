"""`forestall check` in a project that has run, against what DVC itself does after random edits."""

from __future__ import annotations

import importlib.util
import py_compile
import re
import shutil
from pathlib import Path

import pytest

from forestall.pipeline.imports import fix
from forestall.pipeline.workspace_hashes import hashes
from tests.pipeline.clones import clone, command, lock, repro, set_values
from tests.pipeline.edits import EDITS
from tests.pipeline.repository import commit, dvc, first_run_without_studies, git, own
from tests.pipeline.verdicts import WELL, began, judged

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project that has run."""
    return first_run_without_studies(tmp_path_factory.mktemp("check") / "project")


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    """One to change."""
    return Path(shutil.copytree(project, tmp_path / "copy", symlinks=True))


def check(folder: Path, *words: str) -> tuple[int, str]:
    done = command(folder, "forestall", "check", *words)
    return done.returncode, done.stdout


def test_after_a_run_all_is_well_also_without_data(copy: Path) -> None:
    assert check(copy) == (0, WELL)
    for folder in ("data/raw/simulated", "data/prepared", "data/features", "models", "reports", ".dvc/cache"):
        shutil.rmtree(copy / folder)
    assert check(copy) == (0, WELL)


def test_hashes_are_those_of_dvc(copy: Path) -> None:
    nested = copy / "data/nested"
    for name in ("b/one.csv", "b.csv", "a b/ä.csv", "b/.hidden", "left/out.log"):
        (nested / name).parent.mkdir(parents=True, exist_ok=True)
        (nested / name).write_text(name, encoding="utf-8")
    (copy / "else").mkdir()
    (copy / "else/where.csv").touch()
    (nested / "left/link").symlink_to(copy / "else")  # a folder, into which DVC does not go by a link
    (copy / ".dvcignore").write_text("# Logs.\n*.log\n*.tmp\n", encoding="utf-8")
    (copy / "data/.dvcignore").write_text("/nested/b.csv\n!kept.tmp\n", encoding="utf-8")
    for name in ("kept.tmp", "other.tmp"):
        (nested / name).touch()
    assert command(copy, "dvc", "add", "--quiet", "data/nested").returncode == 0
    ours = hashes(copy, ["data/nested", "data/nowhere"])
    assert ours.keys() == {"data/nested"}
    assert f"md5: {ours['data/nested']}\n" in (copy / "data/nested.dvc").read_text(encoding="utf-8")


def test_what_was_made_and_is_not_in_git_is_said(copy: Path) -> None:
    (copy / "metrics/new.csv").write_text("a\n", encoding="utf-8")
    code, said = check(copy)
    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith("uncommitted: metrics/new.csv: not in Git as here")
    git(copy, "add", "metrics/new.csv")
    assert check(copy) == (0, WELL)


def test_as_a_hook_it_lets_in_what_the_commit_brings_and_refuses_what_is_stale(copy: Path) -> None:
    hook = copy / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexec forestall check\n", encoding="utf-8")
    hook.chmod(0o755)
    with (copy / "dvc.lock").open("a", encoding="utf-8") as file:
        file.write("# Nothing.\n")
    assert check(copy)[1].startswith("uncommitted: dvc.lock")
    done = command(copy, "git", "commit", "-qam", "all of it")
    assert done.returncode == 0, done.stdout
    set_values(copy, "params.yaml", {"predict.reasons": 2})
    done = command(copy, "git", "commit", "-qam", "params alone")
    assert done.returncode == 1
    assert "stale: predict: params.yaml: predict.reasons went from 3 to 2 since it ran" in done.stdout


def test_deps_follow_imports(copy: Path) -> None:
    before = (copy / "dvc.yaml").read_bytes()
    (copy / "src/forestall/late.py").write_text('"""Late."""\n', encoding="utf-8")
    script = copy / "src/card.py"
    script.write_text(
        script.read_text(encoding="utf-8") + "\nimport forestall.late  # noqa\n", encoding="utf-8"
    )
    code, said = check(copy)
    assert code == 1
    assert (
        "imports: card: src/forestall/late.py is imported and no dep in dvc.yaml: run `forestall check --fix`"
        in said
    )
    assert check(copy, "--fix")[0] == 0
    assert (copy / "dvc.yaml").read_bytes() != before
    assert fix(copy) == []
    assert "imports: " not in check(copy)[1]
    assert "stale: card: src/forestall/late.py is a new dep: run `dvc repro`\n" in check(copy)[1]


def test_errors_of_settings_and_torn_files_are_said(copy: Path) -> None:
    set_values(copy, "params.yaml", {"train.famly": "mlp"})
    code, said = check(copy)
    assert code == 1
    assert "settings: params.yaml: train.famly: unknown key; did you mean 'family'?\n" in said
    assert "stale: train, card: params.yaml: train.famly was added since it ran: run `dvc repro`\n" in said
    (copy / "dvc.lock").write_text(lock(copy)[:3000], encoding="utf-8")
    code, said = check(copy)
    assert code == 1
    assert said.startswith("forestall: ")
    assert "dvc.lock" in said
    assert "torn" in said
    assert said.count("\n") == 1


def test_a_python_that_no_stage_would_start_with_is_said(tmp_path: Path) -> None:
    folder = clone(tmp_path)
    pins = folder / "requirements/pipeline.txt"
    pins.write_text(
        re.sub(r"(?m)^pandas==\S+", "pandas==0.1", pins.read_text(encoding="utf-8")), encoding="utf-8"
    )
    done = command(folder, "python", "-m", "forestall.cli", "check", PYTHONPATH=str(folder / "src"))
    assert done.returncode == 1
    assert re.match(r"environment: This Python's environment has pandas \S+ instead of 0\.1", done.stdout)
    assert "\nstale: simulate, prepare, " in done.stdout


def test_dvc_is_not_loaded(project: Path) -> None:
    program = "import sys; from forestall.cli import main; main(['check']); print('dvc' in sys.modules)"
    done = command(project, "python", "-c", program)
    assert done.stdout == f"{WELL}False\n"


def test_what_dvc_overlooks_is_said_and_mended_as_said(copy: Path) -> None:
    text = (copy / "dvc.yaml").read_text(encoding="utf-8")
    begin, end = text.split("      - metrics/slices.csv\n", 1)
    (copy / "dvc.yaml").write_text(begin + end, encoding="utf-8")
    advice = "dvc repro --force --single-item card"
    said = f"wrong: card: metrics/slices.csv is in dvc.lock and no longer in dvc.yaml: `{advice}`\n"
    assert check(copy) == (1, said)
    assert repro(copy) == []
    assert check(copy) == (1, said)
    assert command(copy, *advice.split()).returncode == 0
    commit(copy)
    assert check(copy) == (0, WELL)


def test_a_plants_own_data_count_by_their_pointer_where_they_are_not_there(copy: Path) -> None:
    own(copy)
    assert check(copy) == (0, WELL)
    shutil.rmtree(copy / "data/raw/plant")
    assert check(copy) == (0, WELL)
    assert dvc(copy, "checkout", "data/raw/plant.dvc") == 0
    with (copy / "data/raw/plant/errors.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert "stale: prepare: data/raw/plant has changed since it ran: run `dvc repro`\n" in check(copy)[1]
    assert dvc(copy, "add", "data/raw/plant") == 0
    shutil.rmtree(copy / "data/raw/plant")
    said = "stale: prepare: data/raw/plant is not what data/raw/plant.dvc points to: run `dvc repro`\n"
    assert check(copy) == (1, said)
    assert dvc(copy, "checkout", "data/raw/plant.dvc") == 0
    assert began(copy) == {"prepare"}


def cached(folder: Path) -> set[Path]:
    return set((folder / ".dvc/cache/files").rglob("*"))


STUDY = """stages:
  one:
    wdir: ..
    cmd: cp params.yaml studies/results.yaml
    deps: [params.yaml]
    outs:
      - studies/results.yaml:
          cache: false
"""


def test_made_again_all_is_equal_and_nothing_is_left_behind(copy: Path, tmp_path: Path) -> None:
    (copy / "studies").mkdir()
    (copy / "studies/dvc.yaml").write_text(STUDY, encoding="utf-8")
    assert dvc(copy, "repro", "studies/dvc.yaml") == 0
    commit(copy, "a study")
    before, temporary = cached(copy), tmp_path / "temporary"
    temporary.mkdir()
    done = command(copy, "forestall", "check", "--rerun", "--studies", TMPDIR=str(temporary))
    head = git(copy, "rev-parse", "HEAD")
    assert done.returncode == 0, done.stdout
    assert WELL in done.stdout and f"\n  revision  {head}\n" in done.stdout
    assert re.search(r"\n  stages    9, in \d+ s\n  outputs   all \d\d equal\n$", done.stdout)
    assert list(temporary.iterdir()) == []
    assert cached(copy) == before and git(copy, "status", "--porcelain") == ""


def test_a_consistent_forgery_is_caught_by_making_it_again_alone(copy: Path) -> None:
    figures = copy / "metrics/test.json"
    was = hashes(copy, ["metrics/test.json"])["metrics/test.json"]
    text = figures.read_text(encoding="utf-8")
    figures.write_text(re.sub(r'"event_recall": [\d.]+', '"event_recall": 0.99', text), encoding="utf-8")
    forged = hashes(copy, ["metrics/test.json"])["metrics/test.json"]
    assert forged != was
    (copy / "dvc.lock").write_text(lock(copy).replace(was, forged), encoding="utf-8")
    commit(copy, "better")
    assert check(copy) == (0, WELL)
    code, said = check(copy, "--rerun")
    assert code == 1
    assert re.search(r"\n  outputs   1 of \d\d differ\n    evaluate: metrics/test\.json\n$", said)


def test_what_cannot_be_made_again_is_said(copy: Path) -> None:
    own(copy)
    for folder in ("data/raw/plant", ".dvc/cache"):
        shutil.rmtree(copy / folder)
    code, said = check(copy, "--rerun")
    assert code == 1
    assert "forestall: data/raw/plant: neither in DVC's cache nor in a remote" in said


def test_tables_that_are_not_those_of_their_pointer_make_nothing_again(copy: Path) -> None:
    own(copy)
    table = "data/raw/plant/errors.csv"
    md5 = hashes(copy, [table])[table]
    forged = copy / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    forged.chmod(0o644)
    forged.write_bytes(forged.read_bytes() + b"\n")
    forged.chmod(0o444)  # which DVC takes for untouched
    code, said = check(copy, "--rerun")
    assert code == 1
    assert (
        "\nforestall: data/raw/plant: what DVC's cache or remote has is not what its .dvc file names" in said
    )


def test_a_frozen_stage_is_not_made_again(copy: Path) -> None:
    set_values(copy, "dvc.yaml", {"stages.card.frozen": True})
    commit(copy, "frozen")
    code, said = check(copy, "--rerun")
    assert code == 1
    assert (
        "\nforestall: card: frozen, so that DVC does not run it. Take its `frozen: true` out first.\n" in said
    )


def test_compiled_code_in_git_is_not_run(copy: Path) -> None:
    script = copy / "src/forestall/evaluation/card.py"
    forged = copy / importlib.util.cache_from_source(str(script.relative_to(copy)))
    forged.parent.mkdir(exist_ok=True)
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    other = copy / "other.py"
    other.write_text("raise SystemExit(3)\n", encoding="utf-8")
    py_compile.compile(str(other), str(forged), invalidation_mode=unchecked)
    other.unlink()
    git(copy, "add", "--force", str(forged))
    git(copy, "commit", "-qm", "forged")
    assert command(copy, "dvc", "repro", "--force", "--single-item", "card").returncode != 0
    git(copy, "checkout", "--force", "-q", "HEAD")
    code, said = check(copy, "--rerun")
    assert code == 1 and "is in Git, and Python may run it for the source" in said
    assert re.search(r"\n  outputs   all \d\d equal\n$", said)


@pytest.mark.parametrize("number", range(len(EDITS)))
def test_it_names_what_dvc_runs(number: int, project: Path, tmp_path: Path) -> None:
    found = judged(project, tmp_path / "copy", number)
    assert found.agree, f"{found.edit}\ncheck: {found.stale}\ndvc: {found.ran}\n{found.said}"
