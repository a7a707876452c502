"""Fixtures of the data tests."""

from pathlib import Path

import pytest

from tests.data.case import Case


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """A sound small plant in a folder of its own."""
    return Case(tmp_path)
