"""What strace wrote of a small program is understood: names, links, descriptors, threads, programs, sockets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.traces import Kind, TraceError, deeds

RECORDED = r"""
50  execve("/venv/bin/python", ["python", "-I", "-S", "prog.py"], 0x7ffe0dc278f8 /* 36 vars */) = 0
50  readlink("/venv/bin/python", "python3", 4096) = 7
50  openat(AT_FDCWD</p>, "gr\303\274n\n", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0666) = 3</p/gr\303\274n\n>
50  rename("gr\303\274n\n", "sub/b")  = 0
50  openat(AT_FDCWD</p>, "sub", O_RDONLY|O_CLOEXEC|O_DIRECTORY) = 3</p/sub>
50  newfstatat(3</p/sub>, "b", {st_mode=S_IFREG|0644, st_size=1, ...}, 0) = 0
50  unlinkat(3</p/sub>, "b", 0) = 0
50  newfstatat(3</p/sub>, "", {st_mode=S_IFDIR|0755, st_size=4096, ...}, AT_EMPTY_PATH) = 0
50  symlink("/etc/hostname", "link")  = 0
50  openat(AT_FDCWD</p>, "link", O_RDONLY|O_CLOEXEC) = 4</etc/hostname>
50  readlink("link", "/etc/hostname", 4096) = 13
50  unlink("link")                    = 0
50  mkdir("sub/d", 0777)              = 0
50  rmdir("sub/d")                    = 0
50  openat(AT_FDCWD</p>, "/nowhere/x", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)
50  access("sub", R_OK)               = 0
50  getcwd("/p", 1024) = 20
50  socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 4<socket:[2328249]>
50  connect(4<socket:[2328249]>, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 ECONNREFUSED (Connection refused)
50  connect(5<socket:[2328250]>, {sa_family=AF_INET6, sin6_port=htons(9), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}, 28) = -1 ECONNREFUSED (Connection refused)
50  connect(6<socket:[2328252]>, {sa_family=AF_UNIX, sun_path="/nobody"}, 10) = -1 ENOENT (No such file or directory)
51  execve("/venv/bin/true", ["true"], 0x7ffc78f72330 /* 36 vars */) = -1 ENOENT (No such file or directory)
51  execve("/usr/bin/true", ["true"], 0x7ffc78f72330 /* 36 vars */) = 0
53  newfstatat(AT_FDCWD</p>, "t1",  <unfinished ...>
52  newfstatat(AT_FDCWD</p>, "t0",  <unfinished ...>
53  <... newfstatat resumed>0x7eff67ffe950, 0) = -1 ENOENT (No such file or directory)
52  <... newfstatat resumed>0x7eff6cefb9b0, 0) = -1 ENOENT (No such file or directory)
50  chdir("..")                       = 0
51  +++ exited with 0 +++
"""  # noqa: E501
DONE = [
    (Kind.STARTS, "/venv/bin/python"),
    (Kind.ASKS, "/venv/bin/python"),
    (Kind.WRITES, "/p/grün\n"),
    (Kind.WRITES, "/p/grün\n"),
    (Kind.WRITES, "/p/grün\n"),
    (Kind.WRITES, "/p/sub/b"),
    (Kind.LISTS, "/p/sub"),
    (Kind.LISTS, "/p/sub"),
    (Kind.ASKS, "/p/sub/b"),
    (Kind.WRITES, "/p/sub/b"),
    (Kind.WRITES, "/p/link"),
    (Kind.READS, "/p/link"),
    (Kind.READS, "/etc/hostname"),
    (Kind.ASKS, "/p/link"),
    (Kind.WRITES, "/p/link"),
    (Kind.MAKES, "/p/sub/d"),
    (Kind.WRITES, "/p/sub/d"),
    (Kind.READS, "/nowhere/x"),
    (Kind.ASKS, "/p/sub"),
    (Kind.TALKS, "socket AF_INET"),
    (Kind.TALKS, "connect AF_INET 9 127.0.0.1"),
    (Kind.TALKS, "connect AF_INET6 9 ::1"),
    (Kind.TALKS, "connect AF_UNIX /nobody"),
    (Kind.ASKS, "/venv/bin/true"),
    (Kind.STARTS, "/usr/bin/true"),
    (Kind.ASKS, "/p/t1"),
    (Kind.ASKS, "/p/t0"),
    (Kind.EVADES, 'chdir("..")'),
]


def done(lines: str) -> list[tuple[Kind, str]]:
    return [(deed.kind, deed.of) for deed in deeds(lines.strip().splitlines(), Path("/p"))]


def test_a_recorded_run() -> None:
    assert done(RECORDED) == DONE


def test_a_call_that_never_ended_counts() -> None:
    assert done('7  openat(AT_FDCWD</p>, "late", O_RDONLY <unfinished ...>') == [(Kind.READS, "/p/late")]


def test_a_call_that_is_not_known_asks_at_least() -> None:
    assert done('7  listmount_of_tomorrow("x", 1) = 0') == [(Kind.ASKS, "/p/x")]


def test_a_line_that_is_not_understood_is_an_error() -> None:
    with pytest.raises(TraceError, match="strace: something"):
        done("7  strace: something else")
