"""What the verbs share."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from forestall.errors import ForestallError

if TYPE_CHECKING:
    from forestall.serving.bundle import Bundle
    from forestall.serving.live import Live

    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Verbs = object


BUNDLE, SERVED = Path("models/bundle"), Path("models/served")


def progress(text: str) -> None:
    """Say how far it is."""
    print(text, file=sys.stderr, flush=True)


def add_database(verb: argparse._ActionsContainer) -> None:
    """Which store."""
    verb.add_argument(
        "--database",
        metavar="URL",
        default=os.environ.get("FORESTALL_DATABASE_URL", "sqlite:///var/forestall.sqlite"),
        help="sqlite:///FILE or postgresql+psycopg://… (default: FORESTALL_DATABASE_URL, or var/forestall.sqlite)",
    )


def add_bundle(verb: argparse._ActionsContainer, about: str) -> None:
    """Which model: where some were promoted, the one that is served."""
    champion = SERVED / "champion"
    verb.add_argument(
        "--bundle",
        type=Path,
        metavar="FOLDER",
        default=champion if champion.is_symlink() else BUNDLE,
        help=f"{about} (default: {champion}, or {BUNDLE} where nothing was promoted)",
    )


def open_live(url: str, bundle: "Bundle") -> "Live":
    """A bundle over the service's store, whose time stands at the latest reading.

    Raises:
        ForestallError: there is no such database, it holds no service's store, or another plant's.
    """
    from forestall.serving.live import Live
    from forestall.serving.store.database import connect

    _check_file(url)
    return Live.over(connect(url, may_be_new=False), bundle, None)


def _check_file(url: str) -> None:
    """A file that is not there would be made, and be empty."""
    path = url.removeprefix("sqlite:///")
    if path != url and not Path(path).is_file():
        raise ForestallError(
            f"There is no database {path}. Start the service (`forestall serve`), or name its database by --database."
        )
