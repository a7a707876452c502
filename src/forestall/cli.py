"""`forestall …`: the verbs that are not stages."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from forestall.errors import ForestallError

if TYPE_CHECKING:
    from forestall.pipeline.revisions import Revision
    from forestall.serving.store.database import Store


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; an error the user can act on becomes one message and exit code 1."""
    chosen = parser().parse_args(arguments)
    try:
        code = chosen.run(chosen)
    except ForestallError as error:
        print(f"forestall: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return int(code or 0)


def parser() -> argparse.ArgumentParser:
    """All verbs and their arguments."""
    top = argparse.ArgumentParser(
        prog="forestall", description="Predictive maintenance beside the DVC stages."
    )
    verbs = top.add_subparsers(required=True, metavar="VERB")
    _add_dataset(verbs.add_parser("dataset", help="bring your own plant's tables"))
    _add_compare(verbs.add_parser("compare", help="two revisions: what differs, and is it real"))
    _add_explain(verbs.add_parser("explain-change", help="which of code, params, data, environment moved it"))
    _add_track(verbs.add_parser("track", help="publish a revision to an MLflow server"))
    _add_predict(verbs.add_parser("predict", help="risk of a fleet from its tables, without the pipeline"))
    _add_serve(verbs.add_parser("serve", help="the service: readings in, risk out, over HTTP"))
    _add_keys(verbs.add_parser("keys", help="who may use the service"))
    show = verbs.add_parser("show", help="the scores, and the machines most at risk")
    show.set_defaults(run=_show)
    return top


def _add_dataset(dataset: argparse.ArgumentParser) -> None:
    verbs = dataset.add_subparsers(required=True, metavar="VERB")
    init = verbs.add_parser("init", help="propose a dataset file for a folder of tables")
    init.add_argument("folder", type=Path, help="the folder with the tables")
    init.add_argument("--out", type=Path, help="where to write it (default: print it)")
    init.set_defaults(run=_dataset_init)
    add = verbs.add_parser("add", help="copy a dataset's tables in and put them under DVC")
    add.add_argument("name", help="data/raw/NAME.yaml says what the tables mean")
    add.add_argument("source", metavar="FROM", type=Path, help="the folder with the tables")
    add.set_defaults(run=_dataset_add)


def _add_revisions(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("base", metavar="BASE", help="a Git revision, branch or DVC experiment")
    verb.add_argument(
        "head", metavar="HEAD", nargs="?", default="workspace", help="the same (default: the workspace)"
    )
    verb.add_argument("--merge-base", action="store_true", help="begin where HEAD left BASE")


def _add_compare(compare: argparse.ArgumentParser) -> None:
    _add_revisions(compare)
    compare.add_argument(
        "--rerun", action="store_true", help="make outputs that are nowhere again, in a temporary folder"
    )
    compare.add_argument(
        "--gate", action="store_true", help="exit 1 unless HEAD passes the gate in params.yaml"
    )
    compare.add_argument("--json", type=Path, metavar="FILE", help="write the report for machines, too")
    compare.add_argument("--html", type=Path, metavar="FILE", help="write one page with plots of both, too")
    compare.set_defaults(run=_compare)


def _add_explain(explain: argparse.ArgumentParser) -> None:
    _add_revisions(explain)
    explain.add_argument("--json", type=Path, metavar="FILE", help="write the explanation for machines, too")
    explain.set_defaults(run=_explain_change)


def _add_track(track: argparse.ArgumentParser) -> None:
    track.add_argument(
        "revision",
        metavar="REV",
        nargs="?",
        default="workspace",
        help="a Git revision, branch or DVC experiment (default: the workspace)",
    )
    track.add_argument(
        "--to",
        metavar="URI",
        default=os.environ.get("MLFLOW_TRACKING_URI"),
        help="the server's address (default: MLFLOW_TRACKING_URI)",
    )
    track.add_argument("--model", metavar="NAME", help="the registered model (default: forestall-<dataset>)")
    track.add_argument("--alias", metavar="NAME", help="what the version is called, such as champion")
    track.add_argument(
        "--experiments", action="store_true", help="also the DVC experiments of REV, as child runs"
    )
    track.set_defaults(run=_track)


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
    predict.add_argument(
        "--bundle",
        metavar="FOLDER",
        type=Path,
        default=Path("models/bundle"),
        help="(default: models/bundle)",
    )
    predict.set_defaults(run=_predict)


def _add_database(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--database",
        metavar="URL",
        default=os.environ.get("FORESTALL_DATABASE_URL", "sqlite:///var/forestall.sqlite"),
        help="sqlite:///FILE or postgresql+psycopg://… (default: FORESTALL_DATABASE_URL, or var/forestall.sqlite)",
    )


def _add_serve(serve: argparse.ArgumentParser) -> None:
    _add_database(serve)
    serve.add_argument("--host", default="127.0.0.1", help="the address to bind to (default: %(default)s)")
    serve.add_argument("--port", type=int, default=8000, help="(default: %(default)s)")
    serve.add_argument(
        "--bundle",
        type=Path,
        default=Path("models/bundle"),
        help="the folder that is watched for the model (default: %(default)s)",
    )
    serve.add_argument(
        "--rate",
        type=float,
        metavar="N",
        default=5000,
        help="requests a second of one key, or one address without keys (default: %(default)s)",
    )
    serve.add_argument(
        "--recorded", action="store_true", help="the data are a recording: now is their latest reading"
    )
    serve.set_defaults(run=_serve)


def _add_keys(keys: argparse.ArgumentParser) -> None:
    verbs = keys.add_subparsers(required=True, metavar="VERB")
    add = verbs.add_parser("add", help="make a key; it is shown once")
    add.add_argument("name", help="who or what uses it")
    add.add_argument("--role", required=True, choices=("read", "write", "admin"))
    add.set_defaults(run=_keys_add)
    every = verbs.add_parser("list", help="all keys, without their secrets")
    every.set_defaults(run=_keys_list)
    revoke = verbs.add_parser("revoke", help="from now on the key is none")
    revoke.add_argument("id", help="as `forestall keys list` shows it")
    revoke.set_defaults(run=_keys_revoke)
    for verb in (add, every, revoke):
        _add_database(verb)


# Each verb imports what it needs when it runs: `forestall --help` must not wait for pandas.


def _dataset_init(chosen: argparse.Namespace) -> None:
    from forestall.data.propose import propose

    if not chosen.folder.is_dir():
        raise ForestallError(f"{chosen.folder}: no such folder. Give the folder that holds the tables.")
    if chosen.out is not None and chosen.out.exists():
        raise ForestallError(f"{chosen.out} exists and is not overwritten. Remove it, or name another file.")
    text = propose(chosen.folder)
    if chosen.out is None:
        print(text, end="")
        return
    chosen.out.write_text(text, encoding="utf-8", newline="\n")
    print(f"Wrote {chosen.out}. Read it through: check every line marked CHECK.")


def _dataset_add(chosen: argparse.Namespace) -> None:
    from forestall.pipeline.add import add_dataset

    copied = add_dataset(chosen.name, chosen.source)
    print(f"Added {copied} files as data/raw/{chosen.name}. Now: dvc exp run -S data.dataset={chosen.name}")


def _compare(chosen: argparse.Namespace) -> int:
    from dataclasses import asdict

    from forestall.comparison.report import markdown
    from forestall.pipeline.compare import compare
    from forestall.pipeline.page import write_page
    from forestall.pipeline.rerun import rebuilding
    from forestall.pipeline.resolve import top

    root = top()
    with rebuilding(*_revisions(chosen, root), root, chosen.rerun) as (base, head):
        report = compare(base, head, root)
        if chosen.html is not None:
            write_page(chosen.html, report, base, head)
    print(markdown(report, chosen.gate), end="")
    if chosen.json is not None:
        _write_json(chosen.json, asdict(report) | {"passed": report.passed})
    return 0 if report.passed or not chosen.gate else 1


def _write_json(file: Path, content: object) -> None:
    from forestall.pipeline.files import write_json

    if not file.parent.is_dir():
        raise ForestallError(f"{file} cannot be written: there is no folder {file.parent}.")
    try:
        write_json(file, content)
    except OSError as error:
        raise ForestallError(f"{file} cannot be written: {error.strerror}.") from error


def _explain_change(chosen: argparse.Namespace) -> None:
    from forestall.comparison.explanation import markdown
    from forestall.pipeline.explain import explain_change
    from forestall.pipeline.resolve import top

    root = top()
    found = explain_change(*_revisions(chosen, root), root, _progress)
    print(markdown(found), end="")
    if chosen.json is not None:
        _write_json(chosen.json, found.as_json())


def _revisions(chosen: argparse.Namespace, root: Path) -> "tuple[Revision, Revision]":
    from forestall.pipeline.resolve import merge_base, revision

    base = merge_base(chosen.base, chosen.head, root) if chosen.merge_base else chosen.base
    return revision(base, root), revision(chosen.head, root)


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _track(chosen: argparse.Namespace) -> int:
    from forestall.pipeline.resolve import revision, top
    from forestall.pipeline.tracking_server import connect

    if not chosen.to:
        raise ForestallError("Say where to: --to URI, or MLFLOW_TRACKING_URI in the environment.")
    root = top()
    one, server = revision(chosen.revision, root), connect(chosen.to)
    # Only now: a name or a server that is not there need not wait for pandas.
    from forestall.pipeline.track import Asked, track

    asked = Asked(chosen.model, chosen.alias, chosen.experiments)
    failed = track(one, server, asked, root, print)
    for problem in failed:
        print(f"forestall: not published: {problem}", file=sys.stderr)
    return 1 if failed else 0


def _predict(chosen: argparse.Namespace) -> None:
    from forestall.serving.batch import predict

    fleet = predict(chosen.source, chosen.out, chosen.bundle, _rows_read)
    machines, alarms = fleet["machine"].nunique(), (fleet["alarm"] == "yes").sum()
    print(f"Wrote {chosen.out}: {machines:,} machines, {alarms:,} risks at or above their threshold.")


def _rows_read(text: str) -> None:
    """How far reading is, where somebody looks on."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _serve(chosen: argparse.Namespace) -> None:
    from forestall.serving.api.limits import Rate
    from forestall.serving.api.start import fill_if_empty, open_service, run

    if not 0 <= chosen.port < 2**16:
        raise ForestallError(f"--port {chosen.port}: a port is a number up to 65535.")
    if not chosen.rate > 0:
        raise ForestallError(f"--rate {chosen.rate:g}: must be more than 0.")
    _make_folder(chosen.database)
    service = open_service(chosen.database, chosen.bundle, chosen.host, chosen.recorded)
    service.rate = Rate(chosen.rate)
    fill_if_empty(service, chosen.bundle, Path("data/raw"), _progress)
    run(service, chosen.host, chosen.port)


def _store(url: str) -> "Store":
    from forestall.serving.store.database import connect

    _make_folder(url)
    return connect(url)


def _make_folder(url: str) -> None:
    """The folder of an SQLite file is made: a fresh clone has none."""
    path = url.removeprefix("sqlite:///")
    if path != url:
        Path(path).parent.mkdir(parents=True, exist_ok=True)


def _keys_add(chosen: argparse.Namespace) -> None:
    import time

    from forestall.serving.store.keys import create_key

    with _store(chosen.database).writing() as connection:
        key, text = create_key(connection, chosen.name, chosen.role, int(time.time()))
    _progress(f"Key {key.id} of {key.name}, which may {key.role}. Keep it: it cannot be shown again.")
    print(text)


def _keys_list(chosen: argparse.Namespace) -> None:
    from datetime import UTC, datetime

    from forestall.serving.store.keys import list_keys

    with _store(chosen.database).reading() as connection:
        for key in list_keys(connection):
            made = datetime.fromtimestamp(key.created, UTC)
            print(
                f"{key.id}  {key.role:5}  {made:%Y-%m-%d}  {'revoked' if key.revoked else 'valid':7}  {key.name}"
            )


def _keys_revoke(chosen: argparse.Namespace) -> None:
    import time

    from forestall.serving.store.keys import revoke_key

    with _store(chosen.database).writing() as connection:
        revoke_key(connection, chosen.id, int(time.time()))
    print(f"Key {chosen.id} is revoked; a running service knows within 2 s.")


def _show(_: argparse.Namespace) -> None:
    from forestall.pipeline.show import summary

    print(summary(Path()))


if __name__ == "__main__":
    sys.exit(main())
