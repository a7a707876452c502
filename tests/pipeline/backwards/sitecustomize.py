"""Python loads this when it starts, if the folder is on PYTHONPATH: folders are listed the other way round."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

_listdir, _scandir = os.listdir, os.scandir


class _Backwards:
    """What `os.scandir` returns, from the last entry to the first."""

    def __init__(self, path: Any = ".") -> None:
        with _scandir(path) as entries:
            self._entries = iter([*entries][::-1])

    def __iter__(self) -> Iterator[os.DirEntry[Any]]:
        return self._entries

    def __next__(self) -> os.DirEntry[Any]:
        return next(self._entries)

    def __enter__(self) -> _Backwards:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._entries = iter([])


def _backwards(path: Any = ".") -> list[Any]:
    return _listdir(path)[::-1]


setattr(os, "listdir", _backwards)  # noqa: B010  (a plain assignment is no type's)
setattr(os, "scandir", _Backwards)  # noqa: B010
