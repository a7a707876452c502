"""Random streams: one for each machine and purpose, so that nothing depends on how work is divided."""

from typing import Literal

import numpy as np

PURPOSES = ("traits", "wear", "load", "noise", "codes", "dirt")
Purpose = Literal["traits", "wear", "load", "noise", "codes", "dirt"]


def stream(seed: int, machine: int, purpose: Purpose) -> np.random.Generator:
    """The generator of one machine (its number) for one purpose."""
    key = (machine, PURPOSES.index(purpose))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
