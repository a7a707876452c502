"""A how-to's commands, as a reader would copy them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.pipeline.clones import ROOT, command

HOW_TO = ROOT / "docs/how-to/bring-your-own-data.md"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)

VARIES = (
    (r"file:///\S+/dvc_plots", "file:///…/dvc_plots"),
    (r"\b[0-9a-f]{7,40}\b", "H"),
    (r": (better|worse|no evidence of a difference in cost|no evidence)$", ": WORD"),
    (r"(?<=^### Gate: )(NOT )?passed$", "WORD"),
    (r"(?<![\w.-])[-+]?\d[\d,]*(\.\d+)?(e[-+]\d+)?(?![\w-])", "N"),
    (r"-{2,}", "-"),
    (r"\s+", " "),
)


def console(heading: str, document: Path = HOW_TO) -> list[str]:
    """The lines of the console blocks below a heading, `$ ` before the commands among them."""
    text = document.read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [line for block in BLOCK.findall(section) for line in block.splitlines()]


def commands(heading: str, beginning: str = "", document: Path = HOW_TO) -> list[str]:
    """The section's commands that begin so.

    Raises:
        AssertionError: the how-to has none.
    """
    lines = [line.removeprefix("$ ") for line in console(heading, document) if line.startswith("$ ")]
    found = [line for line in lines if line.startswith(beginning)]
    assert found, f"{document.name}, {heading}: no command begins with {beginning!r}"
    return found


def shown(heading: str, document: Path) -> list[tuple[str, list[str]]]:
    """A numbered section's commands, each with the lines that the document shows of what it prints.

    Those are in the console block below the command, or a Markdown table below the block.
    """
    text = document.read_text(encoding="utf-8")
    section = re.split(r"\n## (?=\d+\. )", text.split(f"\n## {heading}\n", 1)[1])[0]
    found: list[tuple[str, list[str]]] = []
    inside = False
    for line in section.splitlines():
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        elif found and line.strip() and (inside or line.startswith("|")):
            found[-1][1].append(line)
    assert found, f"{document.name}, {heading}: no command"
    return found


def shape(line: str) -> str:
    """A line without what differs between fleets and clones: numbers, hashes, folders, the word, widths of columns."""
    for pattern, instead in VARIES:
        line = re.sub(pattern, instead, line)
    cells = line.strip().strip("|").split("|") if line.startswith("|") else []
    # The row of a figure or rule: what it is about and how many cells; the table's heading has no number.
    row = len(cells) > 1 and any(re.search(r"\bN\b|^ (passed|\*\*failed\*\*) $", cell) for cell in cells[1:])
    return (
        f"{cells[0].strip()} and {len(cells) - 1} cells" if row and "figure" not in cells[0] else line.strip()
    )


def as_shown(lines: list[str], printed: str) -> None:
    """Hold that what is shown is what was printed, line by line; `…` alone stands for any lines.

    Raises:
        AssertionError: it is not.
    """
    left = [shape(line) for line in printed.splitlines() if line.strip()]
    parts: list[list[str]] = [[]]
    for line in lines:
        if line == "…":
            parts.append([])
        else:
            parts[-1].append(shape(line))
    for number, want in enumerate(parts):
        first = len(left) - len(want) if number == len(parts) - 1 and want else 0
        places = range(first, len(left) - len(want) + 1) if number else [0]
        at = next((at for at in places if left[at : at + len(want)] == want), None)
        assert at is not None, "\n".join(["shown:", *want, "printed:", *left])
        left = left[at + len(want) :]
    assert not left or not parts[-1], "\n".join(["printed, not shown:", *left])


def newcomer(home: Path) -> Path:
    """A home folder of someone whom Git knows and who has set nothing else."""
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\nname = New\nemail = new@example.org\n", encoding="utf-8")
    return home


def said(folder: Path, line: str, home: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command line there, in the shell and with this home, and collect what it prints."""
    return command(folder, "bash", "-c", line, HOME=str(home), MAKEFLAGS="", MAKELEVEL="0", **changes)


def run(folder: Path, line: str, home: Path, **changes: str) -> str:
    """The same of one that must succeed; returns what it prints."""
    done = said(folder, line, home, **changes)
    assert done.returncode == 0, f"{line}\n{done.stdout}"
    return done.stdout
