"""All routes of the pages."""

from __future__ import annotations

from forestall.serving.page import alarms, fleet, machine, record, sign_in, static_files

ROUTERS = tuple(part.ROUTER for part in (fleet, machine, alarms, record, sign_in, static_files))
