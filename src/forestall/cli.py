"""`forestall …`: the verbs that are not stages."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from forestall.errors import ForestallError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; an error the user can act on becomes one message and exit code 1."""
    chosen = parser().parse_args(arguments)
    try:
        chosen.run(chosen)
    except ForestallError as error:
        print(f"forestall: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """All verbs and their arguments."""
    top = argparse.ArgumentParser(
        prog="forestall", description="Predictive maintenance beside the DVC stages."
    )
    verbs = top.add_subparsers(required=True, metavar="VERB")
    _add_dataset(verbs.add_parser("dataset", help="bring your own plant's tables"))
    show = verbs.add_parser("show", help="the scores, and the machines most at risk")
    show.set_defaults(run=_show)
    return top


def _add_dataset(dataset: argparse.ArgumentParser) -> None:
    verbs = dataset.add_subparsers(required=True, metavar="VERB")
    init = verbs.add_parser("init", help="propose a dataset file for a folder of tables")
    init.add_argument("folder", type=Path, help="the folder with the tables")
    init.add_argument("--out", type=Path, help="where to write it (default: print it)")
    init.set_defaults(run=_dataset_init)
    add = verbs.add_parser("add", help="copy a dataset's tables in and put them under DVC")
    add.add_argument("name", help="data/raw/NAME.yaml says what the tables mean")
    add.add_argument("source", metavar="FROM", type=Path, help="the folder with the tables")
    add.set_defaults(run=_dataset_add)


# Each verb imports what it needs when it runs: `forestall --help` must not wait for pandas.


def _dataset_init(chosen: argparse.Namespace) -> None:
    from forestall.data.propose import propose

    if not chosen.folder.is_dir():
        raise ForestallError(f"{chosen.folder}: no such folder. Give the folder that holds the tables.")
    if chosen.out is not None and chosen.out.exists():
        raise ForestallError(f"{chosen.out} exists and is not overwritten. Remove it, or name another file.")
    text = propose(chosen.folder)
    if chosen.out is None:
        print(text, end="")
        return
    chosen.out.write_text(text, encoding="utf-8", newline="\n")
    print(f"Wrote {chosen.out}. Read it through: check every line marked CHECK.")


def _dataset_add(chosen: argparse.Namespace) -> None:
    from forestall.pipeline.add import add_dataset

    copied = add_dataset(chosen.name, chosen.source)
    print(f"Added {copied} files as data/raw/{chosen.name}. Now: dvc exp run -S data.dataset={chosen.name}")


def _show(_: argparse.Namespace) -> None:
    from forestall.pipeline.show import summary

    print(summary(Path()))


if __name__ == "__main__":
    sys.exit(main())
