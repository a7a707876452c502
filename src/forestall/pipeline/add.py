"""Bringing a dataset's tables into the repository, under DVC."""

import shutil
import subprocess
import sys
from pathlib import Path

from forestall.data.dataset import Dataset
from forestall.data.read import find_files
from forestall.data.tables import Table
from forestall.errors import ForestallError
from forestall.pipeline.stage import RAW, read_dataset


def add_dataset(name: str, source: Path) -> int:
    """Copy the tables that data/raw/<name>.yaml names from `source`, `dvc add` them; returns how many files.

    Raises:
        ForestallError: the dataset file or a table is missing, or tables of that name are there already.
    """
    dataset, target = read_dataset(name), RAW / name
    if not source.is_dir():
        raise ForestallError(f"{source}: no such folder. Give the folder that holds the tables.")
    if target.exists():
        tracked = target.with_name(f"{name}.dvc").exists()
        how = f"dvc remove --outs {target}.dvc" if tracked else f"rm -r {target}"
        raise ForestallError(f"{target} is there already. Remove it first: {how}")
    files = table_files(dataset, source)
    for file in files:
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    try:
        dvc_add(target, Path())
    except ForestallError as error:
        shutil.rmtree(target)
        raise ForestallError(f"{error} The copied tables are removed again.") from error
    return len(files)


def table_files(dataset: Dataset, folder: Path) -> list[Path]:
    """The files below `folder` that the dataset's tables are made of."""
    tables = [getattr(dataset.tables, name) for name in type(dataset.tables).model_fields]
    found = [file for table in tables if isinstance(table, Table) for file in find_files(folder, table)]
    return list(dict.fromkeys(found))


def dvc_add(target: Path, root: Path) -> None:
    """Put a folder of the repository in `root` under DVC.

    Raises:
        ForestallError: DVC refuses.
    """
    # This Python's own DVC, whatever is on PATH; of the repository in the folder that it is started in.
    words = [sys.executable, "-m", "dvc", "add", "--quiet", str(target.relative_to(root))]
    if subprocess.run(words, cwd=root, check=False).returncode:
        raise ForestallError(f"`dvc add {target}` failed.")
