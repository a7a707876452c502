"""What every stage script does around its own work: settings in, progress and errors out."""

import errno
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from forestall.data.dataset import Dataset
from forestall.data.settings import read_yaml, validate
from forestall.errors import ForestallError
from forestall.pipeline import steady
from forestall.pipeline.params import Params, read_params

RAW = Path("data/raw")
SECONDS_BETWEEN = 5.0
INTERRUPTED = 130  # what shells say of what Ctrl-C ended
# What a person can do about what the system refuses; any other OSError keeps its traceback.
TODO = {
    errno.ENOSPC: "Free some disk space",
    errno.EDQUOT: "Free some disk space",
    errno.EACCES: "Give yourself the right to it",
    errno.EPERM: "Give yourself the right to it",
    errno.EROFS: "Make the folder writable",
}
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Settings:
    """What a stage declared; touching an undeclared section of either is an AttributeError."""

    params: Params
    dataset: Dataset


def load(params: Sequence[str], dataset: Sequence[str]) -> Settings:
    """The declared sections of params.yaml and of the dataset file, after a check of all of both.

    A stage declares the same sections in dvc.yaml: what it reads undeclared would change without a rerun. A stage that
    declares none of the dataset file does not look at it.

    Raises:
        SettingsError: either file has a key or value that is not allowed.
    """
    every = read_params()
    nothing: dict[str, Any] = {}
    known = read_dataset(every.data.dataset) if dataset else Dataset.model_construct(**nothing)
    return Settings(only(every, params), only(known, dataset))


def read_dataset(name: str, root: Path = Path()) -> Dataset:
    """The checked dataset file data/raw/<name>.yaml below `root`."""
    file = root / RAW / f"{name}.yaml"
    return validate(Dataset, read_yaml(file), file)


def only(model: Model, sections: Sequence[str]) -> Model:
    """The model without the sections that are not named."""
    return type(model).model_construct(**{name: getattr(model, name) for name in sections})


def run(main: Callable[[], None]) -> None:
    """Run a stage; an error the user can act on becomes one message and exit code 1."""
    name, start = Path(sys.argv[0]).stem, time.monotonic()
    try:
        steady.require()
        main()
        steady.check()
    except ForestallError as error:
        _say(f"{name}: {error}")
        sys.exit(1)
    except OSError as error:
        if error.errno not in TODO:
            raise
        _say(f"{name}: {error}. {TODO[error.errno]}, then try again.")
        sys.exit(1)
    except AttributeError as error:
        if isinstance(error.obj, Params | Dataset) and error.name in type(error.obj).model_fields:
            error.add_note(f"Declare {error.name!r} in the stage's stage.load(...) and in dvc.yaml.")
        raise
    except KeyboardInterrupt:
        _say(f"{name}: interrupted. `dvc repro` runs it again.")
        sys.exit(INTERRUPTED)
    _say(f"{name}: {time.monotonic() - start:.1f} s")


def progress(text: str) -> None:
    """Show how far a stage is: on a terminal in one line, elsewhere at most every few seconds."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
    elif time.monotonic() - _Shown.at >= SECONDS_BETWEEN:
        _Shown.at = time.monotonic()
        print(text, file=sys.stderr, flush=True)


class _Shown:
    """When progress was last shown."""

    at = float("-inf")


def _say(text: str) -> None:
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(f"{clear}{text}", file=sys.stderr, flush=True)
