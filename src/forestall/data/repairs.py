"""The account of what was repaired in the tables."""

from dataclasses import dataclass

import pandas as pd


@dataclass
class Repairs:
    """What was repaired: one row for each table, column and kind of repair."""

    rows: list[tuple[str, str, str, int]]

    def add(self, table: str, column: str, repair: str, cells: int) -> None:
        """Count `cells` repaired (rows, for a repair of whole rows)."""
        if cells:
            self.rows.append((table, column, repair, int(cells)))

    def frame(self) -> pd.DataFrame:
        """Columns table, column, repair, cells; one row each, summed and sorted."""
        frame = pd.DataFrame(self.rows, columns=["table", "column", "repair", "cells"])
        return frame.groupby(["table", "column", "repair"])[["cells"]].sum().reset_index()
