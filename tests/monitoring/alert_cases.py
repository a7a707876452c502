"""For each alert: series that are well, then wrong, then well again, of two processes over one database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from forestall.monitoring.alert_levels import Durations

PAIR = ("a:8000", "b:8000")
DOWN = "gone"  # a series that is no longer exported
BEFORE = 30  # minutes until it goes wrong
AFTER = 30  # minutes in which it is well again
Level = float | str


@dataclass(frozen=True)
class Case:
    """What is exported while all is well, and while something is wrong.

    series: name and labels to the two levels; of a counter, its growth by the minute.
    delay, fading: minutes that a rate needs to show what begins and what ends, or that an alert is kept.
    of: processes of which it is true.
    """

    alert: str
    wait: float
    series: dict[str, tuple[Level, Level]]
    counters: bool = False
    delay: int = 0
    fading: int = 0
    of: tuple[str, ...] = PAIR

    @property
    def begins(self) -> tuple[int, int]:
        """The last minute at which it must not fire yet, and the first at which it must."""
        wait = round(self.wait / 60)
        return BEFORE + wait - 1, BEFORE + wait + self.delay

    @property
    def ends(self) -> int:
        """The minute from which all is well again."""
        return self.begins[1] + 10


TIMES = Durations()
ASKED = 'forestall_http_requests_total{%sroute="/v1/machines",method="GET",status="%d"}'
TOOK = 'forestall_http_request_duration_seconds_%s{%sroute="/predict"%s}'
CASES = (
    Case("ForestallDown", TIMES.soon, {"up{%s}": (1, 0)}),
    Case("ForestallInstanceDown", TIMES.settled, {"up{%s}": (1, 0)}, of=PAIR[:1]),
    Case("ForestallNoModel", TIMES.soon, {'forestall_model_info{%sversion="1"}': (1, DOWN)}, fading=6),
    Case(
        "ForestallNoModel",
        TIMES.soon,
        {'forestall_model_info{%sversion="1"}': (1, DOWN)},
        fading=6,
        of=PAIR[1:],
    ),
    Case("ForestallStoreDown", TIMES.soon, {"forestall_store_up{%s}": (1, 0)}, fading=6),
    Case("ForestallStoreFull", TIMES.soon, {"forestall_store_full{%s}": (0, 1)}, fading=6),
    Case(
        "ForestallErrors",
        TIMES.window,
        {ASKED.replace("%d", "200"): (60, 50), ASKED.replace("%d", "500"): (0, 10)},
        counters=True,
        delay=3,
        fading=6,
    ),
    Case(
        "ForestallSlow",
        TIMES.settled,
        {
            TOOK % ("bucket", "%s", ',le="0.5"'): (60, 50),
            TOOK % ("bucket", "%s", ',le="2.5"'): (60, 50),
            TOOK % ("bucket", "%s", ',le="5.0"'): (60, 60),
            TOOK % ("bucket", "%s", ',le="+Inf"'): (60, 60),
            TOOK % ("count", "%s", ""): (60, 60),
        },
        counters=True,
        delay=3,
        fading=6,
    ),
    Case(
        "ForestallStateUntold",
        TIMES.settled,
        {"forestall_state_errors_total{%s}": (0, 1)},
        counters=True,
        fading=6,
    ),
    Case(
        "ForestallStateUntold",
        TIMES.settled,
        {
            "forestall_state_timestamp_seconds{%s}": (9000, 9000),
            "forestall_watch_timestamp_seconds{%s}": (9000, 5399),
        },
    ),
    Case("ForestallIngestionStopped", TIMES.settled, {"forestall_data_age_seconds{%s}": (3600, 21700)}),
    Case("ForestallDataOfFuture", TIMES.lasting, {"forestall_data_age_seconds{%s}": (-300, -3600)}),
    Case(
        "ForestallMachinesStale",
        TIMES.lasting,
        {
            "forestall_machines_stale{%s}": (1, 3),
            'forestall_machines{%sstatus="alarm"}': (1, 1),
            'forestall_machines{%sstatus="normal"}': (8, 6),
            'forestall_machines{%sstatus="no opinion"}': (1, 3),
        },
    ),
    Case("ForestallScoringBehind", TIMES.lasting, {"forestall_scoring_due_machines{%s}": (0, 2)}),
    Case("ForestallBundleRefused", TIMES.soon, {"forestall_bundle_refused{%s}": (0, 1)}),
    Case(
        "ForestallAlarmRateChanged",
        TIMES.lasting,
        {
            'forestall_alarm_rate_changed{%scomponent="seal"}': (0, 1),
            'forestall_alarm_rate_changed{%scomponent="valve"}': (0, 0),
        },
    ),
    Case("ForestallRiskDrift", TIMES.lasting, {'forestall_drifted{%sof="risk",name="seal"}': (0, 1)}),
    Case("ForestallOpinionsDrift", TIMES.lasting, {'forestall_drifted{%sof="opinions"}': (0, 1)}),
    Case(
        "ForestallCalibrationRefuted",
        TIMES.lasting,
        {'forestall_calibration_refuted{%scomponent="seal"}': (0, 1)},
    ),
)
# Not wrong, though it looks like it: nothing fires, however long it lasts.
HARMLESS: dict[str, dict[str, tuple[Level, Level]]] = {
    "inputs drift": {'forestall_drifted{%sof="input",name="volt"}': (0, 1)},
    "a recording has no age": {"forestall_data_age_seconds{%s}": (DOWN, DOWN)},
    "a delivery is late": {"forestall_data_age_seconds{%s}": (3600, 21500)},
    "a clock is a little ahead": {"forestall_data_age_seconds{%s}": (0, -500)},
    "few machines are silent": {"forestall_machines_stale{%s}": (0, 2)},
}


def well() -> dict[str, tuple[Level, Level]]:
    """Every series of a plant that is well, so that an alert that fires without reason is found."""
    found = {
        name: (good, good) for case in CASES if not case.counters for name, (good, _) in case.series.items()
    }
    found["forestall_data_age_seconds{%s}"] = (3600, 3600)
    return found


def promtool_tests(rules_file: str) -> dict[str, Any]:
    """What `promtool test rules` runs."""
    tests = [_fires(case) for case in CASES]
    tests += [_quiet(name, series) for name, series in HARMLESS.items()]
    tests += [_quiet("counters begin again at 0", {}, reset=True), _gone()]
    return {"rule_files": [rules_file], "evaluation_interval": "1m", "tests": tests}


def _fires(case: Case) -> dict[str, Any]:
    """It fires once after its time and not before, alone, and no longer than it lasts."""
    last_quiet, first = case.begins
    minutes = case.ends - BEFORE
    series = [
        {
            "series": _named(name, instance),
            "values": _values(*levels, minutes, case.counters and name in case.series),
        }
        for name, pair in (well() | case.series).items()
        for instance in PAIR
        for levels in [pair if instance in case.of else (pair[0], pair[0])]
    ]
    return {
        "name": f"{case.alert} of {len(case.of)}",
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [
            _expected("count(ALERTS)", 5, None),
            _expected(_firing(case.alert), last_quiet, None),
            _expected(_firing(case.alert), first, 1),
            _expected('count(ALERTS{alertstate="firing"})', first, 1),
            _expected("count(ALERTS)", case.ends + case.fading, None),
        ],
    }


def _quiet(name: str, series: dict[str, tuple[Level, Level]], reset: bool = False) -> dict[str, Any]:
    """Nothing is said, pending or firing, in six hours."""
    gauges = [
        {"series": _named(one, instance), "values": _values(*levels, 360, False)}
        for one, levels in (well() | series).items()
        for instance in PAIR
    ]
    counters = [
        {
            "series": _named(ASKED.replace("%d", status), instance),
            "values": "0+60x100 0+60x300" if reset else "0+60x400",
        }
        for status in ("200", "404")
        for instance in PAIR
    ]
    errors = [
        {"series": _named(ASKED.replace("%d", "503"), PAIR[0]), "values": "500x100 0x300"},
        {"series": _named("forestall_state_errors_total{%s}", PAIR[0]), "values": "7x100 0x300"},
    ]
    return {
        "name": name,
        "interval": "1m",
        "input_series": gauges + counters + (errors if reset else []),
        "promql_expr_test": [
            _expected('count(ALERTS{alertstate="firing"})', at, None) for at in range(5, 390, 5)
        ],
    }


def _gone() -> dict[str, Any]:
    """A target that Prometheus no longer knows is down."""
    return {
        "name": "no target is left",
        "interval": "1m",
        "input_series": [{"series": _named("up{%s}", PAIR[0]), "values": "1x10 stale"}],
        "promql_expr_test": [
            _expected(_firing("ForestallDown"), 10, None),
            _expected(_firing("ForestallDown"), 14, 1),
        ],
    }


def _firing(alert: str) -> str:
    return f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})'


def _expected(expr: str, minute: int, count: int | None) -> dict[str, Any]:
    samples = [] if count is None else [{"labels": "{}", "value": count}]
    return {"expr": expr, "eval_time": f"{minute}m", "exp_samples": samples}


def _named(name: str, instance: str) -> str:
    return name.replace("%s", f'job="forestall",instance="{instance}",').replace(",}", "}")


def _values(good: Level, bad: Level, minutes: int, counter: bool) -> str:
    """Sample by sample: well, wrong for some minutes, well."""
    by_minute = [good] * BEFORE + [bad] * minutes + [good] * AFTER
    if counter:
        total, found = 0.0, []
        for growth in by_minute:
            assert not isinstance(growth, str)
            total += growth
            found.append(f"{total:g}")
        return " ".join(found)
    return " ".join(
        "_" if (level == DOWN and at != BEFORE) else "stale" if level == DOWN else f"{level:g}"
        for at, level in enumerate(by_minute)
    )
