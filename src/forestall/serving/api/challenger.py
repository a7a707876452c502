"""The challenger: the bundle behind the link beside the champion's, which is taken likewise."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from forestall.errors import ForestallError
from forestall.serving.api import champion
from forestall.serving.api.champion import Champion
from forestall.serving.api.logs import say
from forestall.serving.api.service import Serving
from forestall.serving.beside import CHALLENGER, CHAMPION, check_comparable
from forestall.serving.bundle import Bundle
from forestall.serving.live import Live
from forestall.serving.live_shadow import LiveShadow
from forestall.serving.stateless import Stateless


@dataclass(frozen=True)
class InShadow:
    """What scores beside the champion as long as one bundle is the challenger."""

    bundle: Bundle
    version: str
    stateless: Stateless
    live: LiveShadow


class Challenger:
    """What stands beside a champion; nothing where the champion's folder is not a link of that name."""

    def __init__(self, served: Champion[Serving]) -> None:
        self.served, self.folder = served, served.folder.parent / CHALLENGER
        self.held, self.beside = self._nothing(), served.version

    @property
    def in_shadow(self) -> InShadow | None:
        """What scores beside the champion now: never the champion itself, nor what is no longer offered."""
        held, version = self.held, self.served.version
        return None if held.refused or version == held.version or version != self.beside else held.serving

    def beside_model(self, number: int) -> InShadow | None:
        """The same, while the model of this number in the store is the champion."""
        serving = self.served.serving
        return self.in_shadow if serving is not None and serving.live.model == number else None

    @property
    def refused(self) -> bool:
        """Whether what is offered now was refused."""
        return bool(self.held.refused)

    def look(self) -> None:
        """Take what the link points to, or nothing where there is none."""
        if not self._is_offered() or self.beside != self.served.version:
            if self.held.version:
                say("challenger gone", version=self.held.version)
            # Beside another champion it is another challenger.
            self.held, self.beside = self._nothing(), self.served.version
        if self._is_offered():
            self.held.look()

    async def watch(self) -> None:
        """Look again and again, beside the requests."""
        while True:
            await asyncio.sleep(champion.SECONDS)
            await asyncio.to_thread(self.look)

    def _is_offered(self) -> bool:
        own = self.served.folder
        return (
            own.name == CHAMPION
            and own.is_symlink()
            and self.folder.is_symlink()
            and bool(self.served.version)
        )

    def _nothing(self) -> Champion[InShadow]:
        return Champion(self.folder, self._made_of)

    def _made_of(self, bundle: Bundle, version: str) -> InShadow:
        serving = self.served.serving
        if serving is None:
            raise ForestallError("Nothing is served that it could stand beside.")
        check_comparable(bundle, serving.bundle)
        live = Live.over(serving.store, bundle, serving.live.now)
        placed = int(self.folder.lstat().st_mtime)
        return InShadow(bundle, version, Stateless.of(self.folder, bundle), LiveShadow(live, placed))
