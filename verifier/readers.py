"""Opening the readers of the configured chains, for sweeps, probes, and an auditor's own node."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from chains.errors import ReadError
from chains.reader import ChainConfig, NodeConfig
from chains.registry import plugin_for
from chains.types import Asset, AssetId, ChainId, Finality, FinalityKind, chain_namespace

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.sweep import ChainSweep, Clock, OnPhase
    from verifier.workers.crew import WaitingCrew

log = structlog.get_logger(__name__)

AUDITOR_NODE_ID = "your-node"
"""How the report of a verification names the node that the reader gave."""


def chain_sweep(
    store: Store,
    settings: Settings,
    chain_id: str,
    *,
    clock: Clock,
    actor: str,
    on_phase: OnPhase,
    with_workers: bool | None = None,
) -> ChainSweep:
    """A sweep of one configured chain, ready to run; by workers where the configuration or the caller wants it.

    Raises `InputError` when workers are wanted on SQLite, and `QueueMissing` when their queue was not made.
    """
    from verifier.sweep import ChainSweep
    from verifier.sweep_encumbrances import EncumbranceOptions

    section = settings.chain(chain_id)
    config = section.resolve()
    return ChainSweep(
        store,
        config,
        plugin_for(config.chain_id),
        settings.sweep,
        history_from_height=section.history_from_height,
        heartbeat_seconds_max=section.heartbeat_seconds_max,
        firm_zone=settings.reserve.bank_zone,
        on_trades=lambda: _look_after_trades(store, settings, actor, clock()),
        clock=clock,
        actor=actor,
        on_phase=on_phase,
        crew=_crew(store, settings, config.chain_id, with_workers),
        wallets_per_shard=settings.workers.wallets_per_shard,
        encumbrances=EncumbranceOptions(
            is_asked=section.encumbrances.enabled,
            approvals_from_height=section.encumbrances.approvals_from_height,
            approval_blocks_per_sweep_max=section.encumbrances.approval_blocks_per_sweep_max,
            settings=section.encumbrances.settings(),
        ),
    )


def _crew(store: Store, settings: Settings, chain_id: ChainId, wanted: bool | None) -> WaitingCrew | None:
    """Who reads the shards; None where the sweep does.

    Bitcoin's balances are sums of a ledger that stands beside one process, so nobody else can read them.
    """
    if not (settings.workers.enabled if wanted is None else wanted):
        return None
    from verifier.store.work_queue import ShardPost, require_queue
    from verifier.workers.crew import WaitingCrew

    url = settings.database.url.get_secret_value()
    require_queue(url)
    if chain_namespace(chain_id) == "bip122":
        return None
    return WaitingCrew(
        store,
        ShardPost(url),
        lease_seconds=settings.workers.lease_seconds,
        attempts_max=settings.workers.attempts_max,
        patience_seconds=settings.workers.patience_seconds,
    )


def _look_after_trades(store: Store, settings: Settings, actor: str, now: datetime) -> None:
    """A trade that settled may have made a deficit, or ended one: its case is opened at once.

    The sweep stands whatever comes of it; what cannot be judged now is judged with the next computation or import.
    """
    from verifier import control_cases, control_rail, reserve_cases, reserve_rail
    from verifier.errors import StoredNotJudged

    rails = ((reserve_rail.in_use, reserve_cases.look_after), (control_rail.in_use, control_cases.look_after))
    for look_after in [look_after for in_use, look_after in rails if in_use(store, now)]:
        try:
            look_after("the settlement of trades", store, settings, actor, now)
        except StoredNotJudged as error:
            log.warning("not judged", code=error.code, reason=str(error))


def probe_nodes(config: ChainConfig, now: datetime) -> dict[str, dict[str, str]]:
    """What each node of a chain can do, by name; a node that does not answer has `error` instead."""
    plugin = plugin_for(config.chain_id)
    found: dict[str, dict[str, str]] = {}
    for node in config.nodes:
        reader = plugin.open(config, node)
        try:
            identity = reader.identify()
            answers = {"client": identity.client_version} | dict(reader.probe(now))
        except ReadError as error:
            answers = {"error": f"{error.code}: {error}"}
        finally:
            reader.close()
        found[node.node_id] = answers
    return found


def auditor_node(chain_id: ChainId, url: str) -> tuple[ChainConfig, NodeConfig]:
    """The configuration for asking a reader's own node.

    The reader trusts the node, so its own first block counts as the genesis: what ties it to the bundle is the
    pinned block, which it must have by hash. The native coin's id and decimals come from the bundle's assets.
    """
    node = NodeConfig(AUDITOR_NODE_ID, "you", url)
    config = ChainConfig(
        chain_id=chain_id,
        name=chain_id,
        genesis_hash="",
        nodes=(node,),
        finality=Finality(FinalityKind.LATEST),
        native_asset=_native_asset(chain_id),
        head_age_seconds_max=10 * 365 * 86_400,  # an old bundle is checked on an old node, too
    )
    return config, node


def _native_asset(chain_id: ChainId) -> Asset:
    if chain_namespace(chain_id) != "bip122":
        return Asset(AssetId(f"{chain_id}/slip44:60"), "native", 18)
    from chains.bitcoin.networks import DECIMALS, network_of

    return Asset(network_of(chain_id).asset_id, "native", DECIMALS)
