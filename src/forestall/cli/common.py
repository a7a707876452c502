"""What the verbs share."""

import argparse
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Verbs = object


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
