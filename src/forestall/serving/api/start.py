"""Starting the service: the store, the bundle, the rule of who may reach it, the server."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from forestall.data.store import read_frame
from forestall.features.files import BASELINES
from forestall.monitoring.reference import read_reference
from forestall.monitoring.watched import watched_inputs
from forestall.serving.api.challenger import Challenger
from forestall.serving.api.champion import Champion
from forestall.serving.api.counters import Counters
from forestall.serving.api.security import Keys, check_binding
from forestall.serving.api.service import Service, Serving
from forestall.serving.api.shadow import Shadow
from forestall.serving.bundle import Bundle
from forestall.serving.live import Live
from forestall.serving.past_failures import bundle_past_failures
from forestall.serving.stateless import Stateless
from forestall.serving.store.database import Store, connect
from forestall.serving.store.fill import fill
from forestall.serving.store.keys import Key, any_keys, find_key, list_keys
from forestall.serving.store.machines import known_machines
from forestall.serving.times import wall_clock


def open_service(
    url: str,
    folder: Path,
    host: str,
    recorded: bool = False,
    record: Path | None = None,
    person_header: str = "",
) -> Service:
    """The service over a database and the bundle in a folder, to be reached at `host`.

    Args:
        recorded: the data are a recording, and time stands at their latest reading.
        record, person_header: see `Service`.

    Raises:
        StoreError: the database cannot be opened.
        ForestallError: others than this computer could reach it, and there is no key in force.
    """
    store = connect(url)
    with store.reading() as connection:
        loopback = check_binding(host, any_keys(connection))

    counters = Counters()
    told = partial(counters.opinions, source="live")

    def made_of(bundle: Bundle, version: str) -> Serving:
        counter = watched_inputs(bundle, read_reference(folder, bundle))
        live = Live.over(store, bundle, None if recorded else wall_clock, counter, told, shadow.hear)
        counters.know(bundle.components)
        stateless, past = Stateless.of(folder, bundle), bundle_past_failures(folder, bundle)
        return Serving(bundle, version, stateless, live, past)

    champion = Champion(folder, made_of)
    shadow = Shadow(Challenger(champion), counters, lambda: not service.concurrency.taken)
    service = Service(champion, shadow, _keys(store, loopback), store, record, person_header, counters)
    champion.look()
    shadow.challenger.look()
    return service


def fill_if_empty(service: Service, folder: Path, raw: Path, progress: Callable[[str], None]) -> None:
    """Take in the tables of the bundle's dataset below `raw`, if the store has no machines and the tables are there.

    Its machines are judged before anyone is answered: nobody is to see a ranking that is empty or half of one.

    Raises:
        InputError: a table holds something that cannot be used.
        StoreError: the database does not do its part; then it is empty as before.
    """
    serving = service.champion.serving
    tables = raw / serving.bundle.plant.name if serving else raw
    if serving is None or not tables.is_dir():
        return
    with serving.store.filling(), TemporaryDirectory(prefix="forestall-") as scratch:
        with serving.store.reading() as connection:
            if known_machines(connection):
                return
        progress(f"The store is empty: filling it from {tables}")
        baselines = read_frame(folder / BASELINES, serving.bundle.plant.dataset.clock)
        fill(serving.store, tables, serving.bundle, baselines, progress, Path(scratch))
        progress("Judging its machines")
        progress(f"{serving.live.score_due()} machines judged")


def _keys(store: Store, loopback: bool) -> Keys:
    def find(token: str) -> Key | None:
        with store.reading() as connection:
            return find_key(connection, token)

    def every() -> list[Key]:
        with store.reading() as connection:
            return list_keys(connection)

    return Keys(find, every, loopback)


def run(service: Service, host: str, port: int) -> None:
    """Serve until the process is told to stop; requests that have begun are answered first."""
    import uvicorn

    from forestall.serving.api.app import create_app
    from forestall.serving.api.logs import say
    from forestall.serving.api.protocol import Protocol

    say("serving", host=host, port=port, pages=f"http://{host}:{port}/", version=service.champion.version)
    uvicorn.run(
        create_app(service),
        host=host,
        port=port,
        loop="uvloop",
        http=Protocol,
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=30,
    )
