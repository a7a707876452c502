#!/usr/bin/env python3
"""Write a comparison into one comment of a GitHub pull request: the one written before, if there is one.

`.ci/comment.py 12 comparison.md`, with GITHUB_TOKEN and GITHUB_REPOSITORY (owner/name) in the environment. It needs
nothing but Python, so that the job that may write runs no package and no code of the pull request. Called by make.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

MARK = "<!-- forestall compare -->"
LONGEST = 65_536  # characters that GitHub takes
CUT = "\n\n… the rest is in the job's summary.\n"
SECONDS = 20


class Comments:
    """The comments of one pull request, by GitHub's REST API."""

    def __init__(self, pull: int) -> None:
        home = os.environ.get("GITHUB_API_URL", "https://api.github.com")
        self._issues = f"{home}/repos/{os.environ['GITHUB_REPOSITORY']}/issues"
        self._first = f"{self._issues}/{pull}/comments?per_page=100"
        self._token = os.environ["GITHUB_TOKEN"]

    def ours(self) -> int | None:
        """The number of the comment that a bot wrote here before."""
        for comment in self._all():
            if comment["body"].startswith(MARK) and comment["user"]["type"] == "Bot":
                return int(comment["id"])
        return None

    def write(self, body: str) -> str:
        """Write the comment, or write it anew; its address."""
        number = self.ours()
        given = json.dumps({"body": body}).encode()
        if number is None:
            written, _ = self._ask("POST", self._first.partition("?")[0], given)
        else:
            written, _ = self._ask("PATCH", f"{self._issues}/comments/{number}", given)
        return str(written["html_url"])

    def _all(self) -> Iterator[dict[str, Any]]:
        page: str | None = self._first
        while page:
            found, links = self._ask("GET", page)
            yield from found
            more = re.search(r'<([^>]+)>; rel="next"', links)
            page = more.group(1) if more else None

    def _ask(self, method: str, address: str, given: bytes | None = None) -> tuple[Any, str]:
        if urlsplit(address)[:2] != urlsplit(self._first)[:2]:
            raise ValueError(f"{address} is another server")  # the token is not for it
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/vnd.github+json"}
        request = Request(address, given, headers, method=method)
        with urlopen(request, timeout=SECONDS) as answer:
            return json.load(answer), answer.headers.get("Link", "")


def body(report: str) -> str:
    """The report as a comment's text, found again by its mark and no longer than GitHub takes."""
    text = f"{MARK}\n{report}"
    if len(text) <= LONGEST:
        return text
    kept = text[: LONGEST - len(CUT)]
    return kept[: kept.rindex("\n")] + CUT


def main(pull: str, file: str) -> int:
    """Write the comment; exits with 1 and the reason where that cannot be done."""
    try:
        report = Path(file).read_text(encoding="utf-8")
        print(Comments(int(pull)).write(body(report)))
    except KeyError as unset:
        print(f"{unset.args[0]} is not set: this is for a GitHub workflow.", file=sys.stderr)
        return 1
    except (OSError, URLError, ValueError) as error:
        print(f"The comparison is not on the pull request: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
