"""What a stage declares, in its script's `stage.load(...)` and in dvc.yaml: the two must say the same."""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forestall.errors import ForestallError


@dataclass(frozen=True)
class Declared:
    """Sections of params.yaml and of the dataset file, sorted."""

    params: tuple[str, ...]
    dataset: tuple[str, ...]


def in_script(script: Path) -> Declared:
    """What the script's calls of `stage.load` ask for; lists are literal or constants of the script."""
    tree = ast.parse(script.read_text(encoding="utf-8"), script.name)
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    asked: dict[str, set[str]] = {"params": set(), "dataset": set()}
    for call in filter(_is_load, ast.walk(tree)):
        for keyword in call.keywords:  # type: ignore[attr-defined]
            asked[keyword.arg] |= _strings(keyword.value, constants, script)
    return Declared(tuple(sorted(asked["params"])), tuple(sorted(asked["dataset"])))


def in_dvc(stage: dict[str, Any]) -> Declared:
    """What a stage's entry in dvc.yaml lists under `params`."""
    params, dataset = set(), set()
    for entry in stage.get("params", []):
        if isinstance(entry, str):
            params.add(entry)
            continue
        for sections in entry.values():
            dataset |= set(sections)
    return Declared(tuple(sorted(params)), tuple(sorted(dataset)))


def _is_load(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "stage.load"


def _strings(node: ast.expr, constants: dict[str, ast.expr], script: Path) -> set[str]:
    value = constants.get(node.id, node) if isinstance(node, ast.Name) else node
    try:
        return set(ast.literal_eval(value))
    except ValueError as error:
        message = f"{script}, line {node.lineno}: give stage.load lists of literal names."
        raise ForestallError(message) from error
