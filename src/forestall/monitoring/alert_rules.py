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

TIMES = Durations()


def rules(times: Durations = TIMES) -> dict[str, Any]:
    """The rules file; tests of a running system take shorter times."""
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


def rules_yaml(times: Durations = TIMES) -> str:
    """The rules file's text."""
    yaml, out = YAML(), StringIO()
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(rules(times), out)
    made_by = "# Made by forestall.monitoring.alert_rules from the numbers in alert_levels.py: change those."
    return f"{made_by}\n{out.getvalue()}"


if __name__ == "__main__":
    sys.stdout.write(rules_yaml())
