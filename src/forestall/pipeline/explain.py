"""`forestall explain-change`: base run again with one factor of head at a time, and what each moved."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from forestall.comparison import factors
from forestall.comparison.explanation import Explanation, Run
from forestall.comparison.factors import FACTORS, PARAMS, Factor
from forestall.errors import ForestallError
from forestall.evaluation.tables import COST
from forestall.pipeline.revisions import Revision, RevisionError, git, named
from forestall.pipeline.scratch import RerunError, Scratch, scratch
from forestall.pipeline.seeds import seed_spread

METRICS, STAGE = "metrics/validation.json", "evaluate"
SIMULATED = "simulated"
Say = Callable[[str], None]


def explain_change(base: Revision, head: Revision, root: Path, say: Say) -> Explanation:
    """What moved the metrics from base to head.

    Raises:
        RevisionError: a revision's files cannot be had.
    """
    with scratch(root) as place:
        pair = Pair(place, base, head)
        wanted = pair.factors
        return Explanation(
            base=named(base),
            head=named(head),
            primary=COST,
            runs=list(_runs(pair, wanted, say)) if wanted else [],
            notes=list(pair.notes()),
            seed_spread=seed_spread(root),
        )


@dataclass(frozen=True)
class Pair:
    """Both revisions' files, and what differs between them."""

    place: Scratch
    base: Revision
    head: Revision

    @cached_property
    def trees(self) -> tuple[str, str]:
        """The hashes of base's and of head's files."""
        return self.place.tree(self.base), self.place.tree(self.head)

    @cached_property
    def paths(self) -> list[str]:
        """Files that differ."""
        return self.place.differing(*self.trees)

    @cached_property
    def settings(self) -> dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None]]:
        """Settings files that differ, as base and head have them; None where one does not."""
        return {
            path: (self._mapping(self.trees[0], path), self._mapping(self.trees[1], path))
            for path in self.paths
            if factors.is_settings(path)
        }

    @cached_property
    def code_differs(self) -> bool:
        """Whether any file of the code does."""
        return any(factors.factor_of(path) == "code" for path in self.paths)

    @cached_property
    def factors(self) -> list[Factor]:
        """Those that differ."""
        by_file = {factors.factor_of(path) for path in self.paths}
        before = self.mixed(set())
        return [
            factor for factor in FACTORS if factor in by_file or self._differ(self.mixed({factor}), before)
        ]

    def mixed(self, chosen: set[Factor]) -> dict[str, dict[str, Any]]:
        """The settings files that differ, with the chosen factors' part from head.

        A dataset file that only one of both has says nothing until `data.dataset` names it: it is always there.
        """
        return {
            path: factors.mixed(path, base, head, chosen, self.code_differs)
            if base is not None and head is not None
            else dict(base or head or {})
            for path, (base, head) in self.settings.items()
        }

    def notes(self) -> Iterator[str]:
        """What to know about how the settings were taken apart, and what does not count."""
        for path in not_added(self.place.root) if self.head.commit is None else ():
            yield f"{path} was changed and does not count until `dvc add {path}`."
        for path, (base, head) in self.settings.items() if self.code_differs else ():
            keys = factors.one_sided(path, base, head) if base is not None and head is not None else []
            if keys:
                yield (
                    f"{path}: {', '.join(f'`{key}`' for key in keys)}: only one side's code knows this; "
                    "it is counted as code, and the other side runs without it."
                )

    def lay(self, chosen: Factor, name: str) -> Path:
        """A repository with base's files and one factor of head."""
        folder = self.place.checkout(self.trees[0], name)
        for path in self.paths:
            if factors.factor_of(path) == chosen:
                _take(folder, self.trees[1], path)
        for path, content in self.mixed({chosen}).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            with (folder / path).open("w", encoding="utf-8") as file:
                YAML(typ="safe").dump(content, file)
        return folder

    def _differ(self, some: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]]) -> bool:
        """Whether two sets of settings differ in what a run reads: another dataset's facts are not."""
        used = {one.get(PARAMS, self._params).get("data", {}).get("dataset") for one in (some, other)}
        ignored = () if SIMULATED in used else ("simulate",)
        files = {PARAMS, *(f"{factors.DATASETS}/{name}.yaml" for name in used)}

        def seen(one: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
            return {
                path: {key: part for key, part in content.items() if path != PARAMS or key not in ignored}
                for path, content in one.items()
                if path in files
            }

        return seen(some) != seen(other)

    @cached_property
    def _params(self) -> dict[str, Any]:
        return self._mapping(self.trees[0], PARAMS) or {}

    def _mapping(self, tree: str, path: str) -> dict[str, Any] | None:
        text = self.place.text(tree, path)
        try:
            content = YAML(typ="safe").load(text) if text is not None else None
        except YAMLError as error:
            name = (self.base if tree == self.trees[0] else self.head).name
            raise RevisionError(f"{path} of {name} is not YAML: {' '.join(str(error).split())}") from error
        return content if isinstance(content, dict) else None


def _runs(pair: Pair, wanted: list[Factor], say: Say) -> Iterator[Run]:
    base, head = pair.trees
    yield _end(pair, "base", pair.base, base, say)
    for factor in wanted:
        tree = head if factor == "environment" else base
        yield _run(pair, f"base + {factor}", factor, tree, say)
    yield _end(pair, "head", pair.head, head, say)


def _end(pair: Pair, name: str, revision: Revision, tree: str, say: Say) -> Run:
    """Base or head itself; where it cannot run, as its own metrics have it."""
    run = _run(pair, name, None, tree, say)
    text = pair.place.text(tree, METRICS)
    if run.figures is not None or text is None or revision.commit is None:
        return run
    return Run(name, None, json.loads(text), run.why, [], recorded=True)


def _run(pair: Pair, name: str, factor: Factor | None, tree: str, say: Say) -> Run:
    say(f"{name} …")
    folder = pair.place.folder / name.replace(" ", "")
    try:
        programs = pair.place.environment(tree)
        made = pair.lay(factor, folder.name) if factor else pair.place.checkout(tree, folder.name)
        reran = pair.place.repro(made, programs, STAGE)
        return Run(name, factor, _figures(made), None, reran)
    except ForestallError as error:
        return Run(name, factor, None, str(error), [])
    finally:
        if folder.exists():
            shutil.rmtree(folder)


def _figures(folder: Path) -> dict[str, float]:
    if not (folder / METRICS).is_file():
        raise RerunError(f"its stage {STAGE} writes no {METRICS}.")
    return dict(json.loads((folder / METRICS).read_text(encoding="utf-8")))


def _take(folder: Path, tree: str, path: str) -> None:
    if git(folder, "cat-file", "-e", f"{tree}:{path}", check=False).returncode == 0:
        git(folder, "checkout", tree, "--", path)
    else:
        git(folder, "rm", "--quiet", "--", path)


def not_added(root: Path) -> list[str]:
    """Tables below data/ whose .dvc file knows them as they were before."""
    # Here, not above: dvc takes most of a second to import.
    from dvc.repo import Repo

    files = [str(file) for file in sorted((root / "data").rglob("*.dvc"))]
    if not files:
        return []
    with Repo(str(root)) as repo:
        found: Any = repo.status(targets=files)
    outs = [one.get("changed outs", {}) for parts in found.values() for one in parts if isinstance(one, dict)]
    return [path for part in outs for path, how in part.items() if how == "modified"]
