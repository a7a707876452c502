"""What a run of the pipeline left in its folder: statistics, schemas, anomalies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

Found = tuple[str, str, str, str]


def statistics_folder(run: Path, table: str) -> Path | None:
    """The folder of a table's statistics, of which each split has a `FeatureStats.pb`."""
    return _last(run / f"StatisticsGen.{table}" / "statistics")


def read_schema(run: Path, table: str) -> schema_pb2.Schema:
    """The schema that a table was checked against."""
    folder = _last(run / f"SchemaGen.{table}" / "schema")
    text = (folder / "schema.pbtxt").read_text(encoding="utf-8") if folder else ""
    return text_format.Parse(text, schema_pb2.Schema())


def read_statistics(run: Path, table: str) -> statistics_pb2.DatasetFeatureStatistics:
    """The statistics of a table's one split."""
    folder = statistics_folder(run, table)
    (file,) = folder.glob("Split-*/FeatureStats.pb") if folder else ()
    (found,) = statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read_bytes()).datasets
    return found


def anomalies_of(run: Path) -> Iterator[Found]:
    """Table, column, the kind of anomaly and a sentence about it, from all validators."""
    for validator in ("ExampleValidator", "DistributionValidator"):
        for file in sorted(run.glob(f"{validator}.*/anomalies/*/Split*/SchemaDiff.pb")):
            table = file.parents[3].name.partition(".")[2]
            for column, kind, text in _read(file):
                yield table, column, kind, text


def divergences_of(run: Path, table: str) -> dict[str, float]:
    """By column, what the DistributionValidator measured between an earlier run and this one."""
    found = {}
    for file in run.glob(f"DistributionValidator.{table}/anomalies/*/Split*/SchemaDiff.pb"):
        anomalies = anomalies_pb2.Anomalies.FromString(file.read_bytes())
        found |= {one.path.step[0]: one.drift_measurements[0].value for one in anomalies.drift_skew_info}
    return found


def _read(file: Path) -> Iterator[tuple[str, str, str]]:
    anomalies = anomalies_pb2.Anomalies.FromString(file.read_bytes())
    whole = {"": anomalies.dataset_anomaly_info} if anomalies.HasField("dataset_anomaly_info") else {}
    for column, info in (*sorted(anomalies.anomaly_info.items()), *whole.items()):
        for reason in info.reason:
            kind = anomalies_pb2.AnomalyInfo.Type.Name(reason.type)
            yield column, kind, " ".join(reason.description.split())


def _last(folder: Path) -> Path | None:
    """Of the folders of a component's executions, the last."""
    return max(folder.glob("[0-9]*"), key=lambda one: int(one.name), default=None)
