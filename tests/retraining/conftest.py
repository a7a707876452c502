"""The small plant's bundle and stores, as tests of monitoring have them."""

from tests.monitoring.conftest import *  # noqa: F403
