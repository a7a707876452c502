"""A bundle is asked what it is known to answer, wherever it is taken."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forestall.serving.answering import answering_bundle
from forestall.serving.bundle import MANIFEST, BundleError, load_bundle
from forestall.serving.export import write_bundle, write_manifest
from forestall.serving.known_answers import KNOWN_ANSWERS, ROWS, check_known_answers, write_known_answers
from tests.serving.conftest import Made, served


def with_answers(folder: Path, made: Made, rows: int) -> Path:
    model = made.fit("random_forest")
    write_bundle(folder, model, made.reference, served())
    write_known_answers(folder, load_bundle(folder), made.features[:rows])
    write_manifest(folder, model, made.reference, served())
    return folder


@pytest.mark.parametrize(("rows", "kept"), [(1, 1), (ROWS, ROWS), (ROWS + 1, ROWS // 2 + 1)])
def test_what_it_answers_here_is_what_it_answered_there(
    tmp_path: Path, made: Made, rows: int, kept: int
) -> None:
    folder = with_answers(tmp_path, made, rows)
    assert check_known_answers(folder, load_bundle(folder)) == kept
    answering_bundle(folder)


def test_another_answer_refuses_it(tmp_path: Path, made: Made) -> None:
    folder = with_answers(tmp_path, made, 50)
    table = pq.read_table(folder / KNOWN_ANSWERS)
    curves = [
        [risk + 1e-4 * (place == 7) for risk in row] for place, row in enumerate(table["curves"].to_pylist())
    ]
    wrong = pa.array(curves, type=table.schema.field("curves").type)
    pq.write_table(table.set_column(1, "curves", wrong), folder / KNOWN_ANSWERS)
    write_manifest(folder, made.fit("random_forest"), made.reference, served())
    with pytest.raises(BundleError, match=r"off by up to 1\.0e-04 on this computer"):
        answering_bundle(folder)


def test_a_bundle_without_any_is_not_asked(bundle_folder: Path) -> None:
    assert KNOWN_ANSWERS not in json.loads((bundle_folder / MANIFEST).read_text(encoding="utf-8"))["sha256"]
    assert check_known_answers(bundle_folder, load_bundle(bundle_folder)) == 0
