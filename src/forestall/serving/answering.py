"""Whether a bundle answers as it should, before anything is asked of it in earnest, and what it is called."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from forestall.serving.bundle import MANIFEST, Bundle, BundleError, load_bundle
from forestall.serving.known_answers import check_known_answers


def answering_bundle(folder: Path) -> Bundle:
    """The bundle in a folder, which has answered: its own fills, and what it is known to answer.

    Raises:
        BundleError: it is not whole, its answer is no risk, or another one than where it was made.
    """
    bundle = load_bundle(folder)
    curves = bundle.curves(np.array([bundle.reference.fills], dtype=np.float32))
    if not (np.isfinite(curves).all() and (curves >= 0).all() and (curves <= 1).all()):
        raise BundleError(f"{folder}: its risks are not between 0 and 1. Run `dvc repro export`.")
    check_known_answers(folder, bundle)
    return bundle


def version_of(folder: Path) -> str:
    """The first digits of the manifest's hash: it names the hashes of all other files."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()[:12]
