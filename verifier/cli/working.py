"""`custody worker`: read shards of sweeps that other processes began."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command_of_lines, now, settings_of

if TYPE_CHECKING:
    from verifier.workers.shard_worker import ShardOutcome


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(worker)


@command_of_lines
def worker(
    ctx: typer.Context,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Make the queue in the database, and end. Once for each version.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Read what waits in the queue now, then end.")] = False,
    seconds: Annotated[float, typer.Option("--for", min=0, help="End after so many seconds; 0: never.")] = 0.0,
    actor: ActorOption = "worker",
    as_json: JsonOption = False,
) -> int:
    """Read shards of sweeps, one at a time; start as many as wanted, on any machine with the same configuration.

    Needs PostgreSQL, and sweeps with workers.enabled in custody.toml or --workers. Ends cleanly on SIGTERM and
    Ctrl-C: a shard under way is read by another worker. With --json one line per shard. Exit code 2 when a shard
    could not be read; 0 when it was told to stop.

    Example: custody worker --json
    """
    from verifier.store.work_queue import prepare_queue, require_postgresql
    from verifier.telemetry.serving import served
    from verifier.workers.service import WorkerService

    settings = settings_of(ctx)
    url = settings.database.url.get_secret_value()
    require_postgresql(url)
    if prepare:
        made = prepare_queue(url)
        if as_json:
            output.emit_json({"queue": "made" if made else "kept"})
        else:
            output.say("The queue was made." if made else "The queue is there.")
        return output.EXIT_OK
    service = WorkerService(settings, clock=now, actor=actor, on_shard=_shower(as_json))
    told: list[int] = []
    timer = threading.Timer(seconds, service.stop) if seconds else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        with _signals(told, service.stop), served(settings, now):
            service.run(once=once)
    finally:
        if timer is not None:
            timer.cancel()
    unread = {outcome.value for outcome in service.outcomes} & {"failed", "refused"}
    return output.EXIT_NOT_CHECKED if unread and not told else output.EXIT_OK


def _shower(as_json: bool) -> Callable[[str, int, ShardOutcome], None]:
    def show(sweep_id: str, number: int, outcome: ShardOutcome) -> None:
        if as_json:
            sys.stdout.write(json.dumps({"sweep_id": sweep_id, "shard": number, "outcome": outcome.value}) + "\n")
            sys.stdout.flush()
        else:
            words = outcome.value.replace("_", " ")
            output.say(f"{now():%H:%M:%S} {output.clean(sweep_id)} shard {number}: {words}")

    return show


@contextmanager
def _signals(told: list[int], stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and Ctrl-C tell the worker to stop; outside the main thread nobody can be told that way.

    The handler takes no lock, because it may come in the middle of itself.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: Any) -> None:
        told.append(number)
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
