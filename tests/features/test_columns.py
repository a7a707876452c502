"""A feature's name is its own."""

import numpy as np
import pytest

from forestall.errors import SettingsError
from forestall.features.columns import Columns


def test_two_features_of_one_name_are_refused() -> None:
    columns = Columns(["errors"])
    columns.add("a+b+c.24h", "errors", "a+b", np.zeros((1, 1)))
    with pytest.raises(SettingsError, match=r"'a\+b\+c\.24h': rename a sensor, error code"):
        columns.add("a+b+c.24h", "errors", "a", np.zeros((1, 1)))
