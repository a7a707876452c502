"""Where DVC remotes can be, on this computer: OpenSSH's server, and S3 as moto serves it, while a test wants them."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.pipeline.servers import HERE, free_port, running

REGION = "us-east-1"
SECONDS = 30  # in which a server has to answer
RIGHTS = ["s3:ListBucket", "s3:GetObject", "s3:PutObject"]  # as docs/how-to/remote-s3.md has them
WITHOUT_KEYS = 7  # the requests of `_bucket`, before which nobody has any
LIMITS = 'restrict,command="internal-sftp"'  # as docs/how-to/remote-ssh.md has it

SSHD = """
Port {port}
ListenAddress {here}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile {folder}/pid
UsePAM yes
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True)
class SshServer:
    """An SSH server that lets whoever runs the tests in, with one of two keys.

    key: the private one that it takes. stranger: the other one.
    """

    port: int
    key: Path
    stranger: Path
    user: str = getpass.getuser()


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """An SSH server with keys and settings in a folder."""
    port, program = free_port(), _sshd()
    for name in ("host_key", "key", "stranger"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
        subprocess.run(words, check=True)
    key = (folder / "key.pub").read_text(encoding="utf-8")
    (folder / "authorized_keys").write_text(f"{LIMITS} {key}", encoding="utf-8")
    settings = SSHD.format(port=port, here=HERE, folder=folder)
    (folder / "sshd_config").write_text(settings, encoding="utf-8")
    if os.geteuid() == 0:  # as Debian's service does
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    words = [program, "-D", "-e", "-f", str(folder / "sshd_config")]
    with (folder / "log").open("wb") as log, running(words, port, SECONDS, stderr=log):
        yield SshServer(port, folder / "key", folder / "stranger")


@dataclass(frozen=True)
class S3Server:
    """An S3 server with one bucket. It checks signatures and rights.

    access_key_id, secret_access_key: of somebody with the rights that a remote needs.
    owner: both keys of somebody who may do all in the bucket.
    """

    url: str
    bucket: str
    access_key_id: str
    secret_access_key: str
    owner: tuple[str, str]

    def delete(self, name: str) -> None:
        """Take an object out of the bucket."""
        _client(self.url, "s3", *self.owner).delete_object(Bucket=self.bucket, Key=name)


@contextmanager
def s3_server(bucket: str, log: Path) -> Iterator[S3Server]:
    """An S3 server with an empty bucket, in memory."""
    port = free_port()
    words = [sys.executable, "-m", "moto.server", "--host", HERE, "--port", str(port)]
    variables = os.environ | {"INITIAL_NO_AUTH_ACTION_COUNT": str(WITHOUT_KEYS)}
    with log.open("wb") as out, running(words, port, SECONDS, env=variables, stdout=out, stderr=out):
        yield _bucket(f"http://{HERE}:{port}", bucket)


def _bucket(url: str, bucket: str) -> S3Server:
    s3, people = (_client(url, service, "none", "none") for service in ("s3", "iam"))
    s3.create_bucket(Bucket=bucket)
    owner = _person(people, "owner", ["s3:*"])
    return S3Server(url, bucket, *_person(people, "plant", RIGHTS), owner)


def _person(people: Any, name: str, rights: list[str]) -> tuple[str, str]:
    """Somebody's keys."""
    statement = {"Effect": "Allow", "Action": rights, "Resource": "*"}
    people.create_user(UserName=name)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    people.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=policy)
    key = people.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def _client(url: str, service: str, key: str, secret: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )


def _sshd() -> str:
    """The server's program, by the absolute path that it asks for; Debian keeps it off other people's PATH."""
    found = shutil.which("sshd", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if found is None:
        pytest.fail("OpenSSH's server is not installed: run .ci/services")
    return found
