"""prepare: raw tables to clean ones, with an account of every repair."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

from pathlib import Path

from forestall.data import account, store
from forestall.data.prepare import prepare
from forestall.pipeline import files, stage

OUT = Path("data/prepared")


def main() -> None:
    """Write data/prepared/, metrics/data.json and metrics/repairs.csv."""
    settings = stage.load(params=["data", "prepare"], dataset=["clock", "tables", "components", "decisions"])
    dataset, folder = settings.dataset, Path("data/raw") / settings.params.data.dataset
    OUT.mkdir(parents=True, exist_ok=True)
    with store.TelemetryWriter(OUT, dataset.clock) as writer:
        events, repairs, summary = prepare(
            folder,
            dataset,
            settings.params.prepare.carry_forward,
            writer.write,
            stage.progress,
            OUT / "scratch",
        )
    store.write_events(OUT, events, dataset.clock)
    files.write_json(Path("metrics/data.json"), account.data_figures(events, summary, dataset))
    files.write_csv(Path("metrics/repairs.csv"), repairs.frame())


if __name__ == "__main__":
    stage.run(main)
