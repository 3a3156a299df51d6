"""A worker process: takes shards from the queue until it is told to stop, or until there are none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog

from chains.errors import ChainError
from verifier.config import Settings
from verifier.errors import StoreError, StoreUnavailable, VerifierError
from verifier.known_head import require_ready
from verifier.store import Store, open_store
from verifier.store.work_queue import (
    QUEUE,
    READ_SHARD,
    REQUEUE,
    connection_arguments,
    keep_quiet,
    requeue_stalled,
    require_queue,
)
from verifier.workers.shard_worker import Clock, ShardOutcome, ShardWorker

if TYPE_CHECKING:
    from procrastinate import App

log = structlog.get_logger(__name__)

T = TypeVar("T")
OnShard = Callable[[str, int, ShardOutcome], None]

STOP_SECONDS_MAX: Final = 5.0
"""How long a shard under way may take to end when the worker is told to stop; its lease is given back then."""
HEARTBEAT_SECONDS: Final = 10.0
SILENT_SECONDS: Final = 30.0
"""A worker that the queue has not heard of for so long has lost what it had taken."""
POLL_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 2.0
"""Pause before the queue is tried again after it was lost."""


class WorkerService:
    """One process that reads one shard at a time. More of them, on as many machines as one likes, share the work."""

    def __init__(self, settings: Settings, *, clock: Clock, actor: str, on_shard: OnShard) -> None:
        self._settings = settings
        self._url = settings.database.url.get_secret_value()
        self._clock = clock
        self._actor = actor
        self._on_shard = on_shard
        self._is_stopping = False
        self._wake: Callable[[], object] = lambda: None
        self.outcomes: dict[ShardOutcome, int] = {}
        """How many shards ended how."""

    def stop(self) -> None:
        """Tell it to stop; from any thread or a signal handler, so it takes no lock. It ends within ten seconds."""
        self._is_stopping = True
        self._wake()

    def run(self, *, once: bool = False) -> None:
        """Work until told to stop; with `once` until the queue is empty.

        Raises `QueueMissing` and `StoreError` when it cannot begin. A database that goes away later is waited for.
        """
        require_queue(self._url)
        keep_quiet()
        store = open_store(self._url)
        try:
            require_ready(store, self._settings)
            asyncio.run(self._serve(store, once))
        finally:
            store.close()

    async def _serve(self, store: Store, once: bool) -> None:
        told = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._wake = lambda: loop.call_soon_threadsafe(told.set)
        if self._is_stopping:
            told.set()
        worker = ShardWorker(
            store, self._settings, clock=self._clock, actor=self._actor, is_stopping=lambda: self._is_stopping
        )
        try:
            while not self._is_stopping:
                try:
                    await self._follow_queue(store, worker, told, once)
                except Exception as error:  # noqa: BLE001 - whatever the driver raises when the server goes away
                    if once:
                        raise StoreUnavailable("the workers' queue cannot be reached in the database") from None
                    log.warning("queue lost", error=type(error).__name__)
                if once:
                    return
                if not self._is_stopping:
                    log.warning("queue is asked again", seconds=RETRY_SECONDS)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(told.wait(), RETRY_SECONDS)
        finally:
            self._wake = lambda: None
            worker.close()

    async def _follow_queue(self, store: Store, worker: ShardWorker, told: asyncio.Event, once: bool) -> None:
        app = self._app(store, worker)
        async with app.open_async():
            if once:
                await requeue_stalled(app, SILENT_SECONDS)
            work = asyncio.ensure_future(
                app.run_worker_async(
                    queues=[QUEUE],
                    name="custody",
                    concurrency=1,
                    wait=not once,
                    fetch_job_polling_interval=POLL_SECONDS,
                    shutdown_graceful_timeout=STOP_SECONDS_MAX,
                    delete_jobs="always",
                    install_signal_handlers=False,
                    update_heartbeat_interval=HEARTBEAT_SECONDS,
                    stalled_worker_timeout=SILENT_SECONDS,
                )
            )
            stopping = asyncio.ensure_future(told.wait())
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if not work.done():
                work.cancel()  # it ends what it does, or is cut off after STOP_SECONDS_MAX
            with suppress(asyncio.CancelledError):
                await work

    def _app(self, store: Store, worker: ShardWorker) -> App:
        from procrastinate import App, PsycopgConnector

        connector = PsycopgConnector(kwargs=connection_arguments(self._url), min_size=1, max_size=4, timeout=10.0)
        app = App(connector=connector)

        @app.task(name=READ_SHARD, queue=QUEUE)
        async def read_shard(sweep_id: str, number: int) -> None:
            outcome = ShardOutcome.STOPPED
            try:
                outcome = await in_thread(lambda: worker.work(sweep_id, number))
            except StoreError as error:
                log.warning("shard not read", sweep=sweep_id, shard=number, code=error.code, reason=str(error))
                outcome = ShardOutcome.LOST
            except (VerifierError, ChainError) as error:  # a chain that is not configured here, a node without its URL
                log.error("shard refused", sweep=sweep_id, shard=number, code=error.code, reason=str(error))
                outcome = ShardOutcome.REFUSED
            except Exception as error:  # noqa: BLE001 - the queue would take the job away without a word
                log.error("a fault of this program", sweep=sweep_id, shard=number, error=type(error).__name__)
                outcome = ShardOutcome.REFUSED
            except asyncio.CancelledError:
                await in_thread(lambda: _give_back(self._url, store, self._clock))
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
            self._on_shard(sweep_id, number, outcome)
            if outcome is ShardOutcome.STOPPED:  # somebody else reads it at once, and not only when it is missed
                await app.configure_task(READ_SHARD, queue=QUEUE).defer_async(sweep_id=sweep_id, number=number)

        @app.periodic(cron="* * * * *")
        @app.task(name=REQUEUE, queue=QUEUE, pass_context=False)
        async def requeue(timestamp: int) -> None:
            if count := await requeue_stalled(app, SILENT_SECONDS):
                log.warning("stalled shards put back into the queue", shards=count)

        return app


def _give_back(url: str, store: Store, clock: Clock) -> None:
    """Give the leases back of a shard that did not end in time; its thread ends with the process."""
    leases = tuple(store.fences.values())
    if not leases:
        return
    other = open_store(url)
    try:
        for lease in leases:
            other.give_lease_back(lease, clock())
    finally:
        other.close()


async def in_thread(work: Callable[[], T]) -> T:
    """Run it in a thread that does not keep the process alive, whatever it waits for."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(give: Callable[[Any], None], value: object) -> None:
        if not result.done():
            give(value)

    def run() -> None:
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
            outcome: tuple[Callable[[Any], None], object] = (result.set_exception, error)
        else:
            outcome = (result.set_result, value)
        with suppress(RuntimeError):  # the loop ended meanwhile
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, name="shard", daemon=True).start()
    return await result
