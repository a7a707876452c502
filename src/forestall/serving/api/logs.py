"""The log: one JSON object a line on standard error. No header, body, query or key is ever written."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import orjson

LOG = logging.getLogger("forestall.serving")


class AsJson(logging.Formatter):
    """Time, level, what happened, and the fields that `extra={"fields": …}` adds."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def to_stderr() -> None:
    """Send what the service and the server under it say to standard error."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(AsJson())
    for name, level in (("forestall", "INFO"), ("uvicorn", "WARNING"), ("alembic", "WARNING")):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)


def say(event: str, level: int = logging.INFO, **fields: object) -> None:
    """Log an event with its fields."""
    if LOG.isEnabledFor(level):
        # Made here: looking for the line of code that calls takes as long as all the rest.
        record = logging.LogRecord(LOG.name, level, "", 0, event, None, None)
        record.fields = fields
        LOG.handle(record)
