"""The small plant's bundle, as tests of serving have it."""

from tests.serving.conftest import bundle_folder, made

__all__ = ["bundle_folder", "made"]
