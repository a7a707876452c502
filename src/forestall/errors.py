"""The errors a user can do something about: each says where it stands and what to do."""

from pathlib import Path


class ForestallError(Exception):
    """Base of every error that is reported as one message, without a traceback."""


class SettingsError(ForestallError):
    """params.yaml or the dataset file asks for something that cannot be."""


class InputError(ForestallError):
    """A table holds something that cannot be used.

    Args:
        problem: what is wrong, with the offending value.
        todo: what the user can do about it.
        file, row, column: where; the row is the line number in the file, counted from 1.
    """

    def __init__(
        self,
        problem: str,
        todo: str,
        file: Path | str | None = None,
        row: int | None = None,
        column: str | None = None,
    ) -> None:
        place = [str(file)] if file is not None else []
        place += [f"row {row}"] if row is not None else []
        place += [f"column {column}"] if column is not None else []
        where = ", ".join(place)
        super().__init__(f"{where}: {problem}. {todo}." if where else f"{problem}. {todo}.")
        self.file, self.row, self.column = file, row, column
