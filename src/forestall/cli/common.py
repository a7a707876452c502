"""What the verbs share."""

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Verbs = object


def progress(text: str) -> None:
    """Say how far it is."""
    print(text, file=sys.stderr, flush=True)
