"""The same content gives the same bytes; what has no fixed form is refused."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forestall.pipeline import files

CONTENT = {
    "b": [1, np.int64(2), (3,)],
    "a": {"x": 1 / 3, "y": np.float32(0.1), "n": None, "t": np.bool_(True)},
}
WRITER = """
import sys, numpy as np, pandas as pd
from pathlib import Path
from sklearn.ensemble import RandomForestClassifier
from forestall.pipeline import files
folder = Path(sys.argv[1])
rng = np.random.default_rng(0)
x, y = rng.normal(size=(200, 5)), rng.integers(0, 2, 200)
forest = RandomForestClassifier(10, random_state=0).fit(x, y)
files.write_json(folder / "a.json", {name: rng.normal() for name in ["z", "y", "x"]})
files.write_csv(folder / "a.csv", pd.DataFrame(x))
files.save_model(folder / "a.joblib", {"forest": forest, "names": ["a", "b"]})
"""


def test_json_keeps_order_and_rounds(tmp_path: Path) -> None:
    file = tmp_path / "new" / "a.json"
    files.write_json(file, CONTENT)
    assert files.read_json(file) == {
        "b": [1, 2, [3]],
        "a": {"x": 0.333333, "y": 0.1, "n": None, "t": True},
    }
    text = file.read_bytes()
    assert text.index(b'"b"') < text.index(b'"a"') and text.endswith(b"}\n")


def test_json_read_and_written_again_is_the_same(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a.json", {"numbers": np.random.default_rng(0).normal(size=500) * 1e5})
    files.write_json(tmp_path / "b.json", files.read_json(tmp_path / "a.json"))
    assert files.sha256(tmp_path / "a.json") == files.sha256(tmp_path / "b.json")


@pytest.mark.parametrize("number", [float("nan"), np.float32("inf"), np.array([1.0, np.nan])])
def test_json_refuses_what_is_no_number(tmp_path: Path, number: object) -> None:
    with pytest.raises(ValueError, match=r"a\.json: model: recall"):
        files.write_json(tmp_path / "a.json", {"model": {"recall": number}})
    assert not (tmp_path / "a.json").exists()


def test_csv_has_six_digits_and_unix_lines(tmp_path: Path) -> None:
    frame = pd.DataFrame({"name": ["é", None], "value": [1 / 3, np.nan], "count": [1, 2_000_000]})
    files.write_csv(tmp_path / "a.csv", frame)
    assert (tmp_path / "a.csv").read_bytes() == "name,value,count\né,0.333333,1\n,,2000000\n".encode()


def test_bytes_do_not_depend_on_hash_seed_locale_or_time_zone(tmp_path: Path) -> None:
    sums = []
    for seed, locale, zone in [("0", "C", "UTC"), ("4711", "C.UTF-8", "Asia/Tokyo")]:
        folder = tmp_path / seed
        folder.mkdir()
        environment = {"PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": zone, "PATH": ""}
        subprocess.run([sys.executable, "-c", WRITER, str(folder)], env=environment, check=True)
        sums.append([files.sha256(file) for file in sorted(folder.iterdir())])
    assert len(sums[0]) == 3 and sums[0] == sums[1]


def test_model_comes_back(tmp_path: Path) -> None:
    files.save_model(tmp_path / "models" / "m.joblib", {"weights": np.arange(3)})
    assert files.load_model(tmp_path / "models" / "m.joblib")["weights"].tolist() == [0, 1, 2]


def test_sha256_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert files.sha256(tmp_path / "empty").startswith("e3b0c44298fc1c14")
