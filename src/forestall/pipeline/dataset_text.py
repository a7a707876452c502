"""A dataset file in which tables get more files, its comments and everything else as they were."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq


def with_files(file: Path, patterns: Iterable[tuple[str, str]]) -> str:
    """The text of a dataset file whose tables have these files, too: (table, path or glob), each once."""
    yaml = YAML()
    yaml.width, yaml.preserve_quotes = 10_000, True
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = file.read_text(encoding="utf-8")
    content = yaml.load(text)
    changed = [_add(content["tables"][table], pattern) for table, pattern in patterns]
    if not any(changed):
        return text
    out = StringIO()
    yaml.dump(content, out)
    return out.getvalue()


def _add(table: CommentedMap, pattern: str) -> bool:
    """Whether it had to be added."""
    files = table["files"]
    if pattern in ([files] if isinstance(files, str) else files):
        return False
    if isinstance(files, str):
        files = CommentedSeq([files])
        files.fa.set_flow_style()
        table["files"] = files
    files.append(pattern)
    return True
