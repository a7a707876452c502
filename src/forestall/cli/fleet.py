"""`forestall predict` and `show`: the risk of a fleet."""

import argparse
import sys
from pathlib import Path

from forestall.cli.common import Verbs, add_bundle


def add_verbs(verbs: Verbs) -> None:
    """Add them to the command's."""
    _add_predict(verbs.add_parser("predict", help="risk of a fleet from its tables, without the pipeline"))
    show = verbs.add_parser("show", help="the scores, and the machines most at risk")
    show.set_defaults(run=_show)


def _add_predict(predict: argparse.ArgumentParser) -> None:
    predict.add_argument(
        "source", metavar="IN", type=Path, help="a folder with the plant's tables, or one file of telemetry"
    )
    predict.add_argument(
        "--out",
        metavar="OUT",
        type=Path,
        required=True,
        help="a .csv or .parquet file; replaced if all goes well",
    )
    add_bundle(predict, "the model")
    predict.set_defaults(run=_predict)


def _predict(chosen: argparse.Namespace) -> None:
    from forestall.serving.batch import predict

    fleet = predict(chosen.source, chosen.out, chosen.bundle, _rows_read)
    machines, alarms = fleet["machine"].nunique(), (fleet["alarm"] == "yes").sum()
    print(f"Wrote {chosen.out}: {machines:,} machines, {alarms:,} risks at or above their threshold.")


def _rows_read(text: str) -> None:
    """How far reading is, where somebody looks on."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _show(_: argparse.Namespace) -> None:
    from forestall.pipeline.show import summary

    print(summary(Path()))
