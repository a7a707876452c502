"""What a form sends, no larger and no slower than any other body."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request

from forestall.serving.api.body import read_body
from forestall.serving.api.problems import Problem

KIND = ("application/x-www-form-urlencoded",)
MOST_FIELDS = 50


async def form_of(request: Request) -> dict[str, str]:
    """The fields of the form; of one that is sent twice the last. It may be asked for more than once.

    Raises:
        Problem: 400, 408, 413 or 415.
    """
    held: dict[str, str] | None = getattr(request.state, "form", None)
    if held is None:
        content, _ = await read_body(request, KIND)
        try:
            fields = parse_qsl(
                content.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
            )
        except ValueError:
            raise Problem(400, "The form is not UTF-8, or has too many fields.") from None
        held = request.state.form = dict(fields)
    return held
