"""`forestall compare --html` between a branch with a hostile name and the commit that it left, in a real repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.clones import command, repro, set_values
from tests.pipeline.repository import commit, first_run

pytestmark = pytest.mark.pipeline
BRANCH = "<script>document.title='hit'</script>"


@pytest.mark.slow
def test_the_page_of_a_branch(tmp_path: Path) -> None:
    folder = first_run(tmp_path / "repository")
    assert command(folder, "git", "switch", "-qc", BRANCH).returncode == 0
    set_values(folder, "params.yaml", {"train.extra_trees.trees": 2})
    repro(folder)
    commit(folder, "fewer trees")

    page = tmp_path / "page.html"
    done = command(folder, "forestall", "compare", "main", BRANCH, "--html", str(page))
    assert done.returncode == 0, done.stdout
    assert "Not judged on the same decisions" not in done.stdout
    text = page.read_text(encoding="utf-8")
    assert BRANCH not in text and "&lt;script&gt;" in text
    assert "train.extra_<wbr>trees.trees" in text
    assert text.count("<figure>") == (folder / "dvc.yaml").read_text(encoding="utf-8").count("template: ")
