"""The life of parts: wear, failures, repairs and planned visits of one machine."""

from dataclasses import dataclass

import numpy as np

from forestall.data.simulator.catalogue import COMPONENTS, HOURS_PER_DAY, START, Component, Mode
from forestall.data.simulator.traits import Machine

SUDDEN = 0.11
WEAK = 0.10
RENEWED = 0.8


@dataclass
class Life:
    """One part from its installation on; times in hours from the start of the data.

    `fails` is when the part fails if nobody replaces it first; `ended` is when it stopped being in use
    (its failure or its planned replacement), infinite if it outlives the data. `strength` scales the
    precursor: 0 is a failure without any, 1 a usual one.
    """

    component: Component
    installed: float
    fails: float
    mode: Mode
    strength: float
    lead: float
    ended: float = np.inf
    failed: bool = False

    @property
    def onset(self) -> float:
        """When the precursor starts; never before the part is in use."""
        return max(self.fails - self.lead, self.installed)


@dataclass(frozen=True)
class Stop:
    """The machine stood still from `start` to `end`; `replaced` names the parts renewed."""

    start: float
    end: float
    replaced: tuple[str, ...]


@dataclass(frozen=True)
class History:
    """All that happened to one machine: every part's life, and every stop in order of time."""

    lives: list[Life]
    stops: list[Stop]


def simulate_wear(machine: Machine, hours: int, rng: np.random.Generator) -> History:
    """Failures and visits in [0, hours), in order of time.

    Wear goes on only while the machine runs: a stop puts off the failures of its other parts.
    """
    parts = [component for component in COMPONENTS if component.name not in machine.model.lacks]
    current = {part.name: _first_life(part, machine, rng) for part in parts}
    lives, stops = list(current.values()), list[Stop]()
    interval = rng.uniform(72, 108)
    visit = _visit_time(rng.uniform(0, interval), rng)
    while True:
        weakest = min(current.values(), key=lambda life: life.fails)
        now = min(weakest.fails, visit)
        if now >= hours:
            return History(lives, stops)
        if weakest.fails <= visit:
            stop = Stop(now, now + _repair_hours(rng), (weakest.component.name,))
            weakest.failed = True
        else:
            due = _due(list(current.values()), machine, now, rng)
            stop = Stop(now, _minute(now + rng.uniform(2, 8)), due)
            visit = _visit_time(now / HOURS_PER_DAY + interval + rng.uniform(-12, 12), rng)
        stops.append(stop)
        visit = visit if visit > stop.end else visit + stop.end - stop.start
        for name, life in current.items():
            if name in stop.replaced:
                life.ended = now
                current[name] = _new_life(life.component, machine, stop.end, rng)
                lives.append(current[name])
            else:
                life.fails += stop.end - stop.start


def weibull_life(age: float, shape: float, scale: float, exponential: float) -> float:
    """Life of a part that has reached `age`: inverse of the conditional Weibull survival (Weibull 1951).

    S(t | age) = exp((age / scale)^shape - (t / scale)^shape), so t is
    scale ((age / scale)^shape + E)^(1 / shape) with E a standard exponential draw. Units: those of `scale`.
    """
    return float(scale * ((age / scale) ** shape + exponential) ** (1 / shape))


def life_scale(component: Component, machine: Machine) -> float:
    """Weibull scale in hours: by model, and shorter on old machines (1.5 % a year)."""
    return component.scale * HOURS_PER_DAY * machine.model.life * float(np.exp(-0.015 * (machine.age - 10)))


def _first_life(component: Component, machine: Machine, rng: np.random.Generator) -> Life:
    scale = life_scale(component, machine)
    age = float(rng.uniform(0.02, 0.8)) * scale
    life = _new_life(component, machine, 0.0, rng)
    life.installed = _minute(-age)
    life.fails = life.installed + _minute(weibull_life(age, component.shape, scale, rng.exponential()))
    return life


def _new_life(component: Component, machine: Machine, now: float, rng: np.random.Generator) -> Life:
    life = weibull_life(0.0, component.shape, life_scale(component, machine), rng.exponential())
    mode = component.modes[rng.integers(len(component.modes))]
    low, high = np.log(mode.lead)
    return Life(
        component=component,
        installed=now,
        fails=now + max(_minute(life), 1.0),
        mode=mode,
        strength=_strength(rng),
        lead=float(np.exp(rng.uniform(low, high))),
    )


def _strength(rng: np.random.Generator) -> float:
    kind, usual, weak = rng.random(), np.exp(rng.normal(0, 0.15)), rng.uniform(0.1, 0.3)
    if kind < SUDDEN:
        return 0.0
    return float(weak if kind < SUDDEN + WEAK else usual)


def _due(lives: list[Life], machine: Machine, now: float, rng: np.random.Generator) -> tuple[str, ...]:
    """Parts that a visit replaces: those past their age, most of the time, whatever their condition."""
    wanted = rng.random(len(lives)) < RENEWED
    limits = [life.component.renew_at * life_scale(life.component, machine) for life in lives]
    return tuple(
        life.component.name
        for life, limit, replace in zip(lives, limits, wanted, strict=True)
        if replace and now - life.installed > limit
    )


def _visit_time(day: float, rng: np.random.Generator) -> float:
    """A morning hour of the first working day at or after `day`, in hours."""
    date = START.astype("datetime64[D]") + int(np.ceil(day))
    working = np.busday_offset(date, 0, roll="forward")
    days = int((working - START.astype("datetime64[D]")).astype(int))
    return _minute(days * HOURS_PER_DAY + rng.uniform(6, 12))


def _repair_hours(rng: np.random.Generator) -> float:
    return _minute(float(np.clip(14 * np.exp(rng.normal(0, 0.6)), 3, 72)))


def _minute(hours: float) -> float:
    """Rounded to whole minutes, the resolution of the records."""
    return round(hours * 60) / 60
