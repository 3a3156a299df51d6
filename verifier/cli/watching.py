"""`custody watch`: follow the configured chains, block by block."""

from __future__ import annotations

import functools
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import structlog
import typer

from chains.errors import ReadError
from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command_of_lines, now, opened_store, settings_of
from verifier.errors import InputError, JournalBroken, SchemaOutdated, StoreError

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.schedule.records import ScheduledRun
    from verifier.store import Store
    from verifier.telemetry.process import ProcessMetrics
    from verifier.watch import WatchEvent

log = structlog.get_logger(__name__)

STOP_SECONDS_MAX = 5.0
"""How long the threads may take to end what they do; the leases of those that wait for a node are given back then."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(watch)


@command_of_lines
def watch(
    ctx: typer.Context,
    chain: Annotated[str, typer.Option(help="Only this chain (CAIP-2 id); all configured without it.")] = "",
    once: Annotated[bool, typer.Option("--once", help="One look and the sweep that is due, then end.")] = False,
    seconds: Annotated[float, typer.Option("--for", min=0, help="End after so many seconds; 0: never.")] = 0.0,
    actor: ActorOption = "watch",
    as_json: JsonOption = False,
) -> int:
    """Follow the chains: a new block is looked at at once, provisionally, and swept when it is final.

    Beside it runs the clock (but with --once): see `custody schedule list`.

    Where metrics.listen is configured it serves /healthz, /readyz and /metrics.

    Ends cleanly on SIGTERM and Ctrl-C. With --json one line per event. Exit code with --once or --for as of a
    sweep; 0 when it was told to stop.

    Example: custody watch --json
    """
    settings = settings_of(ctx)
    chain_ids = [settings.chain(chain).chain_id] if chain else [section.chain_id for section in settings.chains]
    if not chain_ids and (once or not settings.schedule.enabled):
        raise InputError("no chain is configured: add a [[chains]] section to custody.toml")
    with _told_if_broken(settings), opened_store(settings, judging_as=actor):
        pass  # the policies are journalled, or wait for another person, before anything is judged
    stop, lock = threading.Event(), threading.Lock()
    codes: dict[tuple[str, str], int] = {}

    def emit(event: WatchEvent) -> None:
        with lock:
            if event.kind != "stopped" and not event.job:
                codes[event.chain_id, event.kind] = event.exit_code  # a clean final block acquits no newer one
            _show(event, as_json)

    with _signals() as told, _telemetry(settings, chain_ids, once) as process:
        faults = _follow(settings, chain_ids, stop, emit, actor, once, seconds, told, process)
    if faults:
        with _told_if_broken(settings):
            raise faults[0]
    if told:
        return output.EXIT_OK
    return 1 if 1 in codes.values() else max(codes.values(), default=output.EXIT_OK)


@contextmanager
def _told_if_broken(settings: Settings) -> Iterator[None]:
    """Let people know of a broken journal on every channel: the outbox is in the database nobody may trust."""
    try:
        yield
    except JournalBroken:
        from verifier.alerts.running import tell_broken_journal

        tell_broken_journal(settings, now())
        raise


def _follow(
    settings: Settings,
    chain_ids: list[str],
    stop: threading.Event,
    emit: Callable[[WatchEvent], None],
    actor: str,
    once: bool,
    seconds: float,
    told: Collection[int] = (),
    process: ProcessMetrics | None = None,
) -> list[BaseException]:
    """One thread per chain until all have ended or are told to; what ended one of them by surprise.

    `told` fills with the signals that ask to stop.
    """
    from verifier.watching import watch_chain

    faults: list[BaseException] = []
    bells = {chain_id: threading.Event() for chain_id in chain_ids}
    stores: dict[str, Store] = {}

    def heard(event: WatchEvent) -> None:
        if process is not None:
            process.saw(event)
        emit(event)

    def follow(chain_id: str) -> None:
        opened = functools.partial(stores.__setitem__, f"watch {chain_id}")
        bell = bells[chain_id]
        watch_chain(
            settings, chain_id, stop, bell, heard, clock=now, actor=actor, once=once, opened=opened, observer=process
        )

    def ring() -> None:
        from verifier.schedule.clock import BusinessClock

        def tell(run: ScheduledRun) -> None:
            if process is not None:
                process.ran(run)
            if run.exit_code or run.slot.key == run.slot.business_date.isoformat():
                emit(_ran(run))  # a look that found nothing is in the history only

        opened = functools.partial(stores.__setitem__, "clock")
        BusinessClock(settings, stop, clock=now, actor=actor, emit=tell, opened=opened).run()

    def send_alerts() -> None:
        from verifier.alerts.running import run_sender

        opened = functools.partial(stores.__setitem__, "alerts")
        run_sender(settings, stop, clock=now, actor=actor, opened=opened)

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except (StoreError, ReadError) as error:
            if stop.is_set() and not isinstance(error, JournalBroken | SchemaOutdated):
                # What it was doing is not written, and the next watch takes it up.
                log.warning("ended while stopping", code=error.code, reason=str(error))
                return
            faults.append(error)
            stop.set()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the command can say it
            faults.append(error)
            stop.set()

    work: dict[str, Callable[[], None]] = {f"watch {each}": functools.partial(follow, each) for each in chain_ids}
    if settings.schedule.enabled and not once:
        work["clock"] = ring
    if settings.alerts and not once:
        work["alerts"] = send_alerts
    threads = [threading.Thread(target=guarded, args=(each,), name=name, daemon=True) for name, each in work.items()]
    for thread in threads:
        thread.start()
    timer = threading.Timer(seconds, stop.set) if seconds else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        while any(thread.is_alive() for thread in threads) and not stop.wait(0.1):
            if told:
                stop.set()
    finally:
        stopping = stop.is_set()
        if stopping:
            for bell in bells.values():
                bell.set()
        until = time.monotonic() + STOP_SECONDS_MAX
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()) if stopping else None)
        _give_back(settings, [stores[each.name] for each in threads if each.is_alive() and each.name in stores])
        stop.set()
        if timer is not None:
            timer.cancel()
    return faults


def _give_back(settings: Settings, stores: list[Store]) -> None:
    """Give the leases back of threads that did not end; they end with the process, and can write nothing more."""
    leases = [lease for store in stores for lease in tuple(store.fences.values())]
    if not leases:
        return
    with opened_store(settings, check_head=False) as store:
        for lease in leases:
            store.give_lease_back(lease, now())


def _ran(run: ScheduledRun) -> WatchEvent:
    """A run by the clock as an event."""
    from verifier.watch import WatchEvent

    ended = run.ended_at or now()
    seconds = (ended - run.started_at).total_seconds() if run.started_at is not None else 0.0
    outcome = run.outcome.value if run.outcome is not None else ""
    text = f"{run.slot.business_date.isoformat()}: {run.text}"
    return WatchEvent("", outcome, ended, run.exit_code or 0, seconds=seconds, text=text, job=run.slot.job)


@contextmanager
def _telemetry(settings: Settings, chain_ids: list[str], once: bool) -> Iterator[ProcessMetrics | None]:
    """Serve what this process tells about itself, where that is configured."""
    if once or not settings.metrics.listen:
        yield None
        return
    from verifier.telemetry.serving import served

    leases = [f"watch:{chain_id}" for chain_id in chain_ids]
    leases += ["watch:clock"] if settings.schedule.enabled else []
    with served(settings, now, chain_ids=chain_ids, leases=leases) as process:
        yield process


@contextmanager
def _signals() -> Iterator[Collection[int]]:
    """The signals SIGTERM and Ctrl-C as they arrive; outside the main thread none does.

    The handler takes no lock: it runs in the middle of whatever the main thread does, which may hold that very lock.
    """
    told: set[int] = set()
    if threading.current_thread() is not threading.main_thread():
        yield told
        return

    def handle(number: int, frame: Any) -> None:
        told.add(number)

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show(event: WatchEvent, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(event.to_dict(), ensure_ascii=False) + "\n")
        sys.stdout.flush()
        return
    colour = {0: "green", 1: "bold red"}.get(event.exit_code, "yellow")
    where = f" block {event.block.height:,}" if event.block is not None else ""
    took = f" in {event.seconds:.2f} s" if event.seconds else ""
    failure = f" \\[{event.code}] {output.clean(event.text)}" if event.code else f" {output.clean(event.text)}".rstrip()
    what = output.clean(event.chain_id or event.job)
    output.say(f"{event.at:%H:%M:%S} {what} [{colour}]{event.kind}[/{colour}]{where}{took}{failure}")
    for seen in event.cases:
        if seen.is_new:
            mark = "provisional " if seen.finding.provisional else ""
            output.say(f"  {mark}{seen.case_id} {seen.finding.kind.value}: {output.short(seen.finding.text)}")
