"""What a challenger makes of requests that the champion has answered: on the same side of its thresholds, or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import numpy as np
from pydantic import ValidationError

from forestall.features.reference import Matrix
from forestall.serving.api.vectors import reached
from forestall.serving.bundle import Bundle
from forestall.serving.opinions import Opinion
from forestall.serving.stateless import FieldError, Stateless
from forestall.training.series import Bools

# unfit: it takes other features, or other fields.
Outcome = Literal["agreed", "disagreed", "unfit", "failed"]
Said = tuple[Outcome, str]  # and what went wrong


@dataclass(frozen=True)
class AskedVectors:
    """Features [rows, features], and the risks [rows, components] that a bundle gave of them."""

    features: Matrix
    risk: Matrix
    bundle: Bundle


@dataclass(frozen=True)
class AskedHistory:
    """A request with a machine's history, and what was thought of it."""

    content: dict[str, Any]
    opinions: Sequence[Opinion]


def rows_of(asked: AskedHistory) -> int:
    """How many rows its tables have."""
    return sum(len(value) for value in asked.content.values() if isinstance(value, list))


def of_vectors(taken: Sequence[AskedVectors], bundle: Bundle) -> list[Said]:
    """What a challenger makes of vectors, in any order."""
    found: list[Said] = []
    for _, some in groupby(taken, key=lambda one: id(one.bundle)):
        alike = list(some)
        try:
            found += [(outcome, "") for outcome in _of_vectors(alike, bundle)]
        except Exception as error:  # whatever a challenger does wrong is counted, and no more
            found += [("failed", f"{type(error).__name__}: {error}")] * len(alike)
    return found


def of_histories(taken: Sequence[AskedHistory], stateless: Stateless) -> list[Said]:
    """What it makes of histories."""
    return [_of_history(one, stateless) for one in taken]


def _of_vectors(asked: Sequence[AskedVectors], bundle: Bundle) -> list[Outcome]:
    served = asked[0].bundle
    if served.reference.features != bundle.reference.features:
        return ["unfit"] * len(asked)
    risk = bundle.risk(np.concatenate([one.features for one in asked]))
    both = [name for name in bundle.components if name in served.components]
    ours = _of_both(reached(risk, bundle), bundle, both)
    theirs = _of_both(reached(np.concatenate([one.risk for one in asked]), served), served, both)
    same = np.split((ours == theirs).all(axis=1), np.cumsum([len(one.features) for one in asked])[:-1])
    return ["agreed" if rows.all() else "disagreed" for rows in same]


def _of_both(sides: Bools, bundle: Bundle, names: Sequence[str]) -> Bools:
    return sides[:, [bundle.components.index(name) for name in names]]


def _of_history(asked: AskedHistory, stateless: Stateless) -> Said:
    try:
        ours = stateless.opinions(stateless.asked.model_validate(asked.content))
    except (ValidationError, FieldError):
        return "unfit", ""
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}"
    sides = {one.component: one.alarm for one in ours}
    same = all(sides[one.component] == one.alarm for one in asked.opinions if one.component in sides)
    return ("agreed" if same else "disagreed"), ""
