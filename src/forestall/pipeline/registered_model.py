"""A bundle as a folder in MLflow's model format, which its registry and `mlflow.pyfunc.load_model` take."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import forestall
from forestall.comparison.changes import packages
from forestall.comparison.factors import ENVIRONMENT_LOCK
from forestall.errors import ForestallError
from forestall.pipeline.imports import stage_modules
from forestall.serving import registered
from forestall.serving.bundle import load_bundle

# Of this code and not of the revision's: it has just loaded the bundle.
SOURCE = Path(forestall.__file__).parents[1]


def save_model(bundle: Path, folder: Path) -> None:
    """Write the model: the bundle, the code that scores with it, and what that code needs."""
    from mlflow import pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    loaded = load_bundle(bundle)
    wanted, given = (
        Schema([ColSpec(DataType.float, name) for name in names])
        for names in (registered.feature_names(loaded), registered.risk_columns(loaded))
    )
    with warnings.catch_warnings():
        # It would rather have an example of its input, on which it then tries the model in a process of its own.
        warnings.filterwarnings("ignore", ".*An input example was not provided")
        pyfunc.save_model(
            str(folder),
            loader_module=registered.__name__,
            data_path=str(bundle),
            code_paths=[str(_scoring_code(folder.parent / "code"))],
            pip_requirements=requirements(),
            signature=ModelSignature(inputs=wanted, outputs=given),
        )


def requirements() -> list[str]:
    """What the scoring code needs, in the versions that it was judged with."""
    lock = SOURCE.parent / ENVIRONMENT_LOCK
    if not lock.is_file():
        raise ForestallError(
            f"{lock} is missing. Run forestall from a clone that was set up with `make setup`."
        )
    pinned = packages(lock.read_text(encoding="utf-8"))
    return [f"{name}=={pinned[name]}" for name in registered.PACKAGES]


def _scoring_code(folder: Path) -> Path:
    """The package with the modules that scoring imports, and no others."""
    script = Path(registered.__file__)
    for name in [*stage_modules(script, SOURCE.parent), script.relative_to(SOURCE.parent).as_posix()]:
        copy = folder / Path(name).relative_to(SOURCE.name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOURCE.parent / name, copy)
    return folder / forestall.__name__
