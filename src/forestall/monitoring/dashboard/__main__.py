"""Writes the dashboard: `python -m forestall.monitoring.dashboard > deploy/grafana/dashboards/forestall.json`."""

import sys

from forestall.monitoring.dashboard.board import dashboard_text

sys.stdout.write(dashboard_text())
