"""Each reason why dvc.lock does not tell the truth, from stages, lock and hashes alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from forestall.errors import ForestallError
from forestall.pipeline.locked import LockedStage, locked_stage
from forestall.pipeline.stages import Stage, read_stages
from forestall.pipeline.staleness import Facts, Kind, Pipeline, reasons, stale

MAKE = Stage(
    "make",
    "python src/make.py",
    ("src/make.py", "data/raw/plant"),
    {},
    {"data/made": True},
    False,
    False,
    ".",
)
USE = Stage(
    "use",
    "python src/use.py",
    ("src/use.py", "data/made"),
    {"params.yaml": ("use.depth", "fold"), "plant.yaml": ()},
    {"metrics/use.json": False},
    frozen=False,
    always=False,
    folder=".",
)
MADE = LockedStage(MAKE.cmd, {"src/make.py": "m1", "data/raw/plant": "p1.dir"}, {}, {"data/made": "d1.dir"})
USED = LockedStage(
    USE.cmd,
    {"src/use.py": "u1", "data/made": "d1.dir"},
    {"params.yaml": {"use.depth": 3, "fold": {"gap": "7d", "by": "time"}}, "plant.yaml": {"costs": 5}},
    {"metrics/use.json": "j1"},
)
HASHES = {"src/make.py": "m1", "src/use.py": "u1", "metrics/use.json": "j1"}
GONE = "bring it back, or take it out of dvc.yaml"
BACK = "run `dvc repro`, or `git checkout metrics/use.json`"
SETTINGS: dict[str, Any] = {
    "params.yaml": {"use": {"depth": 3}, "fold": {"gap": "7d", "by": "time"}, "other": 1},
    "plant.yaml": {"costs": 5},
}


def found(
    stages: tuple[Stage, ...] = (MAKE, USE),
    locked: Mapping[str, LockedStage] | None = None,
    hashes: Mapping[str, str | None] | None = None,
    pointers: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    gone: tuple[str, ...] = (),
) -> list[str]:
    """Every reason as one text."""
    lock = {"make": MADE, "use": USED} if locked is None else dict(locked)
    one = Pipeline("dvc.yaml", {stage.name: stage for stage in stages}, lock, gone)
    there = {path: md5 for path, md5 in (HASHES | dict(hashes or {})).items() if md5 is not None}
    pointed = {"data/raw/plant": "p1.dir"} if pointers is None else pointers
    facts = Facts(there, one.made, pointed, SETTINGS | dict(settings or {}))
    assert {each.stage for each in reasons(one, facts) if each.kind is Kind.STALE} == set(stale(one, facts))
    return [f"{each.kind}: {each.stage}: {each.text}" for each in reasons(one, facts)]


def test_without_data_all_is_as_locked() -> None:
    assert found() == []


def test_with_data_all_is_as_locked() -> None:
    assert found(hashes={"data/raw/plant": "p1.dir", "data/made": "d1.dir"}) == []


@pytest.mark.parametrize(
    ("hashes", "said"),
    [
        ({"src/use.py": "u2"}, "stale: use: src/use.py has changed since it ran: run `dvc repro`"),
        ({"src/use.py": None}, f"stale: use: src/use.py, a dep, is missing: {GONE}"),
        (
            {"data/made": "d2.dir"},
            "stale: make: data/made is not what the stage made: run `dvc repro`, or `dvc checkout data/made`",
        ),
        (
            {"metrics/use.json": "j2"},
            f"stale: use: metrics/use.json is not what the stage made: {BACK}",
        ),
        (
            {"metrics/use.json": None},
            f"stale: use: metrics/use.json is missing: {BACK}",
        ),
    ],
)
def test_a_file_differs(hashes: dict[str, str | None], said: str) -> None:
    assert found(hashes=hashes) == [said]


STRAYED = (
    "wrong: make: data/raw/plant is not what data/raw/plant.dvc points to: `dvc checkout data/raw/plant.dvc` for "
    "those, `dvc add data/raw/plant` for what lies there"
)


def test_data_changed() -> None:
    said = "stale: make: data/raw/plant has changed since it ran: run `dvc repro`"
    assert found(hashes={"data/raw/plant": "p2.dir"}) == [said, STRAYED]
    assert found(hashes={"data/raw/plant": "p2.dir"}, pointers={"data/raw/plant": "p2.dir"}) == [said]


def test_a_pointer_was_pulled_and_its_data_were_not() -> None:
    there = {"data/raw/plant": "p1.dir"}
    assert found(hashes=there, pointers={"data/raw/plant": "p2.dir"}) == [STRAYED]


def test_a_pointer_differs_and_its_data_are_not_there() -> None:
    said = "stale: make: data/raw/plant is not what data/raw/plant.dvc points to: run `dvc repro`"
    assert found(pointers={"data/raw/plant": "p2.dir"}) == [said]


def test_data_of_a_plant_without_a_pointer_cannot_be_pulled() -> None:
    assert found(pointers={}) == [f"stale: make: data/raw/plant, a dep, is missing: {GONE}"]


def test_a_file_within_what_is_not_pulled_is_taken_as_locked() -> None:
    use = replace(USE, deps=(*USE.deps, "data/made/list.csv"))
    used = replace(USED, deps={**USED.deps, "data/made/list.csv": "l1"})
    assert found((MAKE, use), {"make": MADE, "use": used}) == []


def test_the_chain_is_broken() -> None:
    made = replace(MADE, outs={"data/made": "d2.dir"})
    said = "stale: use: data/made is not what the stage that makes it made last: run `dvc repro`"
    assert found(locked={"make": made, "use": USED}) == [said]


def test_what_is_restored_by_its_own_stage_makes_no_other_stale() -> None:
    assert [line[:11] for line in found(hashes={"data/made": "d2.dir"})] == ["stale: make"]


def test_a_stage_has_no_entry() -> None:
    assert found(locked={"make": MADE}) == ["stale: use: has no entry in dvc.lock: run `dvc repro`"]


def test_an_entry_has_no_stage() -> None:
    (said,) = found(gone=("old",))
    assert said.startswith("wrong: old: is in dvc.lock and no longer in dvc.yaml")


def test_another_cmd() -> None:
    said = "stale: use: has another cmd than it ran with: run `dvc repro`"
    assert found((MAKE, replace(USE, cmd="python src/use.py --fast"))) == [said]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"use": {"depth": 4}}, "params.yaml: use.depth went from 3 to 4 since it ran"),
        ({"fold": {"gap": "9d", "by": "time"}}, "params.yaml: fold.gap went from '7d' to '9d' since it ran"),
        ({"fold": {"by": "time"}}, "params.yaml: fold.gap was removed since it ran"),
        ({"fold": {"gap": "7d", "by": "time", "n": 1}}, "params.yaml: fold.n was added since it ran"),
    ],
)
def test_params_differ(params: dict[str, Any], said: str) -> None:
    settings = {"params.yaml": SETTINGS["params.yaml"] | params}
    assert found(settings=settings) == [f"stale: use: {said}: run `dvc repro`"]


def test_a_param_is_gone() -> None:
    settings = {"params.yaml": SETTINGS["params.yaml"] | {"use": {}}}
    assert found(settings=settings) == [f"stale: use: params.yaml: use.depth is missing: {GONE}"]


def test_a_param_of_no_stage_makes_nothing_stale() -> None:
    assert found(settings={"params.yaml": SETTINGS["params.yaml"] | {"other": 2}}) == []


def test_a_whole_file_of_params_counts_with_all_its_keys() -> None:
    said = "stale: use: plant.yaml: clock is a new param: run `dvc repro`"
    assert found(settings={"plant.yaml": {"costs": 5, "clock": 1}}) == [said]


def test_what_dvc_yaml_has_more_is_stale_and_what_it_has_less_is_wrong() -> None:
    more = replace(
        USE,
        deps=(*USE.deps, "more.py"),
        params={**USE.params, "new.yaml": ()},
        outs={**USE.outs, "new": True},
    )
    settings = {"new.yaml": {"key": 1}}
    assert found((MAKE, more), hashes={"more.py": "x"}, settings=settings) == [
        "stale: use: more.py is a new dep: run `dvc repro`",
        "stale: use: new.yaml is a new file of params: run `dvc repro`",
        "stale: use: new is a new out: run `dvc repro`",
    ]
    less = replace(USE, deps=("data/made",), params={"params.yaml": ("fold",)}, outs={})
    again = "is in dvc.lock and no longer in dvc.yaml: `dvc repro --force --single-item use`"
    assert found((MAKE, less)) == [
        f"wrong: use: src/use.py {again}",
        f"wrong: use: metrics/use.json {again}",
        f"wrong: use: params.yaml: use.depth {again}",
        f"wrong: use: plant.yaml {again}",
    ]


def test_a_frozen_stage_is_said_and_hides_no_change() -> None:
    frozen = (MAKE, replace(USE, frozen=True))
    (note,) = found(frozen)
    assert note == "note: use: is frozen: `dvc repro` does not run it, whatever changes"
    said = found(frozen, hashes={"src/use.py": "u2"})
    assert said == [
        note,
        "wrong: use: src/use.py has changed since it ran: take its `frozen: true` out of dvc.yaml, "
        "then run `dvc repro`",
    ]


def test_a_stage_that_always_runs_is_stale() -> None:
    assert [line.partition(" every")[0] for line in found((MAKE, replace(USE, always=True)))] == [
        "stale: use: runs"
    ]


def test_a_frozen_stage_never_runs_every_time() -> None:
    found_ = found((MAKE, replace(USE, always=True, frozen=True)))
    assert [line.partition(": ")[0] for line in found_] == ["note"]


def test_paths_of_an_entry_are_compared_as_they_are_written() -> None:
    entry = {"cmd": "x", "deps": [{"path": "./a", "hash": "md5", "md5": "1"}]}
    with pytest.raises(ForestallError, match=r"dvc\.lock: make: DVC writes no path as \./a"):
        locked_stage(entry, str, "dvc.lock: make")


def test_an_entry_of_an_older_dvc_is_refused() -> None:
    entry = {"cmd": "x", "deps": [{"path": "a", "md5": "1"}]}
    with pytest.raises(ForestallError, match=r"dvc\.lock: make: a has no md5 of DVC 3"):
        locked_stage(entry, str, "dvc.lock: make")


FILES: dict[str, Any] = {
    "params.yaml": {"data": {"dataset": "mill", "parts": ["a", "b"], "on": True}, "n": 3},
    "extra.yaml": {"where": "there", "not": "this"},
}


def stages_of(stage: dict[str, Any], file: str = "dvc.yaml", **top: Any) -> Stage:
    content = {"stages": {"one": {"cmd": "run"} | stage}} | top
    return read_stages(file, lambda path: content if path == file else FILES.get(path))["one"]


def test_references_are_filled_in_everywhere() -> None:
    stage = {
        "cmd": r"run ${data.dataset} ${data.parts[1]} ${data.on} ${n} \${HOME}",
        "deps": ["data/${data.dataset}", "${where}"],
        "params": ["data", {"data/${data.dataset}.yaml": ["clock", "costs"]}, {"${where}.yaml": None}],
        "outs": ["out/${n}", {"kept": {"persist": True}}],
        "metrics": [{"m.json": {"cache": False}}],
    }
    one = stages_of(stage, vars=["extra.yaml:where"])
    assert one.cmd == "run mill b true 3 ${HOME}"
    assert one.deps == ("data/mill", "there")
    assert one.params == {"params.yaml": ("data",), "data/mill.yaml": ("clock", "costs"), "there.yaml": ()}
    assert one.outs == {"out/3": True, "kept": True, "m.json": False}


def test_paths_are_those_of_the_folder_in_which_the_command_runs() -> None:
    one = stages_of(
        {"wdir": "..", "deps": ["src/a.py"], "params": ["n"]}, "studies/dvc.yaml", vars=["../params.yaml"]
    )
    assert (one.deps, one.params, one.path("data/x")) == (("src/a.py",), {"params.yaml": ("n",)}, "data/x")
    assert stages_of({"deps": ["a.py"]}, "studies/dvc.yaml").deps == ("studies/a.py",)


def test_a_key_without_a_file_is_of_the_folder_in_which_the_command_runs() -> None:
    assert stages_of({"wdir": "sub", "params": ["n"]}).params == {"sub/params.yaml": ("n",)}


@pytest.mark.parametrize("listed", [["n", {"params.yaml": None}], [{"params.yaml": []}, "n"]])
def test_all_of_a_file_stays_all_of_it(listed: list[Any]) -> None:
    assert stages_of({"params": listed}).params == {"params.yaml": ()}


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ({"dep": ["a"]}, "DVC knows no key dep, and runs nothing"),
        ({"outs": None}, "`outs` is not a list"),
        ({"metrics": {"a.json": {"cache": False}}}, "`metrics` is not a list"),
        ({"frozen": "yes"}, "`frozen` is not true or false"),
        ({"plots": [{"a.csv": [{"x": "b"}]}]}, "what follows a.csv is no mapping"),
        ({"desc": "As ${nothing.here}"}, "names nothing"),
        ({"deps": ["${nothing.here}"]}, "names nothing"),
        ({"deps": ["${data}"]}, "not one value"),
        ({"deps": ["s3://bucket/key"]}, "no file of this repository"),
        ({"foreach": [1], "do": {}}, "`dvc status`"),
        ({"params": [{"settings.py": ["A"]}]}, r"settings\.py"),
    ],
)
def test_what_is_not_read_is_refused(stage: dict[str, Any], said: str) -> None:
    with pytest.raises(ForestallError, match=said):
        stages_of(stage)


def test_what_dvc_does_not_know_beside_stages_is_refused() -> None:
    with pytest.raises(ForestallError, match=r"dvc\.yaml: DVC knows no key stage, and runs nothing"):
        read_stages("dvc.yaml", lambda _: {"stage": {}})
