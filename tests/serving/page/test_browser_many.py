"""10,000 machines of four parts each: the first page is there within a second, and an act is done within a fifth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests.serving.api.process import Served, serving
from tests.serving.page.browsing import BUNDLE, ROOT, Visits
from tests.serving.page.many import MACHINES, many_machines
from tests.serving.page.timing import acknowledge, paints, without_opinion

pytestmark = pytest.mark.slow
TIMES = 9


@pytest.fixture(scope="module")
def crowd(judged: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The service in a process of its own."""
    file = many_machines(judged, tmp_path_factory.mktemp("many") / "forestall.sqlite", BUNDLE)
    with serving(
        ROOT, "--database", f"sqlite:///{file}", "--bundle", str(BUNDLE), "--recorded", "--record", str(ROOT)
    ) as served:
        yield served


def address(served: Served) -> str:
    return str(served.client.base_url).rstrip("/")


def test_all_of_them_are_there(crowd: Served) -> None:
    assert f"{MACHINES:,} machines" in crowd.client.get("/", headers={"accept-language": "en"}).text


def test_the_first_page_is_painted_within_a_second(crowd: Served, visits: Visits) -> None:
    """A new browser each time, which has no script and no style yet."""
    took = [paints(visits(address(crowd)).page, address(crowd)) for _ in range(TIMES)]
    assert median(first for first, _ in took) < 1000
    assert median(largest for _, largest in took) < 1000


def test_an_act_is_shown_within_a_fifth_of_a_second(crowd: Served, visits: Visits) -> None:
    page = visits(address(crowd)).page
    found = crowd.client.get(f"/v1/alarms?state=open&limit={TIMES}").json()["alarms"]
    assert len(found) == TIMES
    assert median(acknowledge(page, address(crowd), one["id"]) for one in found) < 200


def test_a_filter_is_shown_within_half_a_second(crowd: Served, visits: Visits) -> None:
    page = visits(address(crowd)).page
    assert median(without_opinion(page, address(crowd)) for _ in range(TIMES)) < 500
