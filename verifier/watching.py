"""Putting together what follows one configured chain: its store, sweep, look and bell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event, Thread
from typing import Final

from chains.reader import NodeConfig
from chains.registry import plugin_for
from chains.types import ChainId, Finality, FinalityKind, chain_namespace
from verifier.acting import prepare, terminal_origin
from verifier.config import Settings
from verifier.errors import LeaseHeld, LeaseLost
from verifier.head_look import HeadLook
from verifier.known_head import require_ready
from verifier.readers import chain_sweep
from verifier.rules.heartbeat import heartbeat_limit
from verifier.store import Store, open_store
from verifier.sweep import Clock, Phase
from verifier.watch import ChainWatch, Observer, Stopped, WatchEvent

STANDBY_SECONDS: Final = 2.0
"""How often a watch that stands by asks whether the other one is gone."""


def watch_chain(
    settings: Settings,
    chain_id: str,
    stop: Event,
    bell: Event,
    emit: Callable[[WatchEvent], None],
    *,
    clock: Clock,
    actor: str,
    once: bool = False,
    opened: Callable[[Store], None] = lambda store: None,
    observer: Observer | None = None,
) -> None:
    """Follow one chain in this thread until `stop` is set.

    The store is opened here, because threads share none; `opened` is told of it, `observer` of what nodes answer.
    """
    section = settings.chain(chain_id)
    config = section.resolve()
    store = open_store(settings.database.url.get_secret_value())
    prepare(store, settings, terminal_origin())
    opened(store)

    def stoppable(phase: Phase) -> Callable[[int], None]:
        def advance(count: int) -> None:
            if stop.is_set():
                raise Stopped

        advance(0)
        return advance

    try:
        require_ready(store, settings)
        plugin = plugin_for(config.chain_id)
        look = HeadLook(
            store,
            replace(config, finality=Finality(FinalityKind.LATEST)),
            plugin,
            settings.sweep,
            history_from_height=section.history_from_height,
            clock=clock,
            actor=actor,
        )
        watch = ChainWatch(
            store,
            config,
            plugin,
            chain_sweep(store, settings, chain_id, clock=clock, actor=actor, on_phase=stoppable),
            look,
            settings.watch,
            heartbeat_limit_seconds=heartbeat_limit(
                section.heartbeat_seconds_max, settings.sweep.heartbeat_seconds_max, section.head_age_seconds_max
            ),
            clock=clock,
            stop=stop,
            bell=bell,
            emit=emit,
            actor=actor,
            observer=observer,
        )
        listeners = [] if once else _listen(config.chain_id, config.nodes, bell, stop)
        try:
            _while_nobody_else(store, config.chain_id, stop, emit, clock, once, lambda: watch.run(once=once))
        finally:
            for listener in listeners:
                if stop.is_set():
                    listener.join(2.0)
    finally:
        store.close()


def _while_nobody_else(
    store: Store,
    chain_id: str,
    stop: Event,
    emit: Callable[[WatchEvent], None],
    clock: Clock,
    once: bool,
    run: Callable[[], None],
) -> None:
    """Follow the chain under a lease of its own: of several watches on one database one works, the others stand by.

    Raises `LeaseHeld` with `once`.
    """
    told = ""
    while not stop.is_set():
        try:
            with store.leased(f"watch:{chain_id}"):
                told = ""
                run()
                return
        except LeaseHeld as error:
            if once:
                raise
            code = error.code
            if code != told:
                emit(WatchEvent(chain_id, "standby", clock(), 2, code=code, text=str(error)))
        except LeaseLost as error:
            code = error.code
            emit(WatchEvent(chain_id, "failed", clock(), 2, code=code, text=str(error)))
        told = code
        stop.wait(STANDBY_SECONDS)


def _listen(chain_id: ChainId, nodes: Sequence[NodeConfig], bell: Event, stop: Event) -> list[Thread]:
    """A thread for each node of an EVM chain with a WebSocket; each rings the same bell. Others are polled."""
    announced = [node for node in nodes if node.ws_url]
    if not announced or chain_namespace(chain_id) != "eip155":
        return []
    from chains.evm.new_heads import NewHeads

    threads = [
        Thread(target=NewHeads(node, bell.set, stop).run, name=f"heads {node.node_id}", daemon=True)
        for node in announced
    ]
    for thread in threads:
        thread.start()
    return threads
