"""Two branches' dvc.lock, merged stage by stage."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import dumps_yaml, loads_yaml

from forestall.errors import ForestallError
from forestall.pipeline.merge import HEADER, Merged, entries, merge_files, merged, plan
from tests.pipeline.clones import ROOT, command

LOCKS = [ROOT / "dvc.lock", ROOT / "studies/dvc.lock"]
# What DVC breaks over lines, quotes, or writes as a block.
ODD: dict[str, Any] = {
    "0": {"cmd": "python src/one.py --words " + "long " * 40},
    "of:all": {"cmd": ["one", "two: three", "- four", "a\n  b:\nc\n"]},
    "ä b": {
        "cmd": "x",
        "params": {"p.yaml": {"text": "  stage:\n\n  more:\n", "none": None, "a": {}, "b": []}},
    },
    "'q'": {"cmd": "y", "deps": [{"path": "a: b # c", "hash": "md5", "md5": "0" * 32, "size": 1}]},
}


def one(was: str | None, our: str | None, their: str | None) -> Merged:
    """The merge of a stage beside another one, which is the same on all sides."""
    sides = [{"same": "s", "a": text} if text else {"same": "s"} for text in (was, our, their)]
    return merged(*sides)


@pytest.mark.parametrize(
    ("was", "our", "their", "outcome", "list_of"),
    [
        ("1", "1", "1", "1", None),
        ("1", "2", "1", "2", "ours"),
        ("1", "1", "2", "2", "theirs"),
        ("1", "2", "2", "2", None),
        ("1", "2", "3", "2", "left"),
        (None, "2", None, "2", "ours"),
        (None, None, "2", "2", "theirs"),
        (None, "2", "2", "2", None),
        (None, "2", "3", "2", "left"),
        ("1", None, "1", None, "ours"),
        ("1", "1", None, None, "theirs"),
        ("1", None, None, None, None),
        ("1", None, "2", None, "removed"),
        ("1", "2", None, None, "removed"),
    ],
)
def test_of_each_stage_what_one_side_changed_is_taken(
    was: str | None, our: str | None, their: str | None, outcome: str | None, list_of: str | None
) -> None:
    found = one(was, our, their)
    assert dict(found.entries) == {"same": "s"} | ({"a": outcome} if outcome else {})
    for name in ("ours", "theirs", "left", "removed"):
        assert getattr(found, name) == (("a",) if name == list_of else ()), name


def test_what_is_new_there_follows_as_dvc_would_add_it() -> None:
    found = merged(
        {"a": "1", "z": "1"}, {"z": "1", "a": "1", "here": "1"}, {"there": "1", "a": "1", "z": "2"}
    )
    assert list(found.entries.items()) == [("z", "2"), ("a", "1"), ("here", "1"), ("there", "1")]


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.parent.name)
def test_entries_are_those_of_dvc_to_the_byte(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    found = entries(text)
    assert list(found) == list(loads_yaml(text)["stages"])
    assert merged(found, found, found).text == text


def test_whatever_dvc_writes_the_outcome_is_as_dvc_would_write_it() -> None:
    base = {name: ODD[name] | {"outs": []} for name in ODD}
    sides = [
        base,
        base | {"0": ODD["0"], "'q'": ODD["'q'"]},
        base | {"of:all": ODD["of:all"], "ä b": ODD["ä b"]},
    ]
    texts = [dumps_yaml({"schema": "2.0", "stages": side}) for side in sides]
    assert all(text.startswith(HEADER) for text in texts)
    found = merged(*map(entries, texts))
    assert found.text == dumps_yaml({"schema": "2.0", "stages": ODD})
    assert (found.ours, found.theirs) == (("0", "'q'"), ("of:all", "ä b"))


def test_with_no_stage_left_it_is_as_dvc_would_write_it() -> None:
    assert merged({"a": "1", "b": "1"}, {"a": "1"}, {"b": "1"}).text == dumps_yaml(
        {"schema": "2.0", "stages": {}}
    )


def files(folder: Path, *texts: str) -> tuple[Path, Path, Path]:
    """base, ours and theirs, as Git hands them over."""
    found = folder / "base", folder / "ours", folder / "theirs"
    for file, text in zip(found, texts, strict=True):
        file.write_text(text, encoding="utf-8", newline="")
    return found


WHOLE = LOCKS[0].read_text(encoding="utf-8")
SPOILT = {
    "cut in a line": WHOLE[:3000],
    "cut before a hash": WHOLE[: WHOLE.index("      md5: ", 3000)],
    "cut after a name": WHOLE[: WHOLE.index("    cmd: ", 3000)],
    "cut in the header": HEADER[:-4],
    "no entry": HEADER,
    "empty": "",
    "another schema": WHOLE.replace("'2.0'", "'3.0'"),
    "datasets": f"{WHOLE}datasets:\n- name: a\n",
    "datasets first": WHOLE.replace("stages:", "datasets: []\nstages:"),
    "marks": WHOLE.replace("  prepare:\n", "<<<<<<< HEAD\n  prepare:\n=======\n  prepare:\n>>>>>>> other\n"),
    "twice": WHOLE + WHOLE.removeprefix(HEADER),
    "of DVC 2": WHOLE.replace("      hash: md5\n", "", 1),
    "other line ends": WHOLE.replace("\n", "\r\n"),
    "no text": "a\0b",
}


@pytest.mark.parametrize("side", [0, 1, 2])
@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in SPOILT.items()])
def test_what_is_not_whole_is_refused_and_left_as_it_is(text: str, side: int, tmp_path: Path) -> None:
    texts = [WHOLE] * 3
    texts[side] = text
    place = files(tmp_path, *texts)
    if side == 0 and not text:  # added on both sides
        assert merge_files(*place, "dvc.lock").text == WHOLE
        return
    with pytest.raises(ForestallError, match=rf"^dvc\.lock of {('base', 'ours', 'theirs')[side]} is torn, "):
        merge_files(*place, "dvc.lock")
    assert [file.read_bytes().decode() for file in place] == texts


def test_cut_at_any_line_it_is_refused_or_holds_whole_entries_alone() -> None:
    whole, lines = entries(WHOLE), WHOLE.splitlines(keepends=True)
    for count in range(3, len(lines), 31):
        try:
            found = entries("".join(lines[:count]))
        except ForestallError:
            continue
        last = list(found)[-1]
        assert all(found[name] == whole[name] for name in found if name != last)
        assert whole[last].startswith(found[last])


def test_the_plan_says_what_came_from_where_and_what_is_left() -> None:
    found = merged(
        {"a": "1", "b": "1", "c": "1", "d": "1"},
        {"a": "2", "b": "1", "c": "2"},
        {"a": "1", "b": "2", "c": "3", "d": "4"},
    )
    assert plan(found, "studies/dvc.lock") == [
        "studies/dvc.lock: from ours: a",
        "studies/dvc.lock: from theirs: b",
        "studies/dvc.lock: changed by both, ours stands until `dvc repro studies/dvc.yaml`: c",
        "studies/dvc.lock: removed by one, changed by the other, so removed: d",
        "studies/dvc.lock: once merged: `dvc checkout`; `forestall check` says what `dvc repro studies/dvc.yaml` runs",
    ]


def test_git_is_answered_without_loading_what_it_does_not_need(tmp_path: Path) -> None:
    theirs = WHOLE.replace("cmd: python src/card.py", "cmd: python -u src/card.py")
    place = files(tmp_path, WHOLE, WHOLE, theirs)
    program = (
        "import sys; from forestall.cli import main; code = main(sys.argv[1:]);"
        "print(code, *({'dvc', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    words = ("-c", program, "merge-lock", *map(str, place), "dvc.lock")
    done = command(ROOT, sys.executable, *words, PYTHONPATH=str(ROOT / "src"))
    assert done.stdout.startswith("dvc.lock: from theirs: card\n")
    assert done.stdout.endswith("\n0\n")
    assert place[1].read_text(encoding="utf-8") == theirs
