"""Patterns: how much of a risk each source of features makes; and the past failures before which it looked alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forestall.features.history import Floats, Ints
from forestall.features.reference import Matrix
from forestall.serving.bundle import Bundle

LEAST = 0.05  # what makes less of a risk than this is no reason
LEAST_RISK = 0.05  # of a lower risk the drops say little: it is hardly more than that of any machine
LEAST_SIMILARITY = 0.5  # what is less alike than this is another pattern
NONE = -1  # ticks for which a risk stood, where it did not
Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Pattern:
    """One risk, over the longest horizon, and how much of it goes when each source is set to healthy, [sources]."""

    risk: float
    drops: Matrix

    @property
    def tells(self) -> bool:
        """Whether the risk is worth explaining, and has a reason."""
        return bool(telling(np.array([self.risk]), self.drops[None])[0])


@dataclass(frozen=True)
class Patterns:
    """Those of some rows: risk [rows, components], drops [rows, sources, components]."""

    sources: tuple[str, ...]
    risk: Matrix
    drops: Matrix

    def of(self, row: int, component: int) -> Pattern:
        """One row's, of a component by its position."""
        return Pattern(float(self.risk[row, component]), self.drops[row, :, component])


def patterns(features: Matrix, healthy: Matrix, bundle: Bundle) -> Patterns:
    """Each source of features in turn set to healthy and re-scored; two calls of the model in all.

    Args:
        features, healthy: [rows, features].
    """
    sources = sources_of(bundle)
    of_feature = np.array([sources.index(feature.source) for feature in bundle.reference.features])
    is_of = of_feature == np.arange(len(sources))[:, None]
    changed = np.where(is_of[None], healthy[:, None], features[:, None])
    differs = (changed != features[:, None]).any(axis=2)
    risk = bundle.risk(features)
    drops = np.zeros((len(features), len(sources), risk.shape[1]), dtype=np.float32)
    drops[differs] = risk[np.nonzero(differs)[0]] - bundle.risk(changed[differs])
    return Patterns(sources, risk, drops)


def sources_of(bundle: Bundle) -> tuple[str, ...]:
    """What reasons name, in the order of the features."""
    return tuple(dict.fromkeys(feature.source for feature in bundle.reference.features))


@dataclass(frozen=True)
class SimilarFailure:
    """A past failure, and the decision before it at which its pattern was most like another.

    failed, decided: times in ticks. similarity: 0 to 1. took: ticks from that decision to the failure. warned: for how
    many ticks before the failure the risk had stood at the threshold or above; None if it did not at the end.
    """

    machine: str
    component: str
    failed: int
    similarity: float
    decided: int
    took: int
    warned: int | None


@dataclass(frozen=True)
class PastFailures:
    """Decisions before the plant's past failures; a failure has several. All [decisions], but for drops.

    time: of the decision; took: until the failure; warned: as in `SimilarFailure`, NONE for none; ticks.
    risk: the component's over the longest horizon. drops: its pattern, [decisions, sources], in the bundle's order.
    own_clocks: whether each machine's times are by a clock of its own.
    """

    own_clocks: bool
    machine: Texts
    component: Texts
    time: Ints
    took: Ints
    warned: Ints
    risk: Matrix
    drops: Matrix

    def similar(
        self, machine: str, component: str, pattern: Pattern, before: int, most: int = 3
    ) -> list[SimilarFailure]:
        """The past failures of a component with the most similar pattern before them, the most similar first.

        Similarity is the cosine of the two patterns' drops, which says whether the same sources make the risk in the
        same proportion, times 2 r s / (r² + s²) of their risks r and s, which is 1 where these are the same and 0.4
        where one is five times the other: half of a risk of 6 % is not what half of one of 60 % is. A failure counts
        with its most similar decision.

        Args:
            machine: whose pattern it is.
            before: a failure at this time or later is not shown: it lies in the pattern's future. Where machines have
                clocks of their own, that can only be said of the same machine's.

        Returns:
            At most `most`; none for a risk that is low or has no reason, and none that is not similar.
        """
        if not pattern.tells:
            return []
        failed = self.time + self.took
        past = (failed < before) | (self.own_clocks & (self.machine != machine))
        rows = np.flatnonzero(past & (self.component == component))
        similarity = _similarity(pattern, self.risk[rows], self.drops[rows])
        found: dict[tuple[str, int], SimilarFailure] = {}
        for i in np.lexsort((self.machine[rows], -failed[rows], -similarity)).tolist():
            if similarity[i] < LEAST_SIMILARITY or len(found) == most:
                break
            one = self._failure(int(rows[i]), float(similarity[i]))
            found.setdefault((one.machine, one.failed), one)
        return list(found.values())

    def _failure(self, row: int, similarity: float) -> SimilarFailure:
        decided, took, warned = (int(of[row]) for of in (self.time, self.took, self.warned))
        return SimilarFailure(
            machine=str(self.machine[row]),
            component=str(self.component[row]),
            failed=decided + took,
            similarity=similarity,
            decided=decided,
            took=took,
            warned=None if warned == NONE else warned,
        )


def telling(risk: npt.NDArray[np.floating], drops: Matrix) -> npt.NDArray[np.bool_]:
    """Which risks [rows] are worth explaining and have a reason, by drops [rows, sources]."""
    told: npt.NDArray[np.bool_] = (risk >= LEAST_RISK) & (drops.max(axis=1, initial=0) > LEAST * risk)
    return told


def _similarity(pattern: Pattern, risk: Matrix, drops: Matrix) -> Floats:
    """How alike a pattern is to some others, of risk [rows] and drops [rows, sources]; 0 to 1."""
    mine, others = pattern.drops.astype(np.float64), drops.astype(np.float64)
    lengths = np.sqrt((others**2).sum(axis=1) * (mine**2).sum())
    cosine = (others * mine).sum(axis=1) / lengths
    comparable = 2 * pattern.risk * risk / (pattern.risk**2 + risk.astype(np.float64) ** 2)
    alike: Floats = np.clip(cosine * comparable, 0.0, 1.0)
    return alike
