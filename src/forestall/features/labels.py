"""Labels, opinions and folds: what a decision is asked, whether it can be answered, and what it is used for."""

import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.dataset import Dataset
from forestall.data.events import is_last_row
from forestall.features.history import Bools, History, Ints, Spans

NOT_APPLICABLE, UNKNOWN = -1, -2
OPINION, SHORT, STALE, OFF = "", "too short a history", "stale sensors", "machine off"
FAILED = "history ended with its failure"
TRAIN, VALIDATION, TEST, UNSEEN, NO_FOLD = "train", "validation", "test", "unseen", ""


def labels(
    history: History, component: str, absent: set[tuple[str, str]], spans: Spans, until: Ints
) -> npt.NDArray[np.int8]:
    """Within how many of the horizons the component fails: in (t, t + horizon], [machines, decisions].

    0 where it does not fail within the longest; -1 where the machine has none; -2 where the data end before the
    longest is over, without a failure: a machine that still runs then is censored, not healthy.

    Args:
        until: until when each machine's failures are known, in ticks, [machines].
    """
    decisions = history.decisions(spans)
    ahead = decisions[None, :] + spans.horizon > until[:, None]
    result = np.where(ahead, UNKNOWN, 0).astype(np.int8)
    failures = history.events.failures
    failures = failures[failures["component"] == component]
    row = {machine: number for number, machine in enumerate(history.machines)}
    for machine, time in zip(failures["machine"], failures["time"], strict=True):
        if machine in row:
            high = np.searchsorted(decisions, time, side="left")
            for number, horizon in enumerate(reversed(spans.horizons), start=1):
                low = np.searchsorted(decisions, time - horizon, side="left")
                result[row[machine], low:high] = np.maximum(result[row[machine], low:high], number)
    for number, machine in enumerate(history.machines):
        if (machine, component) in absent:
            result[number] = NOT_APPLICABLE
    return result


def within(label: npt.NDArray[np.int8], shorter: int = 0) -> npt.NDArray[np.int8]:
    """Labels as 0 and 1: whether there is a failure within the longest horizon, or one that is so many places shorter.

    What is not applicable or not known stays as it is.
    """
    return np.where(label < 0, label, label > shorter).astype(np.int8)


def own_ends(last: Mapping[str, int], failures: pd.DataFrame) -> dict[str, int]:
    """Until when each machine's failures are known, if its history ends by itself: machine -> ticks.

    That is its last reading (`last`), or a failure recorded after it.
    """
    failed = failures.groupby("machine")["time"].max().to_dict()
    return {machine: max(time, failed.get(machine, time)) for machine, time in last.items()}


def failed_for_good(history: History, dataset: Dataset) -> Bools:
    """Machines with a failure and no reading after it, [machines].

    Where all machines share a calendar and failures have a table, silence after a failure may be its repair: then
    none is.
    """
    if not dataset.own_clocks and is_last_row(dataset) is None:
        return np.zeros(len(history.machines), dtype=np.bool_)
    failed = history.events.failures.groupby("machine")["time"].max().reindex(history.machines)
    gone: Bools = failed.to_numpy() >= history.last
    return gone


def opinions(history: History, spans: Spans) -> npt.NDArray[np.object_]:
    """Why there is no opinion at a decision, [machines, decisions]; empty where there is one."""
    decisions = history.decisions(spans)
    at = slice(spans.width - 1, None, spans.width)
    alive = ~np.isnan(history.readings).all(axis=2) | ~history.running
    slot = np.arange(alive.shape[1], dtype=np.int64)
    last = np.maximum.accumulate(np.where(alive, slot, np.int64(-(10**9))), axis=1)
    age = ((slot - last) * spans.interval)[:, at]
    result = np.full(age.shape, OPINION, dtype=object)
    result[~history.running[:, at]] = OFF
    result[age > spans.stale] = STALE
    result[decisions[None, :] - history.first[:, None] < spans.history] = SHORT
    return result


def folds(machines: list[str], decisions: Ints, end: int, dataset: Dataset) -> npt.NDArray[np.object_]:
    """The fold of each decision, [machines, decisions]; "" where it is in none.

    By time a decision belongs to a fold only if the gap after it (at least the horizon) ends inside the fold, and
    machines never seen in training make a fold of their own over the test period. By machine all of its decisions
    belong to one fold.
    """
    if dataset.split_by_machine:
        return _by_machine(machines, decisions, dataset)
    return _by_time(machines, decisions, end, dataset)


def fold_ends(end: int, dataset: Dataset) -> dict[str, int]:
    """When each fold's data end, for folds by time."""
    test = end - dataset.ticks(str(dataset.split.test))
    validation = test - dataset.ticks(str(dataset.split.validation))
    return {TRAIN: validation, VALIDATION: test, TEST: end, UNSEEN: end}


def ranked(machine: str) -> float:
    """A machine's place in [0, 1), by hash: a choice of machines that does not depend on the others."""
    return int.from_bytes(hashlib.sha256(machine.encode()).digest()[:6], "big") / 2**48


def _by_time(machines: list[str], decisions: Ints, end: int, dataset: Dataset) -> npt.NDArray[np.object_]:
    ends, gap = fold_ends(end, dataset), dataset.ticks(dataset.split.gap)
    horizon = dataset.ticks(dataset.decisions.horizon)
    row = np.full(len(decisions), NO_FOLD, dtype=object)
    row[decisions + gap <= ends[TRAIN]] = TRAIN
    row[(decisions > ends[TRAIN]) & (decisions + gap <= ends[VALIDATION])] = VALIDATION
    row[(decisions > ends[VALIDATION]) & (decisions + horizon <= ends[TEST])] = TEST
    result = np.tile(row, (len(machines), 1))
    for number, machine in enumerate(machines):
        if ranked(machine) < dataset.split.unseen_machines:
            result[number] = np.where(row == TEST, UNSEEN, NO_FOLD)
    return result


def _by_machine(machines: list[str], decisions: Ints, dataset: Dataset) -> npt.NDArray[np.object_]:
    test, validation = float(dataset.split.test), float(dataset.split.validation)
    place = np.array([ranked(machine) for machine in machines])
    fold = np.where(place < test, TEST, np.where(place < test + validation, VALIDATION, TRAIN)).astype(object)
    return np.tile(fold[:, None], (1, len(decisions)))


def frame_of(machines: list[str], decisions: Ints) -> pd.DataFrame:
    """Machine and time of each decision, machine by machine."""
    return pd.DataFrame(
        {
            "machine": np.repeat(np.array(machines, dtype=object), len(decisions)),
            "time": np.tile(decisions, len(machines)),
        }
    )
