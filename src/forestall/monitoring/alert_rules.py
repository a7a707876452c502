"""The rules file of Prometheus, from the alerts and their numbers.

`python -m forestall.monitoring.alert_rules > deploy/prometheus/forestall.rules.yml` writes the committed one again.
"""

from __future__ import annotations

import sys
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from forestall.monitoring.alert_levels import Durations, Levels, duration
from forestall.monitoring.alerts import data_alerts, model_alerts, service_alerts


def rules(scale: float = 1.0) -> dict[str, Any]:
    """The rules file. scale: of all durations; 0.01 turns 5 minutes into 3 seconds, for tests of a running system.

    Raises:
        ValueError: the scale is not above 0.
    """
    if not scale > 0:
        raise ValueError(f"The scale of durations has to be above 0, not {scale}.")
    times = Durations().scaled(scale)
    groups = {"service": service_alerts, "data": data_alerts, "model": model_alerts}
    return {
        "groups": [
            {
                "name": f"forestall-{name}",
                "interval": duration(times.every),
                "rules": [one.rule for one in alerts(times, Levels())],
            }
            for name, alerts in groups.items()
        ]
    }


def rules_yaml(scale: float = 1.0) -> str:
    """The rules file's text."""
    yaml, out = YAML(), StringIO()
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(rules(scale), out)
    made_by = "# Made by forestall.monitoring.alert_rules from the numbers in alert_levels.py: change those."
    return f"{made_by}\n{out.getvalue()}"


if __name__ == "__main__":
    sys.stdout.write(rules_yaml())
