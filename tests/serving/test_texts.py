"""Whatever the code can say has words, in every language."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from string import Formatter
from typing import get_args, get_type_hints

import numpy as np
import pytest

from forestall.features import labels
from forestall.features.columns import Feature
from forestall.features.reference import Reference
from forestall.serving import texts
from forestall.serving.bundle import load_bundle
from forestall.serving.deviations import Deviations
from forestall.serving.opinions import NOT_APPLICABLE, Status
from forestall.serving.reason_texts import Sighting, describe
from forestall.serving.store.alarm_changes import EDITABLE, Change
from forestall.serving.store.alarms import FINDINGS, STATES, EndReason
from forestall.serving.store.events import Happened
from forestall.serving.texts import LANGUAGES, TEXTS, say
from tests.serving.conftest import Made

# All texts of the module of labels but those that are no reasons: there is an opinion, and the folds.
NO_REASONS = {labels.OPINION, labels.TRAIN, labels.VALIDATION, labels.TEST, labels.UNSEEN, labels.NO_FOLD}
CONSTANTS = {value for name, value in vars(labels).items() if name.isupper() and isinstance(value, str)}
NO_OPINION = CONSTANTS - NO_REASONS
EVENTS = set(get_args(get_type_hints(Happened)["what"]))
WORDED = {
    "status": set(get_args(Status)),
    "no_risk": NO_OPINION | {NOT_APPLICABLE},
    "action": NO_OPINION | EVENTS | {"inspect", "none"},
    "event": EVENTS,
    "state": set(STATES),
    "finding": set(FINDINGS),
    "end_reason": set(get_args(EndReason)),
    "field": {*EDITABLE, *(field.name for field in fields(Change)), "failed"} - {"who", "at"},
}
ABOVE = "Standardabweichungen über dem Normalwert dieser Maschine"
BELOW = "Standardabweichungen unter dem Normalwert dieser Maschine"


def placeholders(text: str) -> dict[str, str]:
    return {name: spec or "" for _, name, spec, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", TEXTS)
def test_a_text_is_in_every_language_and_takes_the_same_words(key: str) -> None:
    texts = TEXTS[key]
    assert set(texts) == set(LANGUAGES) and all(texts.values())
    taken = {language: placeholders(text) for language, text in texts.items()}
    assert set(taken["en"]) == set(taken["de"])
    specs = [(name, spec.split("|")[0]) for one in taken.values() for name, spec in one.items()]
    numbers = {name for name, spec in specs if spec not in ("", "time", "unit")}
    words = {name: 2 if name in numbers else "24h" for name in taken["en"]}
    for language in LANGUAGES:
        assert "{" not in say(key, words, language)


@pytest.mark.parametrize("prefix", WORDED)
def test_what_the_code_can_come_up_with_has_a_text_and_nothing_else_has(prefix: str) -> None:
    assert {key.split(".", 1)[1] for key in TEXTS if key.startswith(f"{prefix}.")} == WORDED[prefix]


@pytest.mark.parametrize("prefix", ["status", "no_risk", "state", "finding", "event"])
def test_english_is_what_the_api_says(prefix: str) -> None:
    assert {name: say(f"{prefix}.{name}") for name in WORDED[prefix]} == {
        name: name for name in WORDED[prefix]
    }


def test_no_key_is_given_twice() -> None:
    given = [
        json.loads(
            file.read_text(encoding="utf-8"), object_pairs_hook=lambda pairs: [key for key, _ in pairs]
        )
        for file in Path(texts.__file__).parent.glob("*.json")
    ]
    assert sorted(key for keys in given for key in keys) == sorted(TEXTS)


def test_what_is_unknown_is_refused() -> None:
    with pytest.raises(KeyError, match="nothing"):
        say("nothing.like it")
    with pytest.raises(KeyError, match="fr"):
        say("state.open", language="fr")
    with pytest.raises(KeyError, match="code"):
        say("reason.error_none", {})


def seen(reference: Reference, features: dict[str, float], group: str, source: str, lasts: int) -> Sighting:
    """What is said of a source; of its last readings so many are two standard deviations off."""
    one = replace(reference, features=tuple(Feature(name, group, source) for name in features))
    row = np.array(list(features.values()), dtype=np.float32)
    far = 2.4 * np.sign(row[0])
    about = Deviations(np.array([0.0] * (48 - lasts) + [far] * lasts), level=170.0, spread=15.0, unit="V")
    sensor = about if group in ("sensors", "levels", "gaps") and source == "volt" else None
    return describe(source, row, 0 * row + 34, one, sensor)


VOLT, ERRORS, AGE = ("sensors", "volt"), ("errors", "error e1"), ("replacements", "age of seal")
REASONS = [
    (VOLT, {"volt.own.24h": 1.5}, 0, f"volt in den letzten 24 h 1,5 {ABOVE}"),
    (VOLT, {"volt.own.24h": -0.5}, 0, f"volt in den letzten 24 h 0,5 {BELOW}"),
    (VOLT, {"volt.own.24h": 2.0}, 31, f"volt seit 31 h 2,4 {ABOVE}"),
    (VOLT, {"volt.own.24h": -2.0}, 31, f"volt seit 31 h 2,4 {BELOW}"),
    (VOLT, {"volt.own.24h": 2.0}, 48, f"volt seit mindestens 48 h 2,4 {ABOVE}"),
    (VOLT, {"volt.own.24h": -2.0}, 48, f"volt seit mindestens 48 h 2,4 {BELOW}"),
    (VOLT, {"volt.spread.24h": 1.8}, 0, "volt schwankte in den letzten 24 h 1,8-mal so stark wie normal"),
    (VOLT, {"volt.trend.24h": 3.0}, 0, "volt in den letzten 24 h um 3,0 Standardabweichungen gestiegen"),
    (VOLT, {"volt.trend.24h": -3.0}, 0, "volt in den letzten 24 h um 3,0 Standardabweichungen gefallen"),
    (VOLT, {"volt.slope.load.24h": 1.5}, 0, "volt folgte load in den letzten 24 h stärker als normal"),
    (VOLT, {"volt.slope.load.24h": -1.5}, 0, "volt folgte load in den letzten 24 h schwächer als normal"),
    (VOLT, {"volt.missing.24h": 0.5}, 0, "volt fehlte bei 50 % der Messungen in den letzten 24 h"),
    (VOLT, {"volt.stuck": 30.0}, 0, "volt seit 30 h unverändert"),
    (VOLT, {"volt.silent": 30.0}, 0, "volt seit 30 h ohne Messwert"),
    (VOLT, {"volt.mean.24h": 1234.5}, 0, "volt in den letzten 24 h im Mittel bei 1230"),
    (VOLT, {"volt.model.24h": 2.0}, 0, "volt"),
    (ERRORS, {"e1.count.24h": 0.0}, 0, "Fehler e1: zuletzt nicht aufgetreten"),
    (ERRORS, {"e1.count.24h": 1.0}, 0, "Fehler e1 in den letzten 24 h einmal aufgetreten"),
    (ERRORS, {"e1.count.24h": 3.0}, 0, "Fehler e1 in den letzten 24 h 3-mal aufgetreten"),
    (("errors", "error err3"), {"err3.count.24h": 0.0}, 0, "err3: zuletzt nicht aufgetreten"),
    (("errors", "error err3"), {"err3.count.24h": 1.0}, 0, "err3 in den letzten 24 h einmal aufgetreten"),
    (("errors", "error err3"), {"err3.count.24h": 2.0}, 0, "err3 in den letzten 24 h 2-mal aufgetreten"),
    (("errors", "errors"), {"errors.distinct.24h": 0.0}, 0, "zuletzt keine Fehler"),
    (("errors", "errors"), {"errors.distinct.24h": 1.0}, 0, "ein Fehlercode in den letzten 24 h"),
    (("errors", "errors"), {"errors.distinct.24h": 3.0}, 0, "3 verschiedene Fehlercodes in den letzten 24 h"),
    (AGE, {"seal.replaced": 3.2}, 0, "seal vor 3 Tagen ausgetauscht, Median der Trainingsdaten 34 Tage"),
    (AGE, {"seal.replaced": 1.2}, 0, "seal vor 1 Tag ausgetauscht, Median der Trainingsdaten 34 Tage"),
    (AGE, {"seal.replaced": 3.2, "seal.replaced.known": 0.0}, 0, "seal: Alter unbekannt"),
    (("machine", "model"), {"machine.model.A": 1.0}, 0, "model"),
    (("schedule", "service schedule"), {"visit.24h": 1.0}, 0, "Wartungsplan"),
]
COUNTED = [
    (VOLT, {"volt.own.10cycles": 0.5}, 0, f"volt in den letzten 10 Zyklen 0,5 {ABOVE}"),
    (VOLT, {"volt.own.10cycles": 2.0}, 31, f"volt seit 31 Zyklen 2,4 {ABOVE}"),
    (
        AGE,
        {"seal.replaced": 12.0},
        0,
        "seal vor 12 Zyklen ausgetauscht, Median der Trainingsdaten 34 Zyklen",
    ),
]


@pytest.mark.parametrize(("about", "features", "lasts", "says"), REASONS)
def test_reasons_are_said_in_german(
    about: tuple[str, str], features: dict[str, float], lasts: int, says: str, made: Made
) -> None:
    assert seen(made.reference, features, *about, lasts).in_language("de") == says


@pytest.mark.parametrize(("about", "features", "lasts", "says"), COUNTED)
def test_reasons_are_said_in_german_in_the_counters_unit(
    about: tuple[str, str], features: dict[str, float], lasts: int, says: str, counted: Reference
) -> None:
    assert seen(counted, features, *about, lasts).in_language("de") == says


def test_every_text_of_a_reason_is_one_that_is_tried(made: Made, counted: Reference) -> None:
    said = {seen(made.reference, features, *about, lasts).says for about, features, lasts, _ in REASONS}
    said |= {seen(counted, features, *about, lasts).says for about, features, lasts, _ in COUNTED}
    assert {key for key in said if key.startswith("reason.")} == {
        key for key in TEXTS if key.startswith("reason.")
    }


def test_sources_that_are_neither_the_plants_nor_described_have_names(made: Made, counted: Reference) -> None:
    found = {}
    for reference in (made.reference, counted):
        row = np.zeros(len(reference.features), dtype=np.float32)
        for source in {feature.source for feature in reference.features} - set(reference.sensors):
            one = describe(source, row, row, reference)
            assert one.in_language("de")
            found[one.says] = one.text
    named = {key: text["en"] for key, text in TEXTS.items() if key.startswith("source.")}
    assert {key: text for key, text in found.items() if key.startswith("source.")} == named
    assert all(key == f"source.{text}" for key, text in named.items())


@pytest.fixture(scope="module")
def counted(counting_folder: Path) -> Reference:
    return load_bundle(counting_folder).reference
