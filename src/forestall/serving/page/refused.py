"""Errors with words of the pages' own."""

from __future__ import annotations

from forestall.serving.api.problems import Problem
from forestall.serving.page.words import say


class Refused(Problem):
    """An error that people are told in their own language; the key is of a text of the pages."""

    def __init__(self, status: int, key: str) -> None:
        super().__init__(status, say(key))
        self.key = key


class OldFormError(Refused):
    """A form of an earlier session, or of a service that was started anew; it can be sent again as it is."""
