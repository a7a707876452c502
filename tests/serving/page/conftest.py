"""The fixtures of tests with a browser and without, and the small plant's bundle."""

from tests.serving.api.conftest import in_service, soon, watched_bundle, whole_bundle
from tests.serving.page.browsing import database, fleet, judged, visit, visits
from tests.serving.page.services import desk, told

__all__ = [
    "database",
    "desk",
    "fleet",
    "in_service",
    "judged",
    "soon",
    "told",
    "visit",
    "visits",
    "watched_bundle",
    "whole_bundle",
]
