"""The comment on a pull request, written to a server that answers as GitHub's REST API does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.pipeline.clones import ROOT

TOKEN = "a-token"
COMMENTS = "/repos/plant/forestall/issues"


class GitHub(ThreadingHTTPServer):
    """Pull request 12 with its comments, two on a page; `down` answers 503."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.comments: list[dict[str, Any]] = []
        self.elsewhere: str | None = None
        self.down = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def add(self, body: str, kind: str) -> dict[str, Any]:
        number = len(self.comments) + 1
        address = f"https://github.example/{number}"
        self.comments.append({"id": number, "body": body, "user": {"type": kind}, "html_url": address})
        return self.comments[-1]


class _Answers(BaseHTTPRequestHandler):
    server: GitHub

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        assert path == f"{COMMENTS}/12/comments"
        page = int(query.rpartition("&page=")[2]) if "&page=" in query else 1
        links = {}
        if page * 2 < len(self.server.comments):
            home = self.server.elsewhere or self.server.address
            links["Link"] = f'<{home}{path}?per_page=100&page={page + 1}>; rel="next"'
        self._say(self.server.comments[page * 2 - 2 : page * 2], **links)

    def do_POST(self) -> None:
        assert self.path == f"{COMMENTS}/12/comments"
        self._say(self.server.add(self._given(), "Bot"))

    def do_PATCH(self) -> None:
        comment = self.server.comments[int(self.path.removeprefix(f"{COMMENTS}/comments/")) - 1]
        comment["body"] = self._given()
        self._say(comment)

    def _given(self) -> str:
        return str(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"])

    def _say(self, what: object, **headers: str) -> None:
        right = self.headers["Authorization"] == f"Bearer {TOKEN}"
        self.send_response(503 if self.server.down else 200 if right else 401)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(json.dumps(what).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def running() -> Iterator[GitHub]:
    server = GitHub()
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture
def github() -> Iterator[GitHub]:
    with running() as server:
        yield server


def comment(server: GitHub, report: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the workflow runs, with what GitHub gives it."""
    given = {
        "PATH": "/usr/bin:/bin",
        "GITHUB_API_URL": server.address,
        "GITHUB_REPOSITORY": "plant/forestall",
        "GITHUB_TOKEN": TOKEN,
    }
    words = [sys.executable, str(ROOT / ".ci/comment.py"), "12", str(report)]
    return subprocess.run(words, env=given | environment, text=True, capture_output=True, check=False)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    file = tmp_path / "comparison.md"
    file.write_text("## better: main → faster\n", encoding="utf-8")
    return file


def test_the_second_comparison_replaces_the_first(github: GitHub, report: Path) -> None:
    for text in ("Looks good", "<!-- forestall compare --> said someone", "And this?"):
        github.add(text, "User")
    assert comment(github, report).stdout == "https://github.example/4\n"
    report.write_text("## no evidence\n", encoding="utf-8")
    assert comment(github, report).stdout == "https://github.example/4\n"
    assert len(github.comments) == 4
    assert github.comments[3]["body"] == "<!-- forestall compare -->\n## no evidence\n"


def test_the_workflows_job_needs_a_checkout_of_the_base_and_nothing_else(
    github: GitHub, report: Path, tmp_path: Path
) -> None:
    jobs = YAML(typ="safe").load((ROOT / ".github/workflows/compare.yml").read_text(encoding="utf-8"))["jobs"]
    (line,) = [step["run"] for step in jobs["comment"]["steps"] if "run" in step]
    (tmp_path / ".ci").mkdir()
    for file in ("Makefile", ".ci/comment.py"):
        shutil.copy(ROOT / file, tmp_path / file)
    given = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PULL": "12",
        "GITHUB_API_URL": github.address,
        "GITHUB_REPOSITORY": "plant/forestall",
        "GITHUB_TOKEN": TOKEN,
    }
    subprocess.run(["bash", "-c", line], cwd=tmp_path, env=given, check=True)
    assert github.comments[0]["body"].endswith("\n## better: main → faster\n")
    writes = {name: job.get("permissions", {}).get("pull-requests") for name, job in jobs.items()}
    assert writes == {"compare": None, "comment": "write"}


def test_a_report_longer_than_a_comment_may_be_is_cut_at_a_line(github: GitHub, report: Path) -> None:
    report.write_text("a line of the report é\n" * 5_000, encoding="utf-8")
    assert comment(github, report).returncode == 0
    body = github.comments[0]["body"]
    assert 65_400 < len(body) <= 65_536
    assert body.endswith("of the report é\n\n… the rest is in the job's summary.\n")


def test_what_cannot_be_written_is_said(github: GitHub, report: Path, tmp_path: Path) -> None:
    wrong = comment(github, report, GITHUB_TOKEN="another")
    assert (wrong.returncode, "HTTP Error 401" in wrong.stderr) == (1, True)
    missing = comment(github, tmp_path / "none.md")
    assert (missing.returncode, "none.md" in missing.stderr) == (1, True)
    github.down = True
    down = comment(github, report)
    assert (down.returncode, "HTTP Error 503" in down.stderr) == (1, True)
    assert not github.comments
    assert TOKEN not in wrong.stderr + down.stderr


def test_the_token_goes_to_no_other_server(github: GitHub, report: Path) -> None:
    with running() as other:
        github.elsewhere = other.address
        for _ in range(3):
            github.add("a remark", "User")
        done = comment(github, report)
    assert done.returncode == 1
    assert f"{other.address}{COMMENTS}/12/comments" in done.stderr
