"""What schemathesis has to know to send rows as text."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson", "text/csv")
def as_text(context: schemathesis.SerializationContext, value: Any) -> bytes:
    """The text as it is."""
    return str(value).encode("utf-8", "surrogatepass")
