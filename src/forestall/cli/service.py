"""`forestall serve` and `keys`: the service, and who may use it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from forestall.cli.common import Verbs, add_bundle, add_database, progress
from forestall.errors import ForestallError

if TYPE_CHECKING:
    from forestall.serving.store.database import Store


def add_verbs(verbs: Verbs) -> None:
    """Add them to the command's."""
    _add_serve(verbs.add_parser("serve", help="the service: readings in, risk out, over HTTP"))
    _add_keys(verbs.add_parser("keys", help="who may use the service"))


def _add_serve(serve: argparse.ArgumentParser) -> None:
    add_database(serve)
    serve.add_argument("--host", default="127.0.0.1", help="the address to bind to (default: %(default)s)")
    serve.add_argument("--port", type=int, default=8000, help="(default: %(default)s)")
    add_bundle(serve, "the folder that is watched for the model")
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
    serve.add_argument(
        "--record",
        type=Path,
        metavar="FOLDER",
        default=Path(),
        help="the workspace whose metrics the record's page shows (default: this folder)",
    )
    serve.add_argument(
        "--person-header",
        metavar="NAME",
        default="",
        help="the header in which a reverse proxy, which sends a key of its own, says who somebody is",
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
        add_database(verb)


def _serve(chosen: argparse.Namespace) -> None:
    from forestall.serving.api.limits import Rate
    from forestall.serving.api.logs import to_stderr
    from forestall.serving.api.start import fill_if_empty, open_service, run

    if not 0 <= chosen.port < 2**16:
        raise ForestallError(f"--port {chosen.port}: a port is a number up to 65535.")
    if not chosen.rate > 0:
        raise ForestallError(f"--rate {chosen.rate:g}: must be more than 0.")
    _make_folder(chosen.database)
    to_stderr()  # before the bundle is looked at: if it is refused, the log says why
    service = open_service(
        chosen.database, chosen.bundle, chosen.host, chosen.recorded, chosen.record, chosen.person_header
    )
    service.rate = Rate(chosen.rate)
    fill_if_empty(service, chosen.bundle, Path("data/raw"), progress)
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
    progress(f"Key {key.id} of {key.name}, which may {key.role}. Keep it: it cannot be shown again.")
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
