"""Writes the schemas of a run into a folder that is kept, with what the dataset file knows: the ranges of sensors.

    deploy/tfx/check schemas var/tfx/first deploy/tfx/schemas data/raw/simulated.yaml

Of a column that is not always there SchemaGen infers only that it exists. Here that becomes the share of rows that
have it, less 5 in 100. A schema that is there already stays: people may have corrected it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from artifacts import read_schema, read_statistics
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

SLACK = 0.05


def ranges_of(dataset: Path) -> dict[str, tuple[float, float]]:
    """Lowest and highest possible value of each sensor that the dataset file gives a range."""
    content: dict[str, Any] = yaml.safe_load(dataset.read_text(encoding="utf-8"))
    sensors = content["tables"]["telemetry"]["sensors"]
    return {name: tuple(one["range"]) for name, one in sensors.items() if one and one.get("range")}


def completed(
    schema: schema_pb2.Schema,
    statistics: statistics_pb2.DatasetFeatureStatistics,
    ranges: dict[str, tuple[float, float]],
) -> schema_pb2.Schema:
    """A table's schema with ranges, and shares of rows that have a value."""
    shares = shares_of(statistics)
    for feature in schema.feature:
        if not feature.presence.min_fraction:
            feature.presence.min_fraction = round(max(shares.get(feature.name, 0.0) - SLACK, 0.0), 4)
        if feature.name in ranges and feature.type == schema_pb2.FLOAT:
            feature.float_domain.min, feature.float_domain.max = ranges[feature.name]
    return schema


def shares_of(statistics: statistics_pb2.DatasetFeatureStatistics) -> dict[str, float]:
    """By column, the share of rows that have a value."""
    found = {}
    for feature in statistics.features:
        common = feature.num_stats if feature.HasField("num_stats") else feature.string_stats
        found[feature.path.step[0]] = common.common_stats.num_non_missing / max(statistics.num_examples, 1)
    return found


def keep(run: Path, into: Path, dataset: Path) -> Iterator[str]:
    """Write the schemas of a run that are not there yet; says of each what became of it."""
    for table in sorted(one.name.partition(".")[2] for one in run.glob("SchemaGen.*")):
        file = into / table / "schema.pbtxt"
        if file.exists():
            yield f"{file} stays as it is"
            continue
        ranges = ranges_of(dataset) if table == "telemetry" else {}
        schema = completed(read_schema(run, table), read_statistics(run, table), ranges)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text_format.MessageToString(schema), encoding="utf-8")
        yield f"{file} written"


def main() -> int:
    """Keep the schemas of a run."""
    parser = argparse.ArgumentParser(description="Keep the schemas of a run.")
    parser.add_argument("run", type=Path, help="folder of a run that ended")
    parser.add_argument("into", type=Path, help="folder to keep them in")
    parser.add_argument("dataset", type=Path, help="the dataset file")
    said = list(keep(**vars(parser.parse_args())))
    if not said:
        print("error: there are no schemas: name the folder of a run that ended", file=sys.stderr)
        return 2
    print("\n".join(said))
    return 0


if __name__ == "__main__":
    sys.exit(main())
