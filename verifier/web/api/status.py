"""What the firm's state is: the one signal, each chain with its sweeps and coverage, and every holding compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Query, Request

from chains.types import ChainId, utc_text
from verifier.accounts.roles import Access
from verifier.control_view import control_view
from verifier.coverage import coverage
from verifier.overview import overview
from verifier.records import Reconciliation, Status, SweepSummary
from verifier.web.api.answers import Json, Page, page
from verifier.web.api.asking import Filter, LongId, Paged, PathId
from verifier.web.api.found import found
from verifier.web.context import NowOf, SettingsOf, StoreOf
from verifier.web.live import remembered_of
from verifier.web.routing import GuardedRouter

router = GuardedRouter(prefix="/api/v1", tags=["state"], in_schema=True)


class Sweeps(Paged):
    """Which sweeps."""

    chain_id: Filter = ""


class Holdings(Paged):
    """Which holdings of the newest sweeps, or of one sweep."""

    chain_id: Filter = ""
    sweep_id: Filter = ""
    status: Status | None = None
    text: Filter = ""
    """Part of a location, an asset id or a symbol."""
    sort: Literal["location", "asset"] = "location"


@router.get("/status", Access.READ)
def status(store: StoreOf, settings: SettingsOf, now: NowOf) -> Json:
    """The one signal over all rails that the firm uses, the last sweep of each chain, and why."""
    view = overview(store, settings, now)
    return view.to_dict() | {"exit_code": view.exit_code, "at": utc_text(now)}


@router.get("/chains", Access.READ)
def chains(store: StoreOf, settings: SettingsOf, now: NowOf, asked: Annotated[Paged, Query()]) -> Page:
    """Every configured chain with its newest sweep, what is covered, and what is late."""
    listed = overview(store, settings, now).to_dict()["chains"]
    assert isinstance(listed, list)
    names = {section.chain_id: section.name for section in settings.chains}
    shown = [each | {"name": names[each["chain_id"]]} for each in listed]
    return page(shown, asked, lambda each: each, lambda each: (str(each["chain_id"]),))


@router.get("/chains/{chain_id}/coverage", Access.READ)
def chain_coverage(chain_id: PathId, store: StoreOf, settings: SettingsOf, now: NowOf) -> Json:
    """Which blocks of a chain were read, by whom and how well, and every gap."""
    return found(lambda: coverage(store, settings, [chain_id], now))[0].to_dict()


@router.get("/chains/{chain_id}/encumbrances", Access.READ)
def chain_encumbrances(chain_id: PathId, store: StoreOf, settings: SettingsOf) -> Json:
    """Who else could move what stands in the wallets, as the newest sweep of the chain learnt it."""
    found(lambda: settings.chain(chain_id))
    summary = found(lambda: store.standing_summary(ChainId(chain_id)))
    start = store.sweep(summary.sweep_id)
    view = control_view(store, start)
    return {"chain_id": chain_id, "sweep_id": summary.sweep_id, "encumbrances": view.to_dict() if view else None}


@router.get("/sweeps", Access.READ)
def sweeps(store: StoreOf, settings: SettingsOf, asked: Annotated[Sweeps, Query()]) -> Page:
    """Finished sweeps, the newest first."""
    wanted = [asked.chain_id] if asked.chain_id else [section.chain_id for section in settings.chains]
    listed = [each for chain_id in wanted for each in store.summaries(ChainId(chain_id))]
    return page(listed, asked, _sweep, lambda each: (utc_text(each.finished_at), each.sweep_id), newest_first=True)


@router.get("/sweeps/{sweep_id:path}", Access.READ)
def one_sweep(sweep_id: LongId, store: StoreOf) -> Json:
    """One finished sweep with its block and its counts."""
    return _sweep(found(lambda: store.sweep_summary(sweep_id)))


@router.get("/holdings", Access.READ)
def holdings(
    request: Request, store: StoreOf, settings: SettingsOf, now: NowOf, asked: Annotated[Holdings, Query()]
) -> Page:
    """Every holding with what is claimed, observed and the signed difference, of the newest sweep of each chain.

    A difference is observed less claimed; what could not be read is `unverified`, and its amounts are null.
    """
    newest = not asked.sweep_id
    if asked.sweep_id:
        wanted = [found(lambda: store.sweep_summary(asked.sweep_id))]
    else:
        every = [store.standing_summary(ChainId(section.chain_id)) for section in settings.chains]
        wanted = [each for each in every if each is not None]
    wanted = [each for each in wanted if asked.chain_id in ("", each.chain_id)]

    def compared(summary: SweepSummary) -> Sequence[Reconciliation]:
        if not newest:  # of any sweep that was ever made: too many to keep
            return store.reconciliations(summary.sweep_id)
        name = ("holdings", summary.chain_id)
        return remembered_of(request).recall(name, store, now, lambda: store.reconciliations(summary.sweep_id))

    listed = [
        each
        for summary in wanted
        for each in compared(summary)
        if asked.status in (None, each.status) and _mentions(each, asked.text)
    ]
    by_asset = asked.sort == "asset"

    def key(each: Reconciliation) -> tuple[str, ...]:
        place, asset = str(each.location_id), str(each.asset.asset_id)
        return (asset, place, each.sweep_id) if by_asset else (place, asset, each.sweep_id)

    return page(listed, asked, _holding, key)


def _mentions(each: Reconciliation, text: str) -> bool:
    wanted = text.casefold()
    return any(wanted in part.casefold() for part in (each.location_id, each.asset.asset_id, each.asset.symbol))


def _holding(each: Reconciliation) -> Json:
    def units(amount: int | None) -> str | None:
        return None if amount is None else str(amount)

    return {
        "sweep_id": each.sweep_id,
        "rail": each.rail.value,
        "location": each.location_id,
        "asset_id": each.asset.asset_id,
        "symbol": each.asset.symbol,
        "decimals": each.asset.decimals,
        "claimed": str(each.claimed),
        "gas_float_recorded": str(each.gas_float_recorded),
        "gas_float_observed": str(each.gas_float_observed),
        "observed": units(each.observed),
        "difference": units(each.difference),
        "status": each.status.value,
        "reason": each.reason or None,
        "claimed_as_of": utc_text(each.claimed_as_of),
        "known_at": utc_text(each.known_at),
        "observed_as_of": utc_text(each.observed_as_of),
        "height": each.block.height,
        "block_hash": each.block.block_hash,
        "state_evidence": each.state.value,
        "anchor_evidence": each.anchor.value,
    }


def _sweep(each: SweepSummary) -> Json:
    return {
        "sweep_id": each.sweep_id,
        "chain_id": each.chain_id,
        "height": each.block.height,
        "block_hash": each.block.block_hash,
        "block_time": utc_text(each.block.timestamp),
        "finality": str(each.finality),
        "node_id": each.node_id,
        "header_checked": each.header_checked,
        "known_at": utc_text(each.known_at),
        "started_at": utc_text(each.started_at),
        "finished_at": utc_text(each.finished_at),
        "expected": each.expected,
        "matched": each.matched,
        "diverged": each.diverged,
        "unverified": each.unverified,
        "transfers_scanned": each.transfers_scanned,
        "transfers_outgoing": each.transfers_outgoing,
        "transfers_not_matched": each.transfers_not_matched,
        "transfers_change": each.transfers_change,
    }
