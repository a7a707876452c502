"""How long a page takes in a browser: until something is painted, and from a click to what comes of it."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.serving.api.process import until

PAINTED = """() => new Promise((done) => new PerformanceObserver((list) => done([
  performance.getEntriesByName("first-contentful-paint")[0].startTime, list.getEntries().at(-1).startTime,
])).observe({ type: "largest-contentful-paint", buffered: true }))"""
# Two frames after the change, it is on the screen.
UNTIL = """([does, shows]) => new Promise((done) => {
  const begun = performance.now();
  const look = () => {
    if (!document.querySelector(shows)) return requestAnimationFrame(look);
    return requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begun)));
  };
  const thing = document.querySelector(does);
  if (thing.matches("option")) {
    thing.selected = true;
    thing.parentElement.dispatchEvent(new Event("change", { bubbles: true }));
  } else thing.click();
  look();
})"""


def paints(page: Page, address: str) -> tuple[float, float]:
    """Milliseconds until the first content, and until the largest of it, is painted."""
    page.goto(address)
    first, largest = page.evaluate(PAINTED)
    return first, largest


def from_click(page: Page, does: str, shows: str) -> float:
    """Milliseconds from a click on `does`, or the choice of that option, until what `shows` matches is painted."""
    until(lambda: page.evaluate("typeof htmx === 'object' && document.readyState === 'complete'"))
    assert not page.locator(shows).count()
    return float(page.evaluate(UNTIL, [does, shows]))


def acknowledge(page: Page, url: str, number: int) -> float:
    """Milliseconds from the click to the page that says that it is done."""
    page.goto(f"{url}/alarms/{number}")
    return from_click(page, "[value=acknowledge]", ".outcome .done")


def without_opinion(page: Page, url: str) -> float:
    """Milliseconds from the choice of a status, of the last machines of the list, to the list of them."""
    page.goto(f"{url}/")
    return from_click(page, "#status [value='no opinion']", "#rows:not(:has(tr.alarm)) tr.no-opinion")
