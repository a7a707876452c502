"""The history of promotions: only added to, and readable whenever its writer was killed."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from forestall.errors import ForestallError
from forestall.retraining.history import FILE, Promotion, begin, end, read_history

FIRST = Promotion(1, "aaa", "", "c0ffee", 1_700_000_000, "Ann <ann@example.org>", "first")
SECOND = Promotion(
    2, "bbb", "aaa", "decade", 1_700_000_900, "Bö <b@example.org>", "forced", "the sensor was replaced"
)

WORDS = json.dumps(asdict(FIRST) | {"at": "yesterday", "step": "begun"})


def test_what_was_done_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_history(tmp_path).promotions == ()
    for one in (FIRST, SECOND):
        begin(tmp_path, one)
        end(tmp_path, one.number, "done")
    assert read_history(tmp_path).done == [FIRST, SECOND]
    assert read_history(tmp_path).unsettled is None


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_line_that_was_cut_off_says_nothing_and_is_written_over(tmp_path: Path, cut: int) -> None:
    begin(tmp_path, FIRST)
    end(tmp_path, 1, "done")
    whole = (tmp_path / FILE).read_bytes()
    begin(tmp_path, SECOND)
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[: len(whole) + cut])
    assert read_history(tmp_path).promotions == (FIRST,)
    begin(tmp_path, SECOND)
    assert read_history(tmp_path).unsettled == SECOND
    assert (tmp_path / FILE).read_bytes().startswith(whole)
    assert [json.loads(line)["step"] for line in (tmp_path / FILE).read_text().splitlines()] == [
        "begun",
        "done",
        "begun",
    ]


@pytest.mark.parametrize("line", ["nothing", "{}", '{"step": "begun", "number": 1}', "[1]", WORDS])
def test_another_s_line_is_refused_by_its_number(tmp_path: Path, line: str) -> None:
    begin(tmp_path, FIRST)
    with (tmp_path / FILE).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(ForestallError, match=r"history\.jsonl, line 2"):
        read_history(tmp_path)


def test_bytes_that_are_no_text_are_a_sentence(tmp_path: Path) -> None:
    begin(tmp_path, FIRST)
    with (tmp_path / FILE).open("ab") as file:
        file.write(b"\xff\xfe\n")
    with pytest.raises(ForestallError, match=r"line 2: not a step .* Bring the file back"):
        read_history(tmp_path)


def test_a_disk_that_takes_half_a_line_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda handle, line, at: whole(handle, line[:9], at))
    with pytest.raises(OSError, match="No space"):
        begin(tmp_path, FIRST)
    assert read_history(tmp_path).promotions == ()
