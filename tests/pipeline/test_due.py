"""The policy as a commit's params.yaml has it, or has not."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from forestall.errors import SettingsError
from forestall.pipeline.due import policy_in
from tests.pipeline.clones import ROOT, set_values


def test_the_policy_is_that_of_the_file(tmp_path: Path) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    set_values(tmp_path, "params.yaml", {"retraining.every_months": 3})
    assert policy_in(tmp_path).every_months == 3


def test_a_commit_from_before_the_policy_is_told_what_to_add(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(re.sub(r"(?ms)^retraining:.*", "", text), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"^params\.yaml: retraining: missing; add it\.$"):
        policy_in(tmp_path)
