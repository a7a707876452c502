"""Scoring beside the requests: again and again whatever is due."""

from __future__ import annotations

import asyncio
import logging

from forestall.serving.api.logs import LOG, say
from forestall.serving.api.service import Service
from forestall.serving.store.errors import StoreError

SECONDS, AFTER_AN_ERROR = 1.0, 5.0


async def score_again(service: Service) -> None:
    """Score what is due, some machines at a time; a bundle that comes meanwhile takes over with the next ones."""
    while True:
        try:
            worked = await asyncio.to_thread(_score_some, service)
            service.shadow.take_turns(bool(worked))
            await asyncio.sleep(0 if worked else SECONDS)
        except StoreError as error:
            say("not scored", logging.ERROR, problem=str(error))
            await asyncio.sleep(AFTER_AN_ERROR)
        except Exception:
            LOG.exception("not scored")
            await asyncio.sleep(AFTER_AN_ERROR)


def _score_some(service: Service) -> int:
    serving = service.champion.serving
    return 0 if serving is None else serving.live.score_some()
