"""The README's table of scores, written from metrics/policies.csv: `python -m forestall.pipeline.readme`."""

from pathlib import Path

import pandas as pd

from forestall.data.clock import hour_of
from forestall.pipeline.params import read_params
from forestall.pipeline.show import FIGURES, figure
from forestall.pipeline.stage import read_dataset

README, POLICIES = Path("README.md"), Path("metrics/policies.csv")
BEGIN, END = "<!-- scores: written by `make readme` from metrics/policies.csv -->", "<!-- end of scores -->"
COLUMNS = FIGURES | {"failures": "failures"}


def table(policies: pd.DataFrame, unit: str) -> str:
    """Every fold and policy as a Markdown table, to three digits; lead times are in `unit`."""
    lines = [
        f"| fold | policy | {' | '.join(COLUMNS.values()).format(unit=unit)} |",
        "|---|---|" + "---:|" * len(COLUMNS),
    ]
    for _, row in policies.iterrows():
        figures = [figure(row[name]) for name in COLUMNS]
        lines.append(f"| {row['fold']} | {row['policy'].replace('_', ' ')} | {' | '.join(figures)} |")
    return "\n".join(lines)


def with_scores(readme: str, policies: pd.DataFrame, unit: str) -> str:
    """The README with the table of `policies` between its marks; lead times are in `unit`."""
    before, rest = readme.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{table(policies, unit)}\n{END}{after}"


if __name__ == "__main__":
    _, lead_unit = hour_of(read_dataset(read_params().data.dataset).clock.unit)
    text = with_scores(README.read_text(encoding="utf-8"), pd.read_csv(POLICIES), lead_unit)
    README.write_text(text, encoding="utf-8", newline="\n")
