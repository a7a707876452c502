"""Numbers and times are written as people of the language write them, also the smallest and the largest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forestall.features.reference import Reference
from forestall.serving.page.formats import Formats
from tests.serving.conftest import Made

NOON = 1_735_560_000  # 2024-12-30 12:00
LATEST = 253_402_300_799  # 9999-12-31 23:59:59


def plain(text: str) -> str:
    """With usual spaces: Babel's are protected ones."""
    return text.replace("\xa0", " ").replace("\u202f", " ")


@pytest.fixture(scope="module")
def english(made: Made) -> Formats:
    return Formats("en", made.reference)


@pytest.fixture(scope="module")
def german(made: Made) -> Formats:
    return Formats("de", made.reference)


@pytest.fixture(scope="module")
def cycles(made: Made) -> Reference:
    return replace(made.reference, unit="cycles")


@pytest.mark.parametrize(
    ("value", "en", "de"),
    [
        (0, "0%", "0 %"),
        (1e-9, "< 1%", "< 1 %"),
        (0.005, "< 1%", "< 1 %"),
        (0.0051, "1%", "1 %"),
        (0.42, "42%", "42 %"),
        (0.9949, "99%", "99 %"),
        (0.995, "> 99%", "> 99 %"),
        (0.9999999, "> 99%", "> 99 %"),
        (1, "100%", "100 %"),
    ],
)
def test_shares(value: float, en: str, de: str, english: Formats, german: Formats) -> None:
    assert (plain(english.share(value)), plain(german.share(value))) == (en, de)


@pytest.mark.parametrize(
    ("value", "en", "de"),
    [
        (0.0, "0", "0"),
        (0.4, "0.4", "0,4"),
        (7.0, "7", "7"),
        (94.6, "95", "95"),
        (1234.0, "1,200", "1.200"),
        (-1234.0, "-1,200", "-1.200"),
        (996.0, "1,000", "1.000"),
        (123_456_789.0, "120,000,000", "120.000.000"),
    ],
)
def test_money_has_two_digits(value: float, en: str, de: str, english: Formats, german: Formats) -> None:
    assert (plain(english.money(value)), plain(german.money(value))) == (en, de)


@pytest.mark.parametrize(
    ("hours", "en", "de"),
    [
        (0, "0 h", "0 h"),
        (1 / 60, "1 min", "1 min"),
        (0.5, "30 min", "30 min"),
        (1, "1 h", "1 h"),
        (1.5, "90 min", "90 min"),
        (2, "2 h", "2 h"),
        (48, "48 h", "48 h"),
        (49, "2 days", "2 Tage"),
        (60, "2.5 days", "2,5 Tage"),
        (71.5, "3 days", "3 Tage"),
        (239, "10 days", "10 Tage"),
        (24 * 1234, "1,234 days", "1.234 Tage"),
    ],
)
def test_spans(hours: float, en: str, de: str, english: Formats, german: Formats) -> None:
    assert (english.span(hours * 3600), german.span(hours * 3600)) == (en, de)


def test_times(english: Formats, german: Formats) -> None:
    assert (english.when(NOON), german.when(NOON)) == ("30 Dec 2024, 12:00", "30. Dez. 2024, 12:00")
    assert (english.when(0), german.when(LATEST)) == ("1 Jan 1970, 00:00", "31. Dez. 9999, 23:59")
    assert (english.day(NOON), german.day(NOON)) == ("Mon 30 Dec", "Mo., 30. Dez.")
    assert english.machine_day(LATEST) == "9999-12-31"
    assert (english.month("2024-10"), german.month("2024-10")) == ("Oct 2024", "Okt. 2024")
    assert english.month("all") == "all"
    assert (english.stamp("2024-12-30T12:00:00"), german.stamp("9999-12-31")) == (
        "30 Dec 2024, 12:00",
        "31. Dez. 9999, 00:00",
    )
    assert english.stamp("then") == "then"


def test_numbers(english: Formats, german: Formats) -> None:
    assert (english.number(1234.5, 1), german.number(1234.5, 1)) == ("1,234.5", "1.234,5")
    assert (english.number(0), german.number(-0.26, 1)) == ("0", "-0,3")


@pytest.mark.parametrize(("language", "thousands"), [("en", "1,231 cycles"), ("de", "1.231 cycles")])
def test_counters(language: str, thousands: str, cycles: Reference) -> None:
    formats = Formats(language, cycles)
    assert formats.when(1231) == formats.day(1231) == formats.span(1231) == thousands
    assert (formats.machine_day(1231), formats.counts) == ("1231", True)
    # Eight digits are a date to Python, and a count to a plant that counts.
    assert formats.stamp("20240101") == "20240101"
    assert formats.when(0) == "0 cycles"


def test_without_a_model_there_are_moments_and_numbers() -> None:
    formats = Formats("de")
    assert (formats.moment(NOON), formats.number(1.5, 1)) == ("30. Dez. 2024, 12:00", "1,5")
    assert not formats.counts


def test_figures_that_are_small_and_change_little(english: Formats, german: Formats) -> None:
    assert english.precise(0.02292) == "2.29%" and plain(german.precise(0.02292)) == "2,29 %"
    assert [english.points(one) for one in (0.0025, -0.0025, 0.00001, -0.00001)] == [
        "+0.25",
        "−0.25",
        "0.00",
        "0.00",
    ]
    assert german.points(-0.138) == "−13,80"
    assert [english.chance(one) for one in (0.0, 0.00099, 0.001, 0.0714, 1.0)] == [
        "< 0.001",
        "< 0.001",
        "0.001",
        "0.071",
        "1.000",
    ]
    assert german.chance(0.5) == "0,500"


def test_a_day_with_its_year(english: Formats, german: Formats, cycles: Reference) -> None:
    assert (english.date(NOON), german.date(NOON)) == ("30 Dec 2024", "30. Dez. 2024")
    assert Formats("en", cycles).date(1234) == "1,234 cycles"
