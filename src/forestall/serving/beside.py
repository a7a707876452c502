"""A model beside the one that is served: what the two are called, and whether they can be asked the same."""

from __future__ import annotations

from forestall.errors import ForestallError
from forestall.features.columns import span_name
from forestall.serving.bundle import Bundle

CHAMPION, CHALLENGER = "champion", "challenger"  # links in the folder of what is served


def check_comparable(bundle: Bundle, served: Bundle) -> None:
    """Whether a model can be asked what the one that is served is asked.

    Raises:
        ForestallError: it cannot.
    """
    if bundle.plant.name != served.plant.name:
        raise ForestallError(
            f"This model is of {bundle.plant.name!r}, and {served.plant.name!r} is served: they cannot be compared."
        )
    if _times(bundle) != _times(served):
        raise ForestallError(
            f"This model decides {_said(bundle)}, and what is served {_said(served)}: never at the same times, so that "
            "they cannot be compared. It can be promoted without."
        )


def _times(bundle: Bundle) -> tuple[str, int, int]:
    spans = bundle.reference.spans
    return bundle.reference.unit, spans.every, spans.offset


def _said(bundle: Bundle) -> str:
    unit, every, offset = _times(bundle)
    begin = f", {span_name(offset, unit)} after the full one" if offset else ""
    return f"every {span_name(every, unit)}{begin}"
