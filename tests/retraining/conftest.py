"""The small plant's bundle, as tests of serving have it."""

from tests.serving.conftest import addresses_of_a_kind, bundle, bundle_folder, made, store

__all__ = ["addresses_of_a_kind", "bundle", "bundle_folder", "made", "store"]
