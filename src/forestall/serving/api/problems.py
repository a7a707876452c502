"""Errors that a request is answered with: what is wrong, of which field, and what to do about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

MOST_NAMES = 30
# What pydantic finds, in the words of the other problems.
WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "greater_than": "must be more than {gt}",
    "less_than": "must be less than {lt}",
    "too_short": "must hold at least {min_length}",
    "too_long": "must hold at most {max_length} items",
    "string_too_long": "must have at most {max_length} characters",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "list_type": "must be a list",
    "dict_type": "must be an object",
}


class Problem(Exception):  # noqa: N818
    """An answer that is an error.

    Args:
        status: HTTP status.
        detail: what is wrong and what to do about it, one or two sentences.
        errors: pairs of the field, such as `readings[3].vibration`, and what is wrong with it.
        headers: further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = (
            status,
            detail,
            list(errors),
            dict(headers or {}),
        )


def unfit(errors: Sequence[tuple[str, str]]) -> Problem:
    """422 for fields that were read and cannot be used; the first of them stand in the answer."""
    field, what = errors[0]
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    return Problem(422, sentence(f"{field}: {what}{more}"), errors)


def misfit(error: ValidationError, known: Mapping[str, Collection[str]] | None = None) -> Problem:
    """422 for what pydantic found.

    Args:
        known: by the body's field, the names that may stand in it.
    """
    errors = []
    for one in error.errors(include_url=False, include_input=False):
        names = (known or {}).get(str(one["loc"][0])) if len(one["loc"]) > 1 else None
        extra = one["type"] == "extra_forbidden" and names is not None
        problem = f"is not known here; known are {named(names or ())}" if extra else in_words(one)
        errors.append((field_name(one["loc"]), problem))
    return unfit(errors)


def in_words(found: Mapping[str, Any]) -> str:
    """What pydantic found, without its name for a field: an input."""
    context = {
        name: f"{value:g}" if type(value) is float else value for name, value in found.get("ctx", {}).items()
    }
    words = WORDS.get(found["type"])
    return str(found["msg"]) if words is None else words.format_map(context)


def sentence(text: str) -> str:
    """With a full stop, if it does not end like a sentence."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def named(names: Collection[str]) -> str:
    """Names as an error lists them: not a thousand."""
    some = list(names)[:MOST_NAMES]
    return ", ".join(some) + (f" and {len(names) - len(some)} more" if len(names) > len(some) else "")


def field_name(location: Sequence[int | str]) -> str:
    """`("readings", 3, "vibration")` as `readings[3].vibration`."""
    name = ""
    for part in location:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else part
    return name[:200] or "body"
