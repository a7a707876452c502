"""`forestall …`: the verbs that are not stages.

Each verb imports what it needs when it runs: `forestall --help` must not wait for pandas.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from forestall.cli import (
    check,
    dataset,
    fleet,
    merge,
    missing,
    promotion,
    provenance,
    revisions,
    service,
    shadow,
)
from forestall.errors import ForestallError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; an error the user can act on becomes one message and exit code 1."""
    chosen = parser().parse_args(arguments)
    try:
        code = chosen.run(chosen)
        sys.stdout.flush()
    except ForestallError as error:
        print(f"forestall: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Who read it, such as `head`, has seen enough; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"forestall: {error}", file=sys.stderr)
        return 1
    return int(code or 0)


def parser() -> argparse.ArgumentParser:
    """All verbs and their arguments."""
    top = argparse.ArgumentParser(
        prog="forestall", description="Predictive maintenance beside the DVC stages."
    )
    verbs = top.add_subparsers(required=True, metavar="VERB")
    # merge last: Git calls it, no person does.
    for group in (dataset, check, missing, provenance, revisions, promotion, shadow, fleet, service, merge):
        group.add_verbs(verbs)
    return top
