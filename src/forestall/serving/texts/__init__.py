"""All words that maintenance people read, in every language, by key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Formatter
from types import MappingProxyType

from forestall.serving.texts.written import written

LANGUAGES = ("en", "de")


def _texts() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for file in sorted(files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".json"):
            found |= json.loads(file.read_text(encoding="utf-8"))
    return found


TEXTS: Mapping[str, Mapping[str, str]] = _texts()


def say(key: str, words: Mapping[str, object] = MappingProxyType({}), language: str = "en") -> str:
    """A text with its words put in; numbers, units and times as the language writes them.

    Args:
        words: by placeholder; numbers are numbers, and the text says how many digits are shown.

    Raises:
        KeyError: an unknown key or language, or a word that the text needs and `words` lacks.
    """
    units = units_in(language)
    return "".join(
        literal if name is None else literal + written(words[name], spec, units, language)
        for literal, name, spec in _pieces(key, language)
    )


@cache
def units_in(language: str) -> Mapping[str, str]:
    """Units' words in a language: of time, and of the counters that are usual."""
    return {
        key.removeprefix("unit."): text[language] for key, text in TEXTS.items() if key.startswith("unit.")
    }


@cache
def _pieces(key: str, language: str) -> tuple[tuple[str, str | None, str], ...]:
    """What stands before each placeholder, the placeholder, and how its word is written."""
    pieces = Formatter().parse(TEXTS[key][language])
    return tuple((literal, name, spec or "") for literal, name, spec, _ in pieces)
