"""The small plant's bundle and stores, as serving's tests have them."""

from __future__ import annotations

from tests.serving.conftest import (  # noqa: F401
    addresses_of_a_kind,
    bundle,
    bundle_folder,
    counting_folder,
    made,
    store,
)
