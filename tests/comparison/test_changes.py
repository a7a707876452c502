"""What differs between two revisions' files."""

from __future__ import annotations

from typing import Any

from forestall.comparison.changes import Changes, differing, flat, output_hash, packages, stage_changes

LOCK = """\
# made by uv
numpy==2.4.6 \\
    --hash=sha256:aa==
pandas==3.1.1 ; python_version >= "3.11"
-r other.txt
"""


def stage(**changes: Any) -> dict[str, Any]:
    return {
        "cmd": "python src/train.py",
        "deps": [
            {"path": "src/train.py", "md5": "1"},
            {"path": "data/features", "md5": "2.dir"},
            {"path": "requirements/pipeline.txt", "md5": "3"},
        ],
        "params": {"params.yaml": {"train": {"seed": 1}}},
        "outs": [{"path": "models/model.joblib", "md5": "4"}],
    } | changes


def test_nested_keys_are_joined_and_lists_are_one_value() -> None:
    content = {"train": {"seed": 1, "trees": {"n": 8}}, "horizons": ["24h", "72h"], "empty": {}}
    assert flat(content) == {"train.seed": 1, "train.trees.n": 8, "horizons": ["24h", "72h"]}
    assert flat({"costs": {"failure": 2}}, "dataset") == {"dataset.costs.failure": 2}


def test_what_one_side_lacks_differs_from_nothing() -> None:
    assert differing({"a": 1, "b": 2, "gone": 3}, {"b": 2, "a": 4, "new": 5}) == {
        "a": (1, 4),
        "new": (None, 5),
        "gone": (3, None),
    }
    assert differing({"a": 1}, {"a": 1}) == {}


def test_packages_are_read_without_hashes_comments_and_options() -> None:
    assert packages(LOCK) == {"numpy": "2.4.6", "pandas": "3.1.1"}
    assert packages("") == {}


def test_of_each_stage_what_changed() -> None:
    before = {"train": stage(), "gone": stage()}
    deps = stage()["deps"]
    cases = {
        "command": stage(cmd="python src/train.py --fast"),
        "code": stage(deps=[{"path": "src/train.py", "md5": "9"}, *deps[1:]]),
        "inputs": stage(deps=[deps[0], {"path": "data/features", "md5": "9.dir"}, deps[2]]),
        "params": stage(params={"params.yaml": {"train": {"seed": 2}}}),
        "outputs": stage(outs=[{"path": "models/model.joblib", "md5": "9"}]),
    }
    for what, after in cases.items():
        assert stage_changes(before, {"train": after, "gone": stage()}) == {"train": [what]}
    locked = stage(deps=[*deps[:2], {"path": "requirements/pipeline.txt", "md5": "9"}])
    assert stage_changes(before, {"train": locked, "gone": stage()}) == {"train": ["code"]}
    assert stage_changes(before, {"train": stage(), "new": stage()}) == {
        "new": ["added"],
        "gone": ["removed"],
    }
    assert stage_changes(before, before) == {}


def test_a_hash_is_that_of_the_stage_that_made_it_or_of_an_input() -> None:
    lock = {"train": stage()}
    assert output_hash(lock, "models/model.joblib") == "4"
    assert output_hash(lock, "data/features") == "2.dir"
    assert output_hash(lock, "models/bundle") is None


def test_changes_are_true_if_there_are_any() -> None:
    assert not Changes({}, {}, [], {}, {})
    assert Changes({}, {}, ["src/train.py"], {}, {})
