"""card: the model card, from the metrics of this run."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

from pathlib import Path

import pandas as pd

from forestall.evaluation.card import Facts, model_card
from forestall.pipeline import files, stage

METRICS, OUT = Path("metrics"), Path("reports/model_card.md")


def main() -> None:
    """Write reports/model_card.md."""
    settings = stage.load(params=["data", "train", "alarm"], dataset=["about", "card"])
    tables = {
        name: pd.read_csv(METRICS / f"{name}.csv")
        for name in ("policies", "intervals", "slices", "calibration", "remaining_life")
    }
    facts = Facts(
        dataset=settings.params.data.dataset,
        about=settings.dataset.about,
        words=settings.dataset.card.model_dump(),
        manifest=files.read_json(Path("models/bundle/manifest.json")),
        params={"train": settings.params.train.model_dump(), "alarm": settings.params.alarm.model_dump()},
        data=files.read_json(METRICS / "data.json"),
        **tables,
    )
    files.write_text(OUT, model_card(facts))


if __name__ == "__main__":
    stage.run(main)
