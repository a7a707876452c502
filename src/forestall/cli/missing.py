"""`forestall missing`: which tables and outputs are not here, and where they can be had."""

import argparse

from forestall.cli.common import Verbs


def add_verbs(verbs: Verbs) -> None:
    """Add it to the command's."""
    verb = verbs.add_parser("missing", help="which tables and outputs are not here; asks the DVC remote")
    verb.add_argument(
        "--push", action="store_true", help="send the remote what it has lost and this clone's cache has"
    )
    verb.set_defaults(run=_missing)


def _missing(chosen: argparse.Namespace) -> int:
    from forestall.pipeline.missing import missing, push
    from forestall.pipeline.resolve import top

    if chosen.push:
        sent = "\n".join(f"{path}: pushed." for path in push(top()))
        print(sent or "Of what is named here the remote lacks nothing that the cache has.")
        return 0
    lines = missing(top())
    print("\n".join(lines) or "All is here.")
    return 1 if lines else 0
