"""What to do is said of every opinion, in the language that is asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forestall.features import labels
from forestall.serving.actions import recommended_action
from forestall.serving.opinions import NOT_APPLICABLE, Opinion
from forestall.serving.store.events import Happened
from tests.serving.conftest import Made

AT = 1735560000  # 2024-12-30 12:00
ALARM = Opinion("m1", "pump", AT, "", 0.3, curve=(0.1, 0.463), life=(10.6, np.inf, np.inf))
REPLACED, FAILED = Happened("replaced", AT + 3600), Happened("failed", AT + 3600)
CASES = [
    (
        ALARM,
        None,
        "Inspect the pump by 2024-12-30 23:00 and be ready to replace it: "
        "it fails within 48 h of the decision with a chance of 46%.",
        "Prüfen Sie das Bauteil pump bis 30.12.2024, 23:00 Uhr und bereiten Sie den Austausch vor: "
        "Es fällt mit einer Wahrscheinlichkeit von 46 % innerhalb von 48 h nach der Bewertung aus.",
    ),
    (replace(ALARM, threshold=0.5), None, "None.", "Keine."),
    (
        ALARM,
        REPLACED,
        "It was replaced at 2024-12-30 13:00, after this decision: wait for the next one.",
        "Nach dieser Bewertung ausgetauscht (30.12.2024, 13:00 Uhr): Warten Sie die nächste ab.",
    ),
    (
        ALARM,
        FAILED,
        "It failed at 2024-12-30 13:00, after this decision: replace it, and report the replacement.",
        "Nach dieser Bewertung ausgefallen (30.12.2024, 13:00 Uhr): Tauschen Sie das Teil aus und melden Sie den "
        "Austausch.",
    ),
    (
        Opinion("m1", "pump", AT, labels.SHORT, 0.3),
        None,
        "Wait: its history is too short to judge it.",
        "Warten Sie ab: Die Historie ist zu kurz für eine Bewertung.",
    ),
    (
        Opinion("m1", "pump", AT, labels.STALE, 0.3),
        None,
        "Look at its sensors and their connection: there is no recent reading.",
        "Prüfen Sie die Sensoren und ihre Verbindung: Es gibt keine aktuellen Messwerte.",
    ),
    (
        Opinion("m1", "pump", AT, labels.OFF, 0.3),
        None,
        "Nothing while it is off.",
        "Nichts zu tun, solange die Maschine steht.",
    ),
    (
        Opinion("m1", "pump", AT, labels.FAILED, 0.3),
        None,
        "It has failed. Report its replacement, and send its readings again.",
        "Ausgefallen. Melden Sie den Austausch und senden Sie wieder Messwerte.",
    ),
]


@pytest.mark.parametrize(("opinion", "happened", "english", "german"), CASES)
def test_what_to_do_is_said(
    opinion: Opinion, happened: Happened | None, english: str, german: str, made: Made
) -> None:
    reference = replace(made.reference, spans=replace(made.reference.spans, horizons=(24 * 3600, 48 * 3600)))
    assert recommended_action(opinion, happened, reference) == english
    assert recommended_action(opinion, happened, reference, "de") == german


def test_without_a_known_life_the_longest_horizon_is_the_deadline_in_the_counters_unit(made: Made) -> None:
    spans = replace(made.reference.spans, horizons=(10, 30))
    reference = replace(made.reference, unit="cycles", spans=spans)
    opinion = replace(ALARM, time=200, life=(np.inf, np.inf, np.inf))
    assert recommended_action(opinion, None, reference) == (
        "Inspect the pump by 230 cycles and be ready to replace it: "
        "it fails within 30 cycles of the decision with a chance of 46%."
    )
    german = recommended_action(opinion, None, reference, "de")
    assert german is not None and "bis 230 Zyklen" in german and "innerhalb von 30 Zyklen" in german


def test_of_a_part_that_a_machine_does_not_have_there_is_nothing_to_do(made: Made) -> None:
    assert recommended_action(Opinion("m1", "pump", AT, NOT_APPLICABLE, 0.3), None, made.reference) is None
    with pytest.raises(KeyError, match="fr"):
        recommended_action(ALARM, None, made.reference, "fr")
