"""The plots that dvc.yaml declares, the data of two revisions laid over each other as `dvc plots diff` has them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from forestall.comparison.page import Plot
from forestall.pipeline.revisions import Revision

TEMPLATES = ".dvc/plots"
Rows = list[dict[str, str]]


def plots(base: Revision, head: Revision) -> list[Plot]:
    """Every plot that head's dvc.yaml declares and that has data in either, drawn by head's templates."""
    found = (_plot(base, head, file, how) for file, how in _declared(head))
    return [one for one in found if one is not None]


def _declared(one: Revision) -> Iterator[tuple[str, dict[str, Any]]]:
    """The files of plots and how each is drawn."""
    content = YAML(typ="safe").load(one.text("dvc.yaml") or "") or {}
    for stage in content.get("stages", {}).values():
        for plot in stage.get("plots", []):
            yield from plot.items() if isinstance(plot, dict) else ((plot, {}),)


def _plot(base: Revision, head: Revision, file: str, how: dict[str, Any]) -> Plot | None:
    from dvc_render.vega import VegaRenderer
    from dvc_render.vega_templates import Template

    template = head.text(f"{TEMPLATES}/{how.get('template')}.json")
    before, after = (one.text(file) for one in (base, head))
    same = before == after
    names = _names(base, head)
    sides = [("both", after)] if same else zip(names, (before, after), strict=True)
    rows = [row for name, text in sides for row in _rows(text, name)]
    if template is None or not rows:
        return None
    # DVC's own filling of its templates, with what it gives `dvc plots diff`.
    settings = {key: value for key, value in how.items() if key not in ("cache", "template")}
    drawn = VegaRenderer(rows, file, template=Template(json.loads(template), file), **settings)
    return Plot(file, str(how.get("title", file)), drawn.get_filled_template(strict=False), same)


def _rows(text: str | None, name: str) -> Rows:
    """A table's rows with the revision that they are of."""
    return [{**row, "rev": name} for row in csv.DictReader(StringIO(text))] if text else []


def _names(base: Revision, head: Revision) -> tuple[str, str]:
    """What the legend calls them."""
    return (base.name, head.name) if base.name != head.name else ("base", "head")
