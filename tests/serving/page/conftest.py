"""The fixtures of tests with a browser."""

from tests.serving.page.browsing import database, fleet, judged, visit, visits

__all__ = ["database", "fleet", "judged", "visit", "visits"]
