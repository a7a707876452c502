"""DVC remotes that are set up by the words of their pages, and computers that use them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.pipeline import how_to
from tests.pipeline.clones import ROOT
from tests.pipeline.remote_servers import S3Server, s3_server, ssh_server
from tests.pipeline.repository import git
from tests.pipeline.servers import HERE, free_port

PAGES = ROOT / "docs/how-to"
SET_UP = "Set it up"
OWN = "dvc remote modify --local"


@dataclass(frozen=True)
class Fault:
    """What somebody gets wrong, or what happens: a command, and what `dvc pull` then says."""

    line: str
    said: str


@dataclass(frozen=True)
class Remote:
    """A remote that is set up and filled.

    owner: the clone that filled it. put: a page's command with what stands there for an example replaced.
    lose: takes an object away. secrets: what must not be in Git.
    """

    page: Path
    owner: Path
    put: Callable[[str], str]
    lose: Callable[[str], None]
    secrets: tuple[str, ...]
    faults: tuple[Fault, ...]

    def clone(self, folder: Path) -> Path:
        """Another computer's clone, with settings of its own as the page says."""
        git(self.owner, "clone", "-q", str(self.owner), str(folder))
        lines = how_to.commands(SET_UP, document=self.page)
        for line in (one for one in lines if one.startswith(OWN)):
            run(folder, self.put(line))
        return folder


def said(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """A command line there, as on a computer of its own: with DVC's memory of remotes beside the clone."""
    return how_to.said(folder, line, folder.parent / "home", DVC_SITE_CACHE_DIR=f"{folder}-site")


def run(folder: Path, line: str) -> str:
    """The same of one that must succeed; returns what it prints."""
    return how_to.run(folder, line, folder.parent / "home", DVC_SITE_CACHE_DIR=f"{folder}-site")


def replaced(changes: dict[str, str]) -> Callable[[str], str]:
    def put(line: str) -> str:
        for there, here in changes.items():
            line = line.replace(there, here)
        assert "plant" not in line and "/mnt" not in line and "…" not in line, line
        return line

    return put


def removing_from(store: Path) -> Callable[[str], None]:
    """Takes an object away from a folder, whoever serves it."""
    return lambda digest: (store / "files/md5" / digest[:2] / digest[2:]).unlink()


def in_folder(base: Path, _: ExitStack) -> Remote:
    store = base / "store"
    nowhere = Fault(f"{OWN} drive url {base}/nowhere", "exist neither locally nor on remote")
    put = replaced({"/mnt/share/forestall": str(store)})
    lose = removing_from(store)
    return Remote(PAGES / "remote-local-folder.md", base / "owner", put, lose, (), (nowhere,))


def over_ssh(base: Path, servers: ExitStack) -> Remote:
    (base / "sshd").mkdir()
    server = servers.enter_context(ssh_server(base / "sshd"))
    address = f"ssh://{HERE}:{server.port}{base}"
    put = replaced(
        {
            "ssh://storage.plant.example/srv/forestall": f"{address}/store",
            "user anna": f"user {server.user}",
            "~/.ssh/id_ed25519": str(server.key),
        }
    )

    faults = (
        Fault(f"{OWN} storage keyfile {server.stranger}", f"Permission denied for user {server.user}"),
        Fault(f"{OWN} storage keyfile {base}/id_ed25519", f"No such file or directory: '{base}/id_ed25519'"),
        Fault(f"{OWN} storage url {address}/nowhere", "exist neither locally nor on remote"),
        Fault(f"{OWN} storage url ssh://{HERE}:{free_port()}/store", "Connect call failed"),
    )
    secrets = (str(server.key), server.key.read_text(encoding="utf-8").splitlines()[2])
    lose = removing_from(base / "store")
    return Remote(PAGES / "remote-ssh.md", base / "owner", put, lose, secrets, faults)


def on_s3(base: Path, servers: ExitStack) -> Remote:
    server: S3Server = servers.enter_context(s3_server("mill-data", base / "log"))
    put = replaced(
        {
            "plant-data": server.bucket,
            "https://s3.plant.example": server.url,
            "secret_access_key …": f"secret_access_key {server.secret_access_key}",
            "access_key_id …": f"access_key_id {server.access_key_id}",
        }
    )

    def lose(digest: str) -> None:
        server.delete(f"forestall/files/md5/{digest[:2]}/{digest[2:]}")

    faults = (
        Fault(f"{OWN} bucket secret_access_key wrong", "Forbidden"),
        Fault(f"{OWN} bucket url s3://nowhere/forestall", "The specified bucket does not exist"),
        Fault(f"{OWN} bucket endpointurl http://{HERE}:{free_port()}", "Could not connect"),
    )
    secrets = (server.access_key_id, server.secret_access_key)
    return Remote(PAGES / "remote-s3.md", base / "owner", put, lose, secrets, faults)
