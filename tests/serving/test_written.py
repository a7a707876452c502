"""Numbers, units and times stand in a text as its language writes them."""

from __future__ import annotations

import pytest

from forestall.serving.texts import units_in
from forestall.serving.texts.written import written


@pytest.mark.parametrize(
    ("value", "spec", "english", "german"),
    [
        (2.44, ".1f", "2.4", "2,4"),
        (0.463, ".0%", "46%", "46 %"),
        (12345.6, ",.1f", "12,345.6", "12.345,6"),
        (1234.5, ".3g", "1.23e+03", "1230"),
        (0.25, "", "0.25", "0,25"),
        (7, "", "7", "7"),
        (1.2, ".0f|Tag|Tage", "1 Tag", "1 Tag"),
        (0.2, ".0f|Tag|Tage", "0 Tage", "0 Tage"),
        ("24h", "unit", "24h", "24 h"),
        ("30min", "unit", "30min", "30 min"),
        ("10 cycles", "unit", "10 cycles", "10 Zyklen"),
        ("10 strokes", "unit", "10 strokes", "10 strokes"),
        ("days", "unit", "days", "Tage"),
        ("2024-12-30T16:05:00Z", "time", "2024-12-30 16:05", "30.12.2024, 16:05 Uhr"),
        ("231 cycles", "time", "231 cycles", "231 Zyklen"),
        ("pump 1.2, 50%", "", "pump 1.2, 50%", "pump 1.2, 50%"),
    ],
)
def test_values_are_written_as_a_language_does(value: object, spec: str, english: str, german: str) -> None:
    assert written(value, spec, units_in("en"), "en") == english
    assert written(value, spec, units_in("de"), "de") == german
