"""A revision's bundle, loaded and tried once, so that one of another format is known before it matters."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from forestall.pipeline.revisions import NotComparableError
from forestall.serving.bundle import REFUSED, Bundle, BundleError, load_bundle

# What a manifest with other keys, or of other kinds, leads to: its `format` has never been raised.
OTHER = (KeyError, TypeError, AttributeError, ValueError)


def tried_bundle(folder: Path, name: str) -> Bundle:
    """The bundle in a folder, of the revision of that name, once it has given a risk.

    Raises:
        NotComparableError: it is not whole, or this code cannot ask it.
    """
    try:
        bundle = load_bundle(folder)
        bundle.risk(np.zeros((1, len(bundle.reference.features)), dtype=np.float32))
    except BundleError as error:
        what = str(error).replace(f"{folder}", f"models/bundle of {name}")
        raise NotComparableError(what) from error
    except (*REFUSED, *OTHER) as error:
        raise NotComparableError(
            f"models/bundle of {name} is of a format that this code does not read "
            f"({type(error).__name__}: {error}). Check {name} out and export it again with this code."
        ) from error
    return bundle
