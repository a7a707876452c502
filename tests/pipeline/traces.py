"""What a program did, as strace recorded it: files it read, asked about and wrote, programs, sockets."""

from __future__ import annotations

import codecs
import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

# `-y` says of each descriptor what it is of; the filter of the kernel stops the program at these calls alone.
STRACE = ("strace", "-f", "-y", "-qq", "--seccomp-bpf", "-e", "signal=none")
# With which processes share what is no file, or reach into each other.
SHARES = {
    *("shmget", "msgget", "semget", "mq_open", "mq_unlink", "add_key", "request_key", "keyctl", "ptrace", "bpf"),
    *("process_vm_readv", "process_vm_writev", "pidfd_getfd", "perf_event_open", "setns", "unshare"),
}  # fmt: skip
CALLS = ",".join(
    ["%file,%network,fchdir,open_by_handle_at,io_uring_setup,ftruncate,fchmod,fchown", *sorted(SHARES)]
)

LINE = re.compile(r"(?P<pid>\d+) +(?P<rest>.*)")
CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>.*)")
RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")
UNFINISHED = " <unfinished ...>"
ENDED = ("---", "+++")
FOLDER_OR_TEXT = re.compile(r'(?:AT_FDCWD|\b\d+)<((?:[^<>\\]|\\.)*)>|"((?:[^"\\]|\\.)*)"')
OPENED = re.compile(r"\d+<(/(?:[^<>\\]|\\.)*)>")
WHERE = re.compile(
    r'\bAF_\w+\b(?!, ")|(?<=htons\()\d+|(?<=inet_addr\(")[^"]+|(?<=AF_INET6, ")[^"]+|(?<=sun_path=")[^"]+'
)

OPENS = {"open", "openat", "openat2", "creat"}
TO_WRITE = re.compile(r"\bO_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)\b")
MAKES = {"mkdir", "mkdirat"}
CHANGES = {
    *("rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "link", "linkat", "truncate", "chmod"),
    *("fchmodat", "chown", "lchown", "fchownat", "utime", "utimes", "futimesat", "utimensat", "mknod", "mknodat"),
    *("setxattr", "lsetxattr", "removexattr", "lremovexattr"),
}  # fmt: skip
LINKS = {"symlink", "symlinkat"}  # their first text is what the link says
STARTS = {"execve", "execveat"}
SILENT = {"getcwd", "ftruncate", "fchmod", "fchown"}  # of no path, or of what was opened
# After these no path can be told any more, or files are reached without one.
EVADES = {
    "chdir",
    "fchdir",
    "chroot",
    "pivot_root",
    "mount",
    "umount2",
    "open_by_handle_at",
    "io_uring_setup",
}
TALKS = {
    *("socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg", "sendmmsg"),
    *("recvfrom", "recvmsg", "recvmmsg", "getsockname", "getpeername", "setsockopt", "getsockopt", "shutdown"),
}  # fmt: skip


class Kind(StrEnum):
    """What was done, as a sentence says it before what it was done to."""

    READS = "reads"
    LISTS = "lists"
    ASKS = "looks for"
    MAKES = "makes the folder"
    WRITES = "writes"
    STARTS = "starts"
    TALKS = "talks over a socket:"
    EVADES = "calls"


@dataclass(frozen=True)
class Deed:
    """One thing done; `of` is an absolute path, or the call and what it was to reach."""

    kind: Kind
    of: str


class TraceError(Exception):
    """A line of strace's that is not understood: what it says would go unseen."""


def deeds(trace: Iterable[str], folder: Path) -> list[Deed]:
    """What was done, in order; relative paths are below the folder it was started in.

    Raises:
        TraceError: a line is no call.
    """
    found: list[Deed] = []
    for line in _whole(trace):
        call = CALL.fullmatch(line)
        if call is None:
            raise TraceError(line)
        found += _deeds(call["name"], call["arguments"], call["result"], str(folder))
    return found


def _whole(trace: Iterable[str]) -> Iterator[str]:
    """The calls, those put together that other threads' came between; one that never ended has the result `?`."""
    begun: dict[str, str] = {}
    for text in trace:
        line = LINE.fullmatch(text.rstrip("\n"))
        if line is None:
            raise TraceError(text)
        rest = line["rest"]
        if rest.endswith(UNFINISHED):
            begun[line["pid"]] = rest.removesuffix(UNFINISHED)
        elif resumed := RESUMED.fullmatch(rest):
            yield begun.pop(line["pid"]) + resumed[1]
        elif not rest.startswith(ENDED):
            yield rest
    yield from (f"{call}) = ?" for call in begun.values())


def _deeds(name: str, arguments: str, result: str, folder: str) -> Iterator[Deed]:
    if name in TALKS:
        yield Deed(Kind.TALKS, " ".join([name, *WHERE.findall(arguments)]))
    elif name in EVADES | SHARES:
        yield Deed(Kind.EVADES, f"{name}({arguments})")
    elif name not in SILENT:
        paths = list(_paths(arguments, folder))
        if name in STARTS | {"readlink", "readlinkat"}:
            paths = paths[:1]
        elif name in LINKS:
            paths = paths[1:]
        if name in OPENS and (opened := OPENED.match(result)):
            paths.append(_plain(opened[1]))  # what a link, or /proc/self/cwd, led to
        yield from (Deed(_kind(name, arguments, result), path) for path in paths)


def _kind(name: str, arguments: str, result: str) -> Kind:
    """What a call does to its paths; one that is not known at least asks."""
    if name in STARTS and "ENOENT" in result:
        return Kind.ASKS
    if name in OPENS:
        if name == "creat" or TO_WRITE.search(_after_path(arguments)):
            return Kind.WRITES
        return Kind.LISTS if "O_DIRECTORY" in arguments else Kind.READS
    for names, kind in ((MAKES, Kind.MAKES), (CHANGES | LINKS, Kind.WRITES), (STARTS, Kind.STARTS)):
        if name in names:
            return kind
    return Kind.ASKS


def _after_path(arguments: str) -> str:
    return arguments.rpartition('"')[2]


def _paths(arguments: str, folder: str) -> Iterator[str]:
    """The paths that a call names, each below the descriptor before it, if there is one."""
    base = folder
    for match in FOLDER_OR_TEXT.finditer(arguments):
        if match[2] is None:
            base = _plain(match[1])
            continue
        if match[2]:  # empty: the descriptor's own file, which was opened
            yield posixpath.normpath(posixpath.join(base, _plain(match[2])))
        base = folder


def _plain(text: str) -> str:
    """A string as it was before strace wrote it in C."""
    return codecs.escape_decode(text.encode("ascii"))[0].decode("utf-8", "surrogateescape")
