"""Which failures could be foreseen, and from when: an upper bound on what any model can reach.

A precursor's information up to reading t is the expected log-likelihood ratio of "precursor of this form"
against "healthy", for someone who knows the form, the machine's levels, gains and noise, and its true load
(matched filter and its energy and Poisson counterparts: Kay 1998, Fundamentals of Statistical Signal
Processing II, chapters 4-5). For the readings that a file really holds it adds up, hour by hour,

- level s[t] in first-order autoregressive noise (phi, unit variance), whitened:
  (s[t] - phi s[t-1])^2 / (1 - phi^2) / 2;
- noise r[t] times the usual: (r^2 - 1 - ln r^2) / 2;
- codes: n ln(1 + extra / background) - extra, with n the number really logged.

The detectability index is d' = sqrt(2 x sum), which for a level is the matched filter's. A failure is
foreseeable if the sum over its last `HORIZON` hours alone reaches d' >= `DETECTABLE` at a decision at least
`MIN_LEAD` before it: at d' = 10 a threshold at 5 sd has 3e-7 false alarms a look and misses as few, with
room for form, levels and onset being unknown to a real model.
`from` is the first reading at which d', counted from the onset, gets there.
"""

import numpy as np
import numpy.typing as npt

from forestall.data.simulator.catalogue import CURRENT, SENSORS
from forestall.data.simulator.precursors import Signature
from forestall.data.simulator.telemetry import current_change
from forestall.data.simulator.traits import Machine

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

DETECTABLE = 10.0
EVERY = 12
HORIZON = 168
MIN_LEAD = 4


def information(
    machine: Machine, sign: Signature, load: Floats, counts: Counts, usable: Bools, running: Bools
) -> Floats:
    """Log-likelihood ratio that each hour of a signature adds, (n,).

    Args:
        load: true load in percent, (hours,).
        counts: codes logged in each hour, (hours, codes).
        usable: sensors with a true measurement, (hours, sensors).
        running: (hours,).
    """
    phi = np.array([sensor.phi for sensor in SENSORS])
    level = sign.shift.copy()
    level[:, CURRENT] += current_change(machine, load[sign.hours], sign.slope)
    before = np.vstack([np.zeros(len(SENSORS)), level[:-1]])[: len(level)]
    shift = (level - phi * before) ** 2 / (1 - phi**2)
    variance = (1 + sign.spread) ** 2
    sensors = (shift + variance - 1 - np.log(variance)) / 2 * usable[sign.hours]
    codes = counts[sign.hours] * np.log1p(sign.codes / machine.code_rate) - sign.codes
    return np.asarray(sensors.sum(axis=1) + codes.sum(axis=1) * running[sign.hours])


def detectable_from(sign: Signature, gained: Floats, failure: float) -> int | None:
    """The first reading at which the failure could be foreseen; None if it could not be.

    Args:
        gained: log-likelihood ratio that each hour of the signature adds, (n,).
        failure: hours from the start of the data.
    """
    reading = sign.first + np.arange(len(gained))
    last = np.floor((failure - MIN_LEAD) / EVERY) * EVERY
    needed = DETECTABLE**2 / 2
    recent = np.cumsum(np.where(reading > failure - HORIZON, gained, 0.0))
    if not (recent[reading <= last] >= needed).any():
        return None
    return int(reading[np.argmax(np.cumsum(gained) >= needed)])
