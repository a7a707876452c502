"""A how-to's commands, as a reader would copy them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.pipeline.clones import ROOT, environment

HOW_TO = ROOT / "docs/how-to/bring-your-own-data.md"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


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


def newcomer(home: Path) -> Path:
    """A home folder of someone whom Git knows and who has set nothing else."""
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\nname = New\nemail = new@example.org\n", encoding="utf-8")
    return home


def run(folder: Path, line: str, home: Path) -> str:
    """Run a command line there, in the shell and with this home; returns what it prints."""
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=environment(HOME=str(home), MAKEFLAGS=""),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}"
    return done.stdout
