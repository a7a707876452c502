"""What the plant's machines table says of one machine, as it is sent."""

from __future__ import annotations

from typing import Any, NotRequired

from pydantic import TypeAdapter, ValidationError

from forestall.serving.api.problems import misfit
from forestall.serving.bundle import Bundle
from forestall.serving.history_request import attribute_types, row_type


def attributes_of(content: Any, bundle: Bundle) -> dict[str, Any]:
    """The attributes in a body `{"attributes": {…}}`: every one of the plant's, None where it is not given.

    Raises:
        Problem: 422, naming the field.
    """
    types = attribute_types(bundle)
    attributes = row_type("Attributes", {name: NotRequired[kind | None] for name, kind in types.items()})
    try:
        sent = TypeAdapter(row_type("Body", {"attributes": attributes})).validate_python(content)
    except ValidationError as error:
        raise misfit(error, {"attributes": types}) from None
    return {name: sent["attributes"].get(name) for name in types}
