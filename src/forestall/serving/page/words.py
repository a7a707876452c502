"""The pages' own words, beside those that all of the service says: no stage of the pipeline depends on them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from forestall.serving import texts

PREFIX = "page."


@cache
def own_texts() -> Mapping[str, Mapping[str, str]]:
    """By key and language; placeholders are those of `str.format`, and take texts only."""
    held: dict[str, dict[str, str]] = json.loads(
        (files(__package__) / "texts.json").read_text(encoding="utf-8")
    )
    return held


def say(key: str, words: Mapping[str, object] = MappingProxyType({}), language: str = "en") -> str:
    """A text with its words put in.

    Raises:
        KeyError: an unknown key or language, or a word that the text needs and `words` lacks.
    """
    if not key.startswith(PREFIX):
        return texts.say(key, words, language)
    return own_texts()[key.removeprefix(PREFIX)][language].format_map(words)
