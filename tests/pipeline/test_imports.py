"""The code that a stage runs is found, whatever way it is imported; dvc.yaml is rewritten with care."""

from pathlib import Path

import pytest

from forestall.errors import ForestallError
from forestall.pipeline import imports
from tests.pipeline import declarations

SOURCES = {
    "src/go.py": "import numpy\nfrom forestall.a import one, two\nimport forestall.d.e as e\n",
    "src/forestall/__init__.py": "",
    "src/forestall/a/__init__.py": "from forestall.b import helper\n",
    "src/forestall/a/one.py": "def f():\n    from forestall import late\n",
    "src/forestall/a/unused.py": "",
    "src/forestall/b.py": "import forestall.a\nhelper = 1\n",
    "src/forestall/late.py": "",
    "src/forestall/d/__init__.py": "",
    "src/forestall/d/words.json": "{}",
    "src/forestall/d/e.py": "if False:\n    import forestall.f\n",
    "src/forestall/f.py": "",
}
CLOSURE = [
    "src/forestall/__init__.py",
    "src/forestall/a/__init__.py",
    "src/forestall/a/one.py",
    "src/forestall/b.py",
    "src/forestall/d/__init__.py",
    "src/forestall/d/e.py",
    "src/forestall/d/words.json",
    "src/forestall/f.py",
    "src/forestall/late.py",
]
DVC = """\
# The pipeline.
stages:
  go:  # why
    desc: "Goes."
    cmd: python src/go.py
    deps:
    # code
    - src/go.py  # the script
    - src/forestall/gone.py
    # above b
    - src/forestall/b.py  # b
    - data/raw/${data.dataset}  # data
    - requirements/pipeline.txt
    outs: [data/out]
"""
FIXED = """\
# The pipeline.
stages:
  go:  # why
    desc: "Goes."
    cmd: python src/go.py
    deps:
    # code
    - src/go.py  # the script
{before}
    # above b
    - src/forestall/b.py  # b
{after}
    - data/raw/${{data.dataset}}  # data
    - requirements/pipeline.txt
    outs: [data/out]
""".format(
    before="\n".join(f"    - {file}" for file in CLOSURE[:3]),
    after="\n".join(f"    - {file}" for file in CLOSURE[4:]),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small repository."""
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_closure(root: Path) -> None:
    assert imports.stage_modules(root / "src/go.py", root) == CLOSURE


def test_code_beside_the_script_and_imports_by_name_count(root: Path) -> None:
    script = root / "src/go.py"
    script.write_text(
        "import common, json\n__import__('forestall.f')\nimportlib.import_module('forestall.late')\n",
        encoding="utf-8",
    )
    (root / "src/common.py").write_bytes(b"# coding: latin-1\n# \xe4\nfrom shared import x\n")
    for name in ("src/shared/__init__.py", "src/shared/x.py", "src/forestall/common.py"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).touch()
    found = ["common", "forestall/__init__", "forestall/f", "forestall/late", "shared/__init__", "shared/x"]
    assert imports.stage_modules(script, root) == [f"src/{name}.py" for name in found]
    (root / "src/forestall/f.py").write_text("import common\n", encoding="utf-8")
    script.write_text("import forestall.f\n", encoding="utf-8")
    assert imports.stage_modules(script, root) == ["src/forestall/__init__.py", "src/forestall/f.py"]


def test_relative_imports_are_refused(root: Path) -> None:
    (root / "src/forestall/f.py").write_text("from . import b\n", encoding="utf-8")
    with pytest.raises(ForestallError, match=r"f\.py, line 1: write the import in full"):
        imports.stage_modules(root / "src/go.py", root)


def test_fix_changes_only_code_deps(root: Path) -> None:
    assert imports.fixed(DVC, root) == FIXED
    assert imports.fixed(FIXED, root) == FIXED


def test_fix_sorts_what_is_out_of_order_and_keeps_what_stands_behind_it(root: Path) -> None:
    text = "stages:\n  go:\n    cmd: python src/go.py\n    deps:\n{}"
    deps = ["src/go.py  # first", *CLOSURE, "requirements/pipeline.txt"]
    listed = "".join(f"    - {dep}\n" for dep in deps)
    assert imports.fixed(text.format("".join(f"    - {dep}\n" for dep in reversed(deps))), root) == (
        text.format(listed)
    )
    lock_first = "    - requirements/pipeline.txt\n    - src/go.py  # first"
    assert imports.fixed(text.format(lock_first), root) == text.format(listed)
    without_end = "    - src/go.py  # first\n    - requirements/pipeline.txt\n    - src/forestall/gone.py"
    assert imports.fixed(text.format(without_end), root) == text.format(listed)


@pytest.mark.parametrize(
    "line", ["import forestall.gone", "from forestall.gone import x", "def f():\n    import forestall.d.gone"]
)
def test_an_import_of_a_module_that_is_not_there_is_said(root: Path, line: str) -> None:
    (root / "src/forestall/f.py").write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(
        ForestallError, match=r"f\.py, line [12]: imports forestall\.(d\.)?gone, which is not"
    ):
        imports.fixed(DVC, root)


def test_fix_says_what_it_wrote(root: Path) -> None:
    (root / "dvc.yaml").write_text(DVC, encoding="utf-8")
    assert imports.fix(root) == ["dvc.yaml"]
    assert (root / "dvc.yaml").read_text(encoding="utf-8") == FIXED
    assert imports.fix(root) == []


@pytest.mark.parametrize("deps", ["", "    deps: [src/go.py]\n", "    deps: []\n"])
def test_fix_needs_a_list_of_deps(root: Path, deps: str) -> None:
    with pytest.raises(ForestallError, match="stage go"):
        imports.fixed(f"stages:\n  go:\n    cmd: python src/go.py\n{deps}", root)


@pytest.mark.parametrize(
    "deps",
    [
        "\n    - >-\n      src/go.py\n    - data/x\n",
        "\n    -\n      src/go.py\n",
        " &a\n    - src/go.py\n  come:\n    cmd: python src/go.py\n    deps: *a\n",
    ],
)
def test_fix_leaves_alone_what_it_cannot_write(root: Path, deps: str) -> None:
    with pytest.raises(
        ForestallError, match=r"the stage (go|come) a list of deps, a line each, without anchors"
    ):
        imports.fixed(f"stages:\n  go:\n    cmd: python src/go.py\n    deps:{deps}", root)


def test_code_of_a_command_that_is_not_read_is_not_taken_away(root: Path) -> None:
    text = "stages:\n  go:\n    cmd: {}\n    deps:\n    - src/go.py\n    - data/x\n"
    assert imports.fixed(text.format("sh go.sh"), root) == text.format("sh go.sh")
    for cmd in ("python -u src/go.py", "python3 src/go.py", "python -m go"):
        with pytest.raises(
            ForestallError, match=r"dvc\.yaml: go: its cmd does not say `python <script>\.py`"
        ):
            imports.fixed(text.format(cmd), root)


def test_declarations_are_read_off_the_script(tmp_path: Path) -> None:
    script = tmp_path / "go.py"
    script.write_text('D = ["tables", "clock"]\nstage.load(params=["train"], dataset=D)\n', encoding="utf-8")
    assert declarations.in_script(script) == declarations.Declared(("train",), ("clock", "tables"))


def test_declarations_must_be_literal(tmp_path: Path) -> None:
    script = tmp_path / "go.py"
    script.write_text("stage.load(params=[name], dataset=[])\n", encoding="utf-8")
    with pytest.raises(ForestallError, match="literal names"):
        declarations.in_script(script)
