"""Releases: whole or not there, the link between the old one and the new one, and what a kill leaves."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from forestall.errors import ForestallError
from forestall.retraining import served
from forestall.retraining.history import Promotion, begin, read_history
from forestall.serving.bundle import BundleError, load_bundle

COMMITS = ("1" * 40, "2" * 40)


def promotion(folder: Path, version: str, number: int) -> Promotion:
    return Promotion(
        number, version, served.champion(folder), COMMITS[0], 0, "Ann <ann@example.org>", "passed"
    )


@pytest.fixture
def two(tmp_path: Path, bundle_folder: Path) -> list[str]:
    """Two releases, of which the first is served."""
    with served.exclusively(tmp_path):
        versions = [served.lay_down(tmp_path, bundle_folder, commit) for commit in COMMITS]
        served.exchange(tmp_path, promotion(tmp_path, versions[0], 1))
    return versions


def test_a_release_is_the_bundle_with_its_revision(
    two: list[str], tmp_path: Path, bundle_folder: Path
) -> None:
    one, other = (load_bundle(tmp_path / "releases" / version) for version in two)
    assert [found.manifest["revision"] for found in (one, other)] == list(COMMITS)
    assert {**one.manifest, "revision": ""} == load_bundle(bundle_folder).manifest | {"revision": ""}
    assert served.revision_of(tmp_path, two[1]) == COMMITS[1]
    assert served.champion(tmp_path) == two[0]
    assert load_bundle(tmp_path / "champion").manifest == one.manifest


def test_the_same_bundle_of_the_same_commit_is_one_release(
    two: list[str], tmp_path: Path, bundle_folder: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert served.lay_down(tmp_path, bundle_folder, COMMITS[0]) == two[0]
    assert sorted(tmp_path.rglob("*")) == before


def test_what_does_not_answer_is_not_laid_down(tmp_path: Path, bundle_folder: Path) -> None:
    broken = Path(shutil.copytree(bundle_folder, tmp_path / "broken"))
    (broken / "model.onnx").write_bytes(b"no graph")
    with served.exclusively(tmp_path / "served"), pytest.raises(BundleError):
        served.lay_down(tmp_path / "served", broken, COMMITS[0])
    assert list((tmp_path / "served/releases").iterdir()) == []


def test_a_release_that_was_damaged_is_not_served(two: list[str], tmp_path: Path) -> None:
    (tmp_path / "releases" / two[1] / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(BundleError):
        served.exchange(tmp_path, promotion(tmp_path, two[1], 2))
    assert served.champion(tmp_path) == two[0] and len(read_history(tmp_path).promotions) == 1


def test_two_at_once_are_one_and_a_sentence(two: list[str], tmp_path: Path) -> None:
    assert two
    with (
        served.exclusively(tmp_path),
        pytest.raises(ForestallError, match="another promotion"),
        served.exclusively(tmp_path),
    ):
        pass


@pytest.mark.parametrize(("pointed", "step"), [(False, "abandoned"), (True, "done")])
def test_a_kill_leaves_the_old_one_or_the_new_one_and_the_next_says_which(
    two: list[str], tmp_path: Path, pointed: bool, step: str
) -> None:
    begin(tmp_path, promotion(tmp_path, two[1], 2))
    (tmp_path / "releases/.draft-1").mkdir()
    (tmp_path / ".champion").symlink_to(f"releases/{two[1]}")
    if pointed:
        (tmp_path / ".champion").rename(tmp_path / "champion")
    assert served.champion(tmp_path) == two[pointed]
    with served.exclusively(tmp_path):
        assert read_history(tmp_path).steps[2] == step
    assert sorted(one.name for one in (tmp_path / "releases").iterdir()) == sorted(two)
    served.exchange(tmp_path, promotion(tmp_path, two[1 - pointed], 3))
    assert served.champion(tmp_path) == two[1 - pointed]


def test_what_was_never_served_can_be_removed_and_nothing_else(two: list[str], tmp_path: Path) -> None:
    for version in two:
        served.discard(tmp_path, version)
    assert [one.name for one in (tmp_path / "releases").iterdir()] == [two[0]]
    assert json.loads((tmp_path / "history.jsonl").read_text().splitlines()[0])["version"] == two[0]


def test_a_damaged_release_is_a_sentence_and_is_made_anew(
    two: list[str], tmp_path: Path, bundle_folder: Path
) -> None:
    (tmp_path / "releases" / two[1] / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(served.DamagedError, match="forestall promote REV --force"):
        served.revision_of(tmp_path, two[1])
    with pytest.raises(served.DamagedError, match=f"forestall promote {COMMITS[0][:12]} --force"):
        served.exchange(tmp_path, promotion(tmp_path, two[1], 2))
    assert served.lay_down(tmp_path, bundle_folder, COMMITS[1]) == two[1]
    assert served.revision_of(tmp_path, two[1]) == COMMITS[1]


def test_a_folder_in_the_place_of_the_link_is_not_taken_for_nothing(two: list[str], tmp_path: Path) -> None:
    (tmp_path / "champion").unlink()
    shutil.copytree(tmp_path / "releases" / two[0], tmp_path / "champion")
    with pytest.raises(ForestallError, match=r"no link to a release\. Move it away"):
        served.champion(tmp_path)


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(ForestallError, match="nothing can be written there"),
        served.exclusively(tmp_path / "file"),
    ):
        pass


def releases(folder: Path) -> list[str]:
    return sorted(one.name for one in (folder / "releases").iterdir())


def test_what_stands_beside_is_exchanged_and_taken_away_with_its_release(
    two: list[str], tmp_path: Path, bundle_folder: Path
) -> None:
    served.put_in_shadow(tmp_path, two[1])
    assert (served.champion(tmp_path), served.challenger(tmp_path)) == (two[0], two[1])
    assert load_bundle(tmp_path / "challenger").manifest["revision"] == COMMITS[1]
    served.discard(tmp_path, two[1])  # such as when the gate refuses it
    assert served.challenger(tmp_path) in releases(tmp_path)
    third = served.lay_down(tmp_path, bundle_folder, "3" * 40)
    served.put_in_shadow(tmp_path, third)
    served.put_in_shadow(tmp_path, third)
    assert releases(tmp_path) == sorted([two[0], third])
    assert served.end_shadow(tmp_path) == third and served.end_shadow(tmp_path) == ""
    assert releases(tmp_path) == [two[0]] and served.challenger(tmp_path) == ""


def test_what_is_served_again_from_the_shadow_keeps_its_release(two: list[str], tmp_path: Path) -> None:
    served.exchange(tmp_path, promotion(tmp_path, two[1], 2))
    served.put_in_shadow(tmp_path, two[0])
    served.end_shadow(tmp_path)
    assert releases(tmp_path) == sorted(two)


@pytest.mark.parametrize("killed", [False, True])
def test_what_is_promoted_is_in_shadow_no_more(two: list[str], tmp_path: Path, killed: bool) -> None:
    served.put_in_shadow(tmp_path, two[1])
    if killed:  # between the exchange and the end of the shadow
        begin(tmp_path, promotion(tmp_path, two[1], 2))
        (tmp_path / "champion").unlink()
        (tmp_path / "champion").symlink_to(f"releases/{two[1]}")
        with served.exclusively(tmp_path):
            assert read_history(tmp_path).steps[2] == "done"
    else:
        served.exchange(tmp_path, promotion(tmp_path, two[1], 2))
    assert served.champion(tmp_path) == two[1] and not (tmp_path / "challenger").is_symlink()
    assert releases(tmp_path) == sorted(two)


def test_a_kill_leaves_the_old_challenger_or_the_new_one(two: list[str], tmp_path: Path) -> None:
    (tmp_path / ".challenger").symlink_to("releases/none")
    served.put_in_shadow(tmp_path, two[1])
    assert served.challenger(tmp_path) == two[1] and not (tmp_path / ".challenger").is_symlink()


def test_a_folder_in_the_place_of_the_challenger_is_a_sentence(two: list[str], tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "releases" / two[1], tmp_path / "challenger")
    for ask in (served.challenger, served.end_shadow):
        with pytest.raises(ForestallError, match="challenger is no link to a release"):
            ask(tmp_path)


@pytest.mark.parametrize("target", ["..", "releases/..", ".", "/", "releases", "elsewhere/one"])
def test_a_link_to_what_is_no_release_is_a_sentence_and_takes_nothing_away(
    two: list[str], tmp_path: Path, target: str
) -> None:
    (tmp_path / "challenger").symlink_to(target)
    for ask in (served.challenger, served.end_shadow):
        with pytest.raises(ForestallError, match="challenger is no link to a release"):
            ask(tmp_path)
    with pytest.raises(ForestallError, match="no link to a release"), served.exclusively(tmp_path):
        pass
    assert releases(tmp_path) == sorted(two) and served.champion(tmp_path) == two[0]


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    two: list[str], tmp_path: Path, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: str, target: str, **_: bool) -> None:
        raise OSError(28, "No space left on device", target)

    monkeypatch.setattr(shutil, "copy2", full)
    monkeypatch.setattr(shutil.copytree, "__defaults__", (False, None, full, False, False))
    with pytest.raises(ForestallError, match=r"^The release cannot be written: .*No space left"):
        served.lay_down(tmp_path, bundle_folder, "3" * 40)
    assert releases(tmp_path) == sorted(two)
