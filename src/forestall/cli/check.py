"""`forestall check`: does dvc.lock tell the truth about the files?"""

import argparse
from pathlib import Path

from forestall.cli.common import Verbs, progress


def add_verbs(verbs: Verbs) -> None:
    """Add it to the command's."""
    check = verbs.add_parser("check", help="does dvc.lock tell the truth about the files?")
    check.add_argument(
        "--studies",
        action="store_true",
        help="say of each study why it is behind, and exit 1 for that, too",
    )
    instead = check.add_mutually_exclusive_group()
    instead.add_argument(
        "--rerun",
        action="store_true",
        help="also make everything again in a temporary clone, compare every hash, and print a certificate",
    )
    instead.add_argument(
        "--fix", action="store_true", help="only write the code that each stage imports into dvc.yaml"
    )
    check.set_defaults(run=_check)


def _check(chosen: argparse.Namespace) -> int:
    from forestall.pipeline.resolve import top

    root = top()
    if chosen.fix:
        from forestall.pipeline.imports import fix

        changed = fix(root)
        for name in changed:
            print(f"{name}: wrote the code that its stages import. Now: dvc repro {name}")
        if not changed:
            print("Nothing to write: dvc.yaml lists the code that its stages import.")
        return 0
    from forestall.pipeline.check import check, lines

    told, well = lines(check(root), chosen.studies)
    for line in told:
        print(line)
    if well:
        print("All is as dvc.lock has it.")
    if chosen.rerun:
        well = _rerun(root, chosen.studies) and well
    return 0 if well else 1


def _rerun(root: Path, studies: bool) -> bool:
    from forestall.pipeline.certificate import certificate, rerun
    from forestall.pipeline.imports import MAIN, pipelines_in

    progress("Making everything again in a temporary clone, which takes as long as a first run.")
    found = rerun(root, pipelines_in(root) if studies else [MAIN])
    for line in certificate(found):
        print(line)
    return found.equal
