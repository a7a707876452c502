"""TFX's ExampleGen, StatisticsGen, SchemaGen and ExampleValidator over each table, on this computer.

    deploy/tfx/check data/prepared var/tfx/2026-11

Ends with 0 if nothing is anomalous, with 1 if something is, and with 2 if it cannot run.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import prepared_tables
from artifacts import Found, anomalies_of, read_schema, statistics_folder
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import v1 as tfx
from tfx.components.distribution_validator.component import DistributionValidator
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.proto import distribution_validator_pb2
from tfx.types.standard_artifacts import ExampleStatistics

SPLIT = "all"
IN_PROCESS = ["--runner=DirectRunner", "--direct_running_mode=in_memory", "--direct_num_workers=1"]


class RefusedError(Exception):
    """What a user can mend; the message says how."""


def tables_in(folder: Path, only: list[str]) -> dict[str, str]:
    """The pattern of each table's files, below a folder: `<table>.parquet`, `<table>.csv` or `<table>/*.csv`."""
    found = {file.stem: file.name for suffix in ("csv", "parquet") for file in folder.glob(f"*.{suffix}")}
    found |= {one.parent.name: f"{one.parent.name}/*.csv" for one in folder.glob("*/*.csv")}
    lacking = sorted(set(only) - set(found))
    if lacking or not found:
        which = f"no table {', '.join(lacking)}" if lacking else "no tables"
        raise RefusedError(f"{folder} has {which}: name the folder of prepared or raw tables")
    return {name: found[name] for name in sorted(found) if not only or name in only}


def components(
    folder: Path, tables: dict[str, str], schemas: Path | None, baseline: Path | None, most: float
) -> Iterator[BaseComponent]:
    """All components, those of a table named for it: `ExampleGen.telemetry`."""
    for table, pattern in tables.items():
        generated = example_gen(folder, pattern).with_id(f"ExampleGen.{table}")
        statistics = tfx.components.StatisticsGen(examples=generated.outputs["examples"])
        statistics = statistics.with_id(f"StatisticsGen.{table}")
        found = statistics.outputs["statistics"]
        schema = schema_gen(table, found, schemas).with_id(f"SchemaGen.{table}")
        validator = tfx.components.ExampleValidator(statistics=found, schema=schema.outputs["schema"])
        yield from (generated, statistics, schema, validator.with_id(f"ExampleValidator.{table}"))
        if baseline:
            yield from distribution_validator(table, found, baseline, most)


def example_gen(folder: Path, pattern: str) -> BaseComponent:
    """Reads one table, as one split: which rows may train is for `data/features` to say, by time and machine."""
    split = tfx.proto.Input.Split(name=SPLIT, pattern=pattern)
    one = tfx.proto.SplitConfig(splits=[tfx.proto.SplitConfig.Split(name=SPLIT, hash_buckets=1)])
    given = {
        "input_base": str(folder.resolve()),
        "input_config": tfx.proto.Input(splits=[split]),
        "output_config": tfx.proto.Output(split_config=one),
    }
    if pattern.endswith(".csv"):
        return tfx.components.CsvExampleGen(**given)
    return FileBasedExampleGen(**given, custom_executor_spec=BeamExecutorSpec(prepared_tables.Executor))


def schema_gen(table: str, statistics: tfx.types.BaseChannel, schemas: Path | None) -> BaseComponent:
    """Infers the table's schema, or takes the one that is kept."""
    if schemas is None:
        return tfx.components.SchemaGen(statistics=statistics, infer_feature_shape=True)
    file = schemas / table / "schema.pbtxt"
    if not file.is_file():
        raise RefusedError(
            f"{file} is missing: write it with `deploy/tfx/check schemas`, or leave the table out by --only"
        )
    return tfx.components.ImportSchemaGen(schema_file=str(file))


def distribution_validator(
    table: str, statistics: tfx.types.BaseChannel, baseline: Path, most: float
) -> Iterator[BaseComponent]:
    """Compares the numbers of a table with those of an earlier run."""
    kept = statistics_folder(baseline, table)
    names = numbers_of(baseline, table)
    if kept is None:
        raise RefusedError(f"{baseline} has no statistics of {table}: name the folder of a run that ended")
    if not names:
        return
    importer = tfx.dsl.Importer(
        source_uri=str(kept),
        artifact_type=ExampleStatistics,
        properties={"split_names": json.dumps([SPLIT])},
    ).with_id(f"Baseline.{table}")
    compared = DistributionValidator(
        statistics=statistics, baseline_statistics=importer.outputs["result"], config=compare(names, most)
    )
    yield from (importer, compared.with_id(f"DistributionValidator.{table}"))


def numbers_of(run: Path, table: str) -> list[str]:
    """The floating-point columns of a table in an earlier run: times are whole numbers, and always differ."""
    schema = read_schema(run, table)
    return [one.name for one in schema.feature if one.type == schema_pb2.FLOAT]


def compare(names: list[str], most: float) -> distribution_validator_pb2.DistributionValidatorConfig:
    """Jensen-Shannon divergence of each column, in bits, that is not to be exceeded."""
    config = distribution_validator_pb2.DistributionValidatorConfig()
    for name in names:
        feature = config.default_slice_config.feature.add()
        feature.path.step.append(name)
        feature.distribution_comparator.jensen_shannon_divergence.threshold = most
    return config


def run(parts: list[BaseComponent], into: Path) -> None:
    """Run them, one after the other, and keep all they make, with ML Metadata's database, below a folder."""
    database = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(into / "metadata.db"))
    tfx.orchestration.LocalDagRunner().run(
        tfx.dsl.Pipeline(
            pipeline_name="forestall",
            pipeline_root=str(into.resolve()),
            components=parts,
            metadata_connection_config=database,
            beam_pipeline_args=IN_PROCESS,
        )
    )


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="Check tables with TFX.")
    parser.add_argument("tables", type=Path, help="folder of prepared tables, or of raw ones as CSV")
    parser.add_argument("into", type=Path, help="folder for what TFX makes; must be new")
    parser.add_argument("--only", nargs="+", default=[], metavar="TABLE", help="these tables alone")
    parser.add_argument(
        "--schemas", type=Path, help="folder of schemas that are kept; otherwise they are inferred"
    )
    parser.add_argument("--baseline", type=Path, help="an earlier run, to compare distributions with")
    parser.add_argument(
        "--most", type=float, default=0.1, help="greatest Jensen-Shannon divergence from it (default 0.1)"
    )
    return parser.parse_args()


def checked(
    tables: Path, into: Path, only: list[str], schemas: Path | None, baseline: Path | None, most: float
) -> list[Found]:
    """Run the pipeline over a folder of tables; what is anomalous.

    Raises:
        RefusedError: it cannot run.
    """
    if into.exists():
        raise RefusedError(f"{into} exists: name a new folder, or remove it")
    run(list(components(tables, tables_in(tables, only), schemas, baseline, most)), into)
    return list(anomalies_of(into))


def main() -> int:
    """Run the pipeline and print what is anomalous."""
    logging.getLogger().setLevel(logging.ERROR)
    given = arguments()
    try:
        found = checked(**vars(given))
    except RefusedError as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 2
    except Exception:  # a traceback's own exit code, 1, would say that tables are anomalous
        traceback.print_exc()
        return 2
    for one in found:
        print("\t".join(one))
    print(f"{len(found)} anomalies; everything is below {given.into}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
