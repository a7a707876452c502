"""`forestall missing`: which tables and outputs are not here, and where they can be had."""

import argparse

from forestall.cli.common import Verbs


def add_verbs(verbs: Verbs) -> None:
    """Add it to the command's."""
    about = "which tables and outputs are not here; asks the DVC remote"
    verbs.add_parser("missing", help=about).set_defaults(run=_missing)


def _missing(_: argparse.Namespace) -> int:
    from forestall.pipeline.missing import missing
    from forestall.pipeline.resolve import top

    lines = missing(top())
    print("\n".join(lines) if lines else "All is here.")
    return 1 if lines else 0
