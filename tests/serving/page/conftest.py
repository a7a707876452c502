"""The fixtures of tests with a browser, and the small plant's bundle."""

from tests.serving.api.conftest import whole_bundle
from tests.serving.page.browsing import database, fleet, judged, visit, visits

__all__ = ["database", "fleet", "judged", "visit", "visits", "whole_bundle"]
