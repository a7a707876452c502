"""`forestall compare` in a real repository with real branches, on a small fleet: what it finds, and bad input."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forestall.comparison.gate import Ruling
from forestall.comparison.paired import same_decisions
from forestall.comparison.report import Report, markdown
from forestall.features.history import spans_of
from forestall.features.reference import Reference
from forestall.pipeline.bundles import tried_bundle
from forestall.pipeline.compare import compare
from forestall.pipeline.paired_risks import recomputed
from forestall.pipeline.recomputed import features_for
from forestall.pipeline.resolve import merge_base, revision
from forestall.pipeline.revisions import NotComparableError, RevisionError
from forestall.pipeline.side import Side
from tests.pipeline.clones import command, repro, set_values
from tests.pipeline.repository import branch, first_run, git, notes_of

pytestmark = pytest.mark.pipeline

BASE = "not worse than base"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """main has run; the branch `seed`, checked out, has run with another seed."""
    folder = first_run(tmp_path_factory.mktemp("project"))
    git(folder, "checkout", "-qb", "seed")
    set_values(folder, "params.yaml", {"train.seed": 2})
    repro(folder)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "another seed")
    return folder


@pytest.fixture
def kept(project: Path) -> Iterator[Path]:
    """The project, whose files in Git are put back after the test."""
    yield project
    git(project, "checkout", "-q", "--", ".")
    git(project, "clean", "-qfd", "src")


def compared(folder: Path, base: str, head: str) -> Report:
    return compare(revision(base, folder), revision(head, folder), folder)


def reason(report: Report, rule: str = BASE) -> str:
    """Why a rule did not pass."""
    found = next(one for one in report.rulings if one.rule == rule)
    assert not found.passed
    return found.reason


def figure(report: Report, fold: str, metric: str) -> dict[str, Any]:
    return asdict(next(row for row in report.figures[fold] if row.metric == metric))


def text(folder: Path, path: str) -> str:
    return git(folder, "show", f"main:{path}") + "\n"


def test_two_branches_are_judged_on_the_same_decisions(project: Path) -> None:
    report = compared(project, "main", "seed")
    assert notes_of(report) == []
    assert len(report.notes) == 1  # a spread measured on the default fleet is not this one's
    assert list(report.figures) == ["validation", "test"]
    for fold in report.figures:
        for name, side in (("main", "base"), ("seed", "head")):
            recorded = json.loads(git(project, "show", f"{name}:metrics/{fold}.json"))
            here = figure(report, fold, "cost_per_machine_month")
            assert here[side] == pytest.approx(recorded["cost_per_machine_month"], rel=1e-4)
        assert here["low"] < here["difference"] < here["high"]
    assert report.changes.params == {"train.seed": (1, 2)}
    assert report.changes.code == []
    assert set(report.changes.stages) == {"train", "export", "evaluate", "predict", "card"}
    assert {one.rule for one in report.rulings} >= {"outputs are current", BASE}


def test_the_command_prints_writes_and_exits_by_the_gate_from_any_folder(
    project: Path, tmp_path: Path
) -> None:
    done = command(
        project / "src", "forestall", "compare", "main", "--gate", "--json", str(tmp_path / "r.json")
    )
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert done.stdout.startswith("## workspace against main (")
    assert done.returncode == (0 if report["passed"] else 1)
    assert f"### Gate: {'passed' if report['passed'] else 'NOT passed'}" in done.stdout
    assert report["verdict"]["word"] in done.stdout


def test_base_asked_about_heads_tables_gives_the_risks_of_its_own_features(
    project: Path, tmp_path: Path
) -> None:
    base, head = (Side(revision(name, project), tmp_path / name) for name in ("main", "workspace"))
    decisions, own = base.features
    assert same_decisions(decisions, head.features[0])
    computed = recomputed(base, head, decisions)
    assert computed.tobytes() == own.tobytes()
    assert base.bundle.risk(computed).tobytes() == base.bundle.risk(own).tobytes()
    assert not np.array_equal(base.bundle.risk(own), head.bundle.risk(own))


def test_a_model_is_not_asked_about_tables_that_it_cannot_read(project: Path, tmp_path: Path) -> None:
    head = Side(revision("workspace", project), tmp_path)
    reference, dataset, decisions = head.bundle.reference, head.dataset, head.features[0]
    telemetry = dataset.tables.telemetry
    fewer = telemetry.model_copy(update={"sensors": {"vibration": telemetry.sensors["vibration"]}})
    blank = dataset.tables.machines.model_copy(update={"attributes": {}})  # type: ignore[union-attr]
    spans = spans_of(dataset)
    cases: list[tuple[Reference, dict[str, Any], str]] = [
        (
            reference,
            {"telemetry": fewer},
            r"the sensors differ \(current, load, .*\), and base's model needs",
        ),
        (reference, {"machines": blank}, r"base's model needs the machines' age, model"),
        (replace(reference, unit="cycles"), {}, "the clocks differ"),
        (
            replace(reference, spans=replace(spans, every=2 * spans.every)),
            {},
            "the times of decisions differ",
        ),
        (
            replace(reference, groups=("errors",)),
            {},
            "this code computes other features than base's model wants",
        ),
    ]
    for wanted, tables, said in cases:
        other = dataset.model_copy(update={"tables": dataset.tables.model_copy(update=tables)})
        with pytest.raises(NotComparableError, match=said):
            features_for(wanted, head.prepared, other, head.events, decisions)


def test_a_bundle_of_another_format_is_said_to_be_one(project: Path, tmp_path: Path) -> None:
    manifest = json.loads((project / "models/bundle/manifest.json").read_text(encoding="utf-8"))
    older = {name: value for name, value in manifest["reference"].items() if name != "conditions"}
    hashes = manifest["sha256"]
    cases = {
        "keys": (manifest | {"reference": older}, "of a format that this code does not read"),
        "hash": (
            manifest | {"sha256": hashes | {"model.onnx": "0" * 64}},
            "models/bundle of old/model.onnx: not the file",
        ),
        "graph": (
            manifest | {"sha256": hashes | {"model.onnx": hashlib.sha256(b"not a graph").hexdigest()}},
            "of a format that this code does not read",
        ),
        "files": (manifest | {"sha256": {}}, "names other files than there are"),
        "nothing": ({}, "not a whole bundle"),
        "list": ([], "of a format that this code does not read"),
    }
    for name, (content, said) in cases.items():
        folder = shutil.copytree(project / "models/bundle", tmp_path / name)
        (folder / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
        if name == "graph":
            (folder / "model.onnx").write_bytes(b"not a graph")
        with pytest.raises(NotComparableError, match=said):
            tried_bundle(folder, "old")


def test_outputs_that_are_nowhere_leave_what_the_files_say(project: Path) -> None:
    lock = text(project, "dvc.lock")
    bundle = next(
        line for line in lock.split("models/bundle\n")[1].splitlines() if "md5:" in line and ".dir" in line
    )
    lost = lock.replace(bundle.split()[-1], "0123456789abcdef0123456789abcdef.dir")
    report = compared(project, branch(project, "lost", "main", {"dvc.lock": lost}), "seed")
    assert not report.judged
    assert markdown(report, gated=False).splitlines()[0].endswith(": not compared")
    assert "models/bundle of lost is neither in the cache nor in a remote" in reason(report)
    assert "dvc fetch" in report.notes[0]
    assert report.verdict.word == "no evidence"
    assert figure(report, "validation", "event_recall")["base"] is not None
    assert report.changes.params == {"train.seed": (1, 2)}
    assert report.alarms["newly_alarmed"] or report.alarms["no_longer"]
    assert "only as recorded" in markdown(report, gated=True)


def test_metrics_that_one_side_does_not_have_are_named(project: Path) -> None:
    older = json.loads(text(project, "metrics/validation.json"))
    older["recall_by_event"] = older.pop("event_recall")
    del older["brier"]
    name = branch(project, "older", "main", {"metrics/validation.json": json.dumps(older)})
    report = compared(project, name, "seed")
    assert notes_of(report) == [
        "older's files were changed after its outputs were made (evaluate): run `dvc repro` there and commit dvc.lock.",
        "Only older records recall_by_event.",
        "Only seed records brier, event_recall.",
    ]
    assert figure(report, "validation", "brier")["base"] is not None  # judged here, whatever it recorded
    torn = branch(
        project, "torn-metrics", "main", {"metrics/validation.json": '{"event_recall": 0.', "dvc.lock": None}
    )
    report = compared(project, torn, "seed")
    assert any(
        "torn-metrics:metrics/validation.json is not readable as JSON" in note for note in report.notes
    )
    assert figure(report, "validation", "event_recall")["base"] is None
    assert reason(report)


def test_a_base_without_a_model_is_the_first_and_passes(project: Path) -> None:
    first = git(project, "rev-list", "--max-parents=0", "main")
    report = compared(project, first, "seed")
    ruling = next(one for one in report.rulings if one.rule == BASE)
    assert ruling == Ruling(BASE, True, "base has no model to compare with")
    assert f"{first} has no dvc.lock." in report.notes
    assert all(row.base is None for row in report.figures["validation"])


@pytest.mark.parametrize(
    ("name", "lock"),
    [
        ("half", "schema: '2.0'\nstages:\n  train:\n    cmd: python src/tr\n   deps: ["),
        ("empty", ""),
        ("merged", "<<<<<<< HEAD\nschema: '2.0'\n=======\nstages: {}\n>>>>>>> other\n"),
        ("none", None),
    ],
)
def test_a_torn_or_missing_lock_of_a_base_that_had_a_model_does_not_pass(
    name: str, lock: str | None, project: Path
) -> None:
    report = compared(project, branch(project, name, "main", {"dvc.lock": lock}), "seed")
    assert reason(report)
    said = f"{name} has no dvc.lock" if lock is None else f"{name}:dvc.lock"
    assert any(said in note for note in report.notes)
    assert report.changes.params == {"train.seed": (1, 2)}
    assert figure(report, "test", "event_recall")["base"] is not None


def test_params_that_this_code_cannot_read_do_not_matter_for_a_base(project: Path) -> None:
    params = text(project, "params.yaml")
    older = params.replace("by: cost", "choose: cheapest").replace("gate:", "checks:")
    report = compared(project, branch(project, "older-params", "main", {"params.yaml": older}), "seed")
    assert report.verdict.low is not None
    assert report.changes.params["alarm.choose"] == ("cheapest", None)
    assert any(
        "older-params's files were changed after its outputs were made" in note for note in report.notes
    )
    torn = branch(project, "torn-params", "main", {"params.yaml": "data: [\n"})
    report = compared(project, torn, "seed")
    assert any("torn-params:params.yaml" in note and "not readable" in note for note in report.notes)
    assert figure(report, "validation", "event_recall")["base"] is not None
    report = compared(project, "main", "older-params")
    assert "older-params:params.yaml: alarm.choose: unknown key" in report.rulings[0].reason
    assert not report.passed


def test_a_commit_whose_lock_is_not_of_its_files_does_not_pass(project: Path) -> None:
    params = text(project, "params.yaml").replace("negatives: 1500", "negatives: 1400")
    name = branch(project, "not-run", "main", {"params.yaml": params})
    said = reason(compared(project, "main", name), "outputs are current")
    assert said == (
        "not-run's files were changed after its outputs were made (train, card): "
        "run `dvc repro` there and commit dvc.lock"
    )
    code = {"src/forestall/training/fit.py": text(project, "src/forestall/training/fit.py") + "# more\n"}
    report = compared(project, "main", branch(project, "code", "main", code))
    assert "(train" in reason(report, "outputs are current")
    assert report.changes.code == ["src/forestall/training/fit.py"]


def test_a_workspace_that_was_not_run_again_says_so_and_does_not_pass(kept: Path) -> None:
    set_values(kept, "params.yaml", {"train.negatives": 1400})
    (kept / "src/forestall/new part.py").write_text("", encoding="utf-8")
    report = compared(kept, "seed", "workspace")
    said = reason(report, "outputs are current")
    assert "workspace's files were changed after its outputs were made (" in said
    assert "train" in said
    assert notes_of(report) == [f"{said}."]
    assert report.changes.code == ["src/forestall/new part.py"]
    assert report.changes.params == {"train.negatives": (1500, 1400)}


def test_a_fold_without_decisions_is_left_out_and_without_validation_nothing_is_judged(project: Path) -> None:
    file = project / "data/features/features.parquet"
    table, whole = pq.read_table(file), file.read_bytes()
    try:
        for fold, said in (
            ("test", "no decision in its test fold."),
            ("validation", "no decision in its validation"),
        ):
            folds = pa.array(["" if one == fold else one for one in table["fold"].to_pylist()])
            file.unlink()  # it may be a link into the cache
            pq.write_table(table.set_column(table.column_names.index("fold"), "fold", folds), file)
            report = compared(project, "main", "workspace")
            assert any(said in note for note in report.notes)
            assert (report.verdict.low is None) == (fold == "validation")
            assert reason(report, "outputs are current")
    finally:
        file.unlink()
        file.write_bytes(whole)
    assert "test" in report.figures  # as recorded
    assert "no decision in its validation fold" in reason(report)


def test_unknown_revisions_and_shallow_clones_are_said_to_be(project: Path, tmp_path: Path) -> None:
    with pytest.raises(RevisionError, match=r"nowhere: no such revision, branch or experiment\. `git log"):
        revision("nowhere", project)
    with pytest.raises(RevisionError, match="not a commit"):
        revision("main:params.yaml", project)  # a file
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{project}", "shallow")
    shallow = tmp_path / "shallow"
    done = command(shallow, "forestall", "compare", "HEAD~1")
    assert done.returncode == 1
    assert (
        "HEAD~1: no such revision, branch or experiment in this shallow clone (`git fetch --unshallow`"
        in done.stdout
    )
    git(shallow, "fetch", "-q", "--depth", "1", "origin", "main:main")
    with pytest.raises(RevisionError, match="no commit in common in this shallow clone"):
        merge_base("main", "HEAD", shallow)
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("name", ["", " ", os.fsdecode(b"\xff"), "a\nb"])
def test_what_is_no_name_is_refused_and_not_taken_for_head(project: Path, name: str) -> None:
    with pytest.raises(RevisionError, match="is no revision's name"):
        revision(name, project)


def test_outside_a_repository_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    done = command(tmp_path, "forestall", "compare", "main")
    assert (done.returncode, "Run this inside the repository." in done.stdout) == (1, True)
    (tmp_path / "params.yaml").write_text("data: {}\n", encoding="utf-8")
    done = command(tmp_path, "forestall", "compare", "main", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert (done.returncode, "is not a Git repository" in done.stdout) == (1, True)
    assert "Traceback" not in done.stdout


def test_revisions_may_have_any_name_that_git_allows(project: Path) -> None:
    main = git(project, "rev-parse", "main")
    for name in ("größe/一", "-dash", "a`b|c"):
        git(project, "update-ref", f"refs/heads/{name}", main)
        assert revision(name, project).commit == main
    git(project, "tag", "-a", "v1", "-m", "one", "main")
    assert main.startswith(parted := merge_base("main", "seed", project)) and len(parted) < len(main)
    for name in ("v1", ":/first run", "seed@{1 second ago}^", main[:7], "seed~1"):
        assert revision(name, project).commit == main
    done = command(project, "forestall", "compare", "--", "-dash", "main")
    assert done.stdout.startswith(f"## main ({main[:7]}) against `-dash` ({main[:7]}): no evidence"), (
        done.stdout
    )


def test_a_change_cannot_let_itself_in_by_a_looser_gate(project: Path) -> None:
    params = text(project, "params.yaml")
    assert "event_recall: 0.4" in params
    strict = branch(
        project, "strict", "main", {"params.yaml": params.replace("event_recall: 0.4", "event_recall: 1.0")}
    )
    loose = branch(project, "loose", strict, {"params.yaml": params})
    report = compared(project, strict, loose)
    assert not report.passed
    assert "strict's gate it fails: event_recall floor (" in reason(report, "gate as it was")
    assert "gate as it was" not in {one.rule for one in compared(project, loose, loose).rulings}
    stricter = compared(project, loose, strict)
    assert [one.passed for one in stricter.rulings if one.rule == "gate as it was"] == [True]


def test_a_change_cannot_choose_the_spread_that_it_is_judged_by(project: Path) -> None:
    seeds = json.loads(text(project, "studies/results/seeds.json"))
    wide = seeds | {"validation": {"cost_per_machine_month": 1e6}}
    branch(project, "wide", "seed", {"studies/results/seeds.json": json.dumps(wide)})
    before, after = compared(project, "main", "seed"), compared(project, "main", "wide")
    assert after.verdict == before.verdict
    assert any(
        note.startswith("The spread over seeds differs (15 in main, 1e+06 in wide)") for note in after.notes
    )


def test_a_commit_with_other_figures_or_a_model_made_later_does_not_pass(project: Path) -> None:
    figures = json.loads(git(project, "show", "seed:metrics/validation.json")) | {"event_recall": 0.99}
    branch(project, "praised", "seed", {"metrics/validation.json": json.dumps(figures)})
    assert "(evaluate)" in reason(compared(project, "main", "praised"), "outputs are current")
    whole = git(project, "show", "seed:dvc.lock") + "\n"
    before, evaluated = whole.split("\n  evaluate:\n")
    digest = re.search(r"path: models/bundle\n +hash: md5\n +md5: (\w+)\.dir", evaluated)
    assert digest is not None
    earlier = evaluated.replace(digest[1], "0" * 32, 1)
    branch(project, "later", "seed", {"dvc.lock": f"{before}\n  evaluate:\n{earlier}"})
    assert "(evaluate)" in reason(compared(project, "main", "later"), "outputs are current")
