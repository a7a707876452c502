"""A bundle is used whole and unchanged, or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from forestall.features.sensors import Normal
from forestall.serving.bundle import BundleError, load_bundle
from forestall.serving.fleet import fleet_table, worst_first
from forestall.serving.opinions import Latest, opinions_at
from forestall.serving.plant import SECTIONS
from tests.serving.conftest import Made, served


def test_it_knows_its_features_and_thresholds(made: Made, bundle_folder: Path) -> None:
    bundle = load_bundle(bundle_folder)
    assert bundle.reference == made.reference
    assert bundle.thresholds == {"pump": 0.1, "seal": 0.1}
    assert bundle.manifest["lookback"] == 48 * 3600


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_a_missing_file_is_refused(name: str, bundle_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(bundle_folder, tmp_path / "bundle"))
    (folder / name).unlink()
    with pytest.raises(BundleError, match="dvc repro export"):
        load_bundle(folder)


def test_a_changed_file_is_refused(bundle_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(bundle_folder, tmp_path / "bundle"))
    content = bytearray((folder / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(BundleError, match=r"model\.onnx: not the file"):
        load_bundle(folder)


def test_a_bundle_of_another_format_is_refused(bundle_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(bundle_folder, tmp_path / "bundle"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | {"format": 1}), encoding="utf-8")
    with pytest.raises(BundleError, match="format 1, not 2"):
        load_bundle(folder)


def test_it_knows_its_plant(bundle_folder: Path) -> None:
    said, plant = load_bundle(bundle_folder).plant, served()
    assert {name: getattr(said.dataset, name) for name in SECTIONS} == {
        name: getattr(plant.dataset, name) for name in SECTIONS
    }
    assert (said.name, said.carry_forward, said.quiet) == ("test", 2, 2)


def fleet(made: Made, no_opinion: str, folder: Path):  # type: ignore[no-untyped-def]
    bundle = load_bundle(folder)
    ones = np.ones((2, 1, 2))
    normal = Normal(ones, ones, np.zeros((2, 1, 2, 0)), ones, ones, ones, np.zeros(0))
    opinions, readings = np.array(["", no_opinion], dtype=object), np.full((2, 48, 2), np.nan)
    now = Latest(
        ["m0", "m5"], np.full(2, 1_706_000_000), made.features[[500, 900]], normal, opinions, readings
    )
    return worst_first(fleet_table(opinions_at(now, bundle, {("m5", "seal")}), bundle))


def test_a_part_that_is_not_there_is_not_applicable(made: Made, bundle_folder: Path) -> None:
    table = fleet(made, "", bundle_folder).set_index(["machine", "component"])
    assert table.loc[("m5", "seal"), "status"] == "not applicable"
    assert np.isnan(table.loc[("m5", "seal"), "risk"])
    assert table.loc[("m5", "pump"), "risk"] > 0


def test_stale_data_are_no_opinion_and_stand_last(made: Made, bundle_folder: Path) -> None:
    table = fleet(made, "stale sensors", bundle_folder)
    assert table["status"].tolist()[-2:] == ["no opinion: stale sensors", "not applicable"]
    assert table["risk"][:2].is_monotonic_decreasing
    assert (table["alarm"][-2:] == "").all()
