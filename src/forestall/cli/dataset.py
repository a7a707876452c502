"""`forestall dataset`: bring your own plant's tables."""

import argparse
from pathlib import Path

from forestall.cli.common import Verbs, add_bundle, add_database, open_live, progress
from forestall.errors import ForestallError


def add_verbs(verbs: Verbs) -> None:
    """Add them to the command's."""
    dataset = verbs.add_parser("dataset", help="bring your own plant's tables")
    own = dataset.add_subparsers(required=True, metavar="VERB")
    init = own.add_parser("init", help="propose a dataset file for a folder of tables")
    init.add_argument("folder", type=Path, help="the folder with the tables")
    init.add_argument("--out", type=Path, help="where to write it (default: print it)")
    init.set_defaults(run=_dataset_init)
    add = own.add_parser("add", help="copy a dataset's tables in and put them under DVC")
    add.add_argument("name", help="data/raw/NAME.yaml says what the tables mean")
    add.add_argument("source", metavar="FROM", type=Path, help="the folder with the tables")
    add.set_defaults(run=_dataset_add)
    update = own.add_parser("update", help="take the months since from the service")
    update.add_argument("name", help="a dataset that `add` brought in, and that is served")
    add_database(update)
    add_bundle(update, "the model that is served")
    update.set_defaults(run=_dataset_update)


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


def _dataset_update(chosen: argparse.Namespace) -> None:
    from forestall.pipeline.update import update_dataset
    from forestall.serving.bundle import load_bundle

    live = open_live(chosen.database, load_bundle(chosen.bundle))
    found = update_dataset(chosen.name, live, Path(), progress)
    for name in found.new:
        print(f"data/raw/{chosen.name}/{name}")
    print(f"{len(found.files)} files of the service's months, {len(found.new)} of them new. Now: dvc repro")
