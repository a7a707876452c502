"""The small plant's bundle and stores, as tests of serving have them."""

from tests.serving.conftest import (
    addresses_of_a_kind,
    bundle,
    bundle_folder,
    counter,
    counting_folder,
    made,
    monitored,
    store,
)

__all__ = [
    "addresses_of_a_kind",
    "bundle",
    "bundle_folder",
    "counter",
    "counting_folder",
    "made",
    "monitored",
    "store",
]
