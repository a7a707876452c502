"""`forestall provenance`: which revision made a model?"""

import argparse
from pathlib import Path

from forestall.cli.common import BUNDLE, Verbs


def add_verbs(verbs: Verbs) -> None:
    """Add it to the command's."""
    provenance = verbs.add_parser(
        "provenance", help="which commit made a model, of which data, params and code"
    )
    provenance.add_argument(
        "bundle",
        type=Path,
        metavar="FOLDER",
        nargs="?",
        default=BUNDLE,
        help=f"a bundle, wherever it lies; a release, too (default: {BUNDLE})",
    )
    provenance.set_defaults(run=_provenance)


def _provenance(chosen: argparse.Namespace) -> int:
    from forestall.pipeline.provenance import provenance
    from forestall.pipeline.resolve import top

    for line in provenance(chosen.bundle, top()):
        print(line)
    return 0
