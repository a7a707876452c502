"""Files whose bytes depend on nothing but their content."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

PICKLE_PROTOCOL = 5  # fixed: a newer Python must not write other bytes


def write_json(path: Path, content: Any) -> None:
    """Write JSON in the content's own order, floats to 6 significant digits.

    Raises:
        ValueError: a number is NaN or infinite; leave an undefined figure out instead.
    """
    text = json.dumps(_plain(content, path.name), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def read_json(path: Path) -> Any:
    """What `write_json` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a table without its index, floats to 6 significant digits, missing values empty."""
    write_text(path, frame.to_csv(index=False, float_format="%.6g", lineterminator="\n"))


def save_model(path: Path, model: Any) -> None:
    """Write an object that only this repository's own code will load."""
    path.parent.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, path, protocol=PICKLE_PROTOCOL)


def load_model(path: Path) -> Any:
    """What `save_model` wrote; loading runs code, so only for files this pipeline made."""
    return joblib.load(path)


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8 with Unix line ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _plain(content: Any, place: str) -> Any:
    """The content as what JSON knows, rounded."""
    if isinstance(content, dict):
        return {str(key): _plain(value, f"{place}: {key}") for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value, place) for value in content]
    if isinstance(content, np.ndarray):
        return _plain(content.tolist(), place)
    if isinstance(content, np.generic):
        return _plain(content.item(), place)
    if isinstance(content, float):
        return _rounded(content, place)
    return content


def _rounded(number: float, place: str) -> float:
    if not math.isfinite(number):
        raise ValueError(f"{place} is {number}, which JSON cannot hold; leave it out")
    return float(f"{number:.6g}")
