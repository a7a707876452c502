"""What is asked next: do data come, is scoring up to date, is the database there?"""

from __future__ import annotations

from forestall.monitoring.alert_levels import Durations, Levels
from forestall.monitoring.dashboard.panel import BAD, GOOD, Panel, Query, Row, bad_from, good_from
from forestall.monitoring.dashboard.queries import increase, least, rate, value
from forestall.serving.api import metric_names as names

TIMES, LEVELS = Durations(), Levels()


def data_rows() -> tuple[Row, ...]:
    """In the order in which they are asked."""
    return (
        Row("Data and scoring", (*_readings(), *_scoring())),
        Row("The store, and the processes over it", (*_store(), _resources())),
    )


def _readings() -> tuple[Panel, ...]:
    machines = f"sum({value(names.MACHINES, 'status')})"
    return (
        Panel(
            "Age of the fleet's latest reading",
            "If it grows, nothing comes in: look at what sends the readings. Below 0 they are of the "
            "future: a clock or a zone is wrong. A recording and a plant with a counter have none.",
            (Query(least(names.DATA_AGE), "age"),),
            "s",
            alerts=("ForestallIngestionStopped", "ForestallDataOfFuture"),
            steps=((0, BAD), (-TIMES.ahead, GOOD), (TIMES.data_age, BAD)),
        ),
        Panel(
            "Machines without recent readings",
            "Of all machines, those that fell silent. They have no opinion, which is not healthy: "
            "`GET /v1/machines` says which.",
            (Query(f"{value(names.MACHINES_STALE)} / {machines}", "stale"),),
            "percentunit",
            alerts=("ForestallMachinesStale",),
            steps=bad_from(LEVELS.stale_share),
        ),
    )


def _scoring() -> tuple[Panel, ...]:
    return (
        Panel(
            "Machines that wait to be scored",
            "Above 0 for a moment after each delivery. If it stays, alarms come late: look at the log of "
            "the process that scores.",
            (Query(value(names.SCORING_DUE), "due"),),
            alerts=("ForestallScoringBehind",),
            steps=bad_from(1),
        ),
        Panel(
            "Machines",
            "`alarm`: a component is in alarm now. `normal`: judged, none in alarm. `no opinion`: see "
            "below, why.",
            (Query(value(names.MACHINES, "status"), "{{status}}"),),
            width=12,
        ),
        Panel(
            "How far the plant's tables and the scoring have come",
            "Times as the plant's tables write them: of a plant in its own wall clock they are off by its "
            "zone. If the decision stays behind the reading by more than a step of decisions, scoring is "
            "behind.",
            (
                Query(f"{value(names.LATEST_READING)} * 1000", "latest reading"),
                Query(f"{value(names.SCORED)} * 1000", "latest decision"),
            ),
            "dateTimeFromNow",
            look="stat",
            width=12,
        ),
    )


def _store() -> tuple[Panel, ...]:
    return (
        Panel(
            "The database answers",
            "1: it does. 0: readings are refused, nothing is scored, and all that is said of the plant is "
            "older.",
            (Query(value(names.STORE_UP, "instance"), "{{instance}}"),),
            look="stat",
            width=6,
            alerts=("ForestallStoreDown",),
            steps=good_from(1),
        ),
        Panel(
            "The database is full",
            "1: the last one that wrote found no room. Readings are refused: make room.",
            (Query(value(names.STORE_FULL, "instance"), "{{instance}}"),),
            look="stat",
            width=6,
            alerts=("ForestallStoreFull",),
            steps=bad_from(1),
        ),
        Panel(
            "How old the plant's state is",
            "Since a process last read it from the database. It is read again with the scrapes.",
            (Query(f"time() - {value(names.STATE_TIME, 'instance')}", "{{instance}}"),),
            "s",
            look="stat",
            width=6,
        ),
        Panel(
            "Parts of the state that could not be told",
            "In the last hour, by a fault of the service. Panels and alerts of what is missing are blind: "
            "the log says which.",
            (Query(increase(names.STATE_ERRORS, over="1h"), "untold"),),
            look="stat",
            width=6,
            alerts=("ForestallStateUntold",),
            steps=bad_from(1),
        ),
    )


def _resources() -> Panel:
    start, cpu, memory, _, files, limit = names.PROCESS
    return Panel(
        "Processes",
        "Each process by itself. One that runs for shorter than the others was started again: its log says "
        "why. Open files near their limit: start another process.",
        (
            Query(f"time() - {value(start, 'instance')}", "runs for", unit="s"),
            Query(rate(cpu, "instance"), "processors", unit="percentunit"),
            Query(value(memory, "instance"), "memory", unit="bytes"),
            Query(value(files, "instance"), "open files"),
            Query(value(limit, "instance"), "limit of open files"),
        ),
        look="table",
        width=24,
    )
