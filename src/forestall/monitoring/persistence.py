"""Whether something found in a window is more than an episode."""

from __future__ import annotations

from collections.abc import Sequence

from forestall.errors import ForestallError


def holds(flags: Sequence[bool], k: int, n: int) -> bool:
    """Whether k of the last n windows and the latest are beyond; windows that are not there yet are not.

    Args:
        flags: a flag a window, the latest last.

    Raises:
        ForestallError: k is not one of 1 … n.
    """
    if not 1 <= k <= n:
        raise ForestallError(
            f"{k} of the last {n} windows: the first has to be 1 or more, and at most the second."
        )
    return bool(flags) and bool(flags[-1]) and sum(map(bool, flags[-n:])) >= k
