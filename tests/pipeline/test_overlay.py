"""The plots of two revisions laid over each other, and the page with them in a real browser without a network."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from forestall.errors import ForestallError
from forestall.pipeline.overlay import plots
from forestall.pipeline.page import write_page
from forestall.pipeline.revisions import Workspace
from tests.comparison.reports import HOSTILE, report
from tests.pipeline.clones import ROOT

WIDE, NARROW = 1280, 390
TEXT = {"light": "rgb(31, 35, 40)", "dark": "rgb(230, 237, 243)"}
Scheme = Literal["light", "dark"]


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Workspace, Workspace]:
    """This repository's metrics, and others: all tables but one have a row more, and one is not there."""
    for name in ("base", "head"):
        for part in ("metrics", ".dvc/plots"):
            shutil.copytree(ROOT / part, tmp_path / name / part)
        shutil.copyfile(ROOT / "dvc.yaml", tmp_path / name / "dvc.yaml")
    for table in (tmp_path / "base/metrics").rglob("*.csv"):
        rows = table.read_text(encoding="utf-8").splitlines()
        more = rows if table.name == "slices.csv" else [*rows, rows[-1]]
        table.write_text("\n".join([*more, ""]), encoding="utf-8")
    (tmp_path / "base/metrics/budget.csv").unlink()
    return Workspace(tmp_path / "base", "main"), Workspace(tmp_path / "head", HOSTILE)


def test_every_plot_of_dvc_yaml_is_there_with_both_revisions(sides: tuple[Workspace, Workspace]) -> None:
    found = {one.file: one for one in plots(*sides)}
    assert len(found) == (ROOT / "dvc.yaml").read_text(encoding="utf-8").count("template: ")

    def revisions(file: str) -> set[str]:
        return {row["rev"] for row in found[file].specification["data"]["values"]}

    assert revisions("metrics/policies.csv") == {"main", HOSTILE}
    assert revisions("metrics/budget.csv") == {HOSTILE}
    assert revisions("metrics/slices.csv") == {"both"}
    assert [one.file for one in found.values() if one.same] == ["metrics/slices.csv"]
    assert not any("<DVC_METRIC" in str(one.specification) for one in found.values())


def test_revisions_of_one_name_are_told_apart(sides: tuple[Workspace, Workspace]) -> None:
    base, head = (Workspace(one.root, "same") for one in sides)
    rows = plots(base, head)[1].specification["data"]["values"]
    assert {row["rev"] for row in rows} == {"base", "head"}


def test_a_page_that_cannot_be_written_is_an_error_with_its_name(
    sides: tuple[Workspace, Workspace], tmp_path: Path
) -> None:
    with pytest.raises(ForestallError, match=r"nowhere/page\.html cannot be written: No such file"):
        write_page(tmp_path / "nowhere/page.html", report(), *sides)


@pytest.mark.slow
@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_without_a_network_draws_every_plot(
    sides: tuple[Workspace, Workspace], tmp_path: Path, browser: Browser, width: int, scheme: Scheme
) -> None:
    file, said = tmp_path / "page.html", list[str]()
    write_page(file, report(), *sides)
    context = browser.new_context(offline=True, color_scheme=scheme, viewport={"width": width, "height": 900})
    shown = context.new_page()
    shown.on("request", lambda one: said.append(one.url))
    shown.on("pageerror", lambda one: said.append(str(one)))
    shown.on("console", lambda one: said.append(one.text))
    shown.goto(file.as_uri())
    shown.get_by_text("The same in both: 1").click()
    for number in range(shown.locator(".plot").count()):
        plot = shown.locator(".plot").nth(number)
        plot.scroll_into_view_if_needed()
        plot.locator("svg").wait_for()
    assert said == [file.as_uri()]
    assert shown.title().startswith("better: <script>")  # it would be `hit` had a name run
    assert shown.evaluate("document.documentElement.scrollWidth") == width
    label = shown.locator(".plot svg text").first
    assert label.evaluate("text => getComputedStyle(text).fill") == TEXT[scheme]
    context.close()


@pytest.mark.slow
def test_a_printed_page_has_the_plots_that_nobody_scrolled_to(
    sides: tuple[Workspace, Workspace], tmp_path: Path, browser: Browser
) -> None:
    file = tmp_path / "page.html"
    write_page(file, report(), *sides)
    shown = browser.new_page()
    shown.goto(file.as_uri())
    unfolded = "main section > figure > .plot"
    assert shown.locator(f"{unfolded} svg").count() < shown.locator(unfolded).count()
    shown.pdf(path=tmp_path / "page.pdf")
    assert shown.locator(f"{unfolded} svg").count() == shown.locator(unfolded).count()
    shown.close()


@pytest.mark.slow
def test_the_page_is_read_with_the_keyboard_alone(
    sides: tuple[Workspace, Workspace], tmp_path: Path, browser: Browser
) -> None:
    file = tmp_path / "page.html"
    write_page(file, report(), *sides)
    shown = browser.new_page(viewport={"width": NARROW, "height": 900})
    shown.goto(file.as_uri())
    reached = []
    for _ in range(3):
        shown.keyboard.press("Tab")
        reached.append(shown.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert reached[:2] == [
        "Each rule, on head's validation fold",
        "Figures of both on head's validation decisions",
    ]
    table = shown.get_by_role("region", name=reached[1])
    table.focus()
    shown.keyboard.press("ArrowRight")
    # Not `wait_for_function`: from its second look on it needs the `eval` that the page's own policy forbids.
    deadline = time.monotonic() + 10
    while not shown.evaluate("document.activeElement.scrollLeft > 0"):
        assert time.monotonic() < deadline, "the table did not move"
        time.sleep(0.02)
    shown.close()
