"""All words that maintenance people read, in each language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "de")


@cache
def _texts() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for one in files(__package__).iterdir():
        if one.name.endswith(".json"):
            found |= json.loads(one.read_text(encoding="utf-8"))
    return found


def say(key: str, words: Mapping[str, object] | None = None, language: str = "en") -> str:
    """The text of a key with its words filled in."""
    return _texts()[key][language].format(**(words or {}))
