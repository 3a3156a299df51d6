"""What mapping, sweeps, cases and proofs of control say of wallets that the stock record names, at a moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from chains.types import AssetId, ChainId, LocationId, account_location
from exports.possession.review import Review
from mapping.books import Books
from mapping.books_types import StockSide
from mapping.types import PoolMember, Wallet
from verifier.key_overview import newest_proofs, proven_at
from verifier.possession.inputs import ChainFacts, WalletFacts
from verifier.records import CaseState, FindingKind

if TYPE_CHECKING:
    from verifier.store import Store

Place = tuple[LocationId, AssetId]


def chain_facts(store: Store, books: Books, known_at: datetime, close: datetime, age_hours_max: int) -> ChainFacts:
    """The facts about every wallet and pool that the books name for a digital asset.

    Balances are those of the newest sweep whose block is of the close or before it, by at most so many hours, and did
    not leave the chain; a place without such a balance has none, which is unverified and no zero.
    """
    wanted = {
        (line.location_id, line.security_id)
        for line in books.stock
        if line.location_id is not None and "/" in line.security_id
    }
    if not wanted:
        return ChainFacts()
    wallets = {each.location_id: each for each in store.wallets(None, known_at) if _is_open(each, books.as_of)}
    pools = _pools(store.pool_members(None, known_at), books.as_of)
    members = {place: [place] for place in wallets} | pools
    chains = {each.chain_id for each in wallets.values()}
    observed: dict[Place, int] = {}
    for chain_id in sorted(chains):
        observed |= _observed(store, chain_id, close, timedelta(hours=age_hours_max))
    proofs = {
        account_location(chain_id, address): proven_at(answer.challenge)
        for chain_id in chains
        for address, answer in newest_proofs(store.key_answers(chain_id=chain_id)).items()
        if proven_at(answer.challenge) <= close
    }
    taken = _named(books)
    for place, asset_id in wanted:
        parts = [observed.get((wallet, asset_id)) for wallet in pools.get(place, ())]
        known = [each for each in parts if each is not None]
        if known and len(known) == len(parts):
            there = ((wallet, asset_id) for wallet in pools[place])
            observed[place, asset_id] = sum(max(0, observed[each] - taken.get(each, 0)) for each in there)
    places = {
        place: _facts([wallets[each] for each in members[place] if each in wallets], proofs)
        for place, _ in wanted
        if place in members
    }
    return ChainFacts(places, observed, _movable(store, members))


def stated_facts(review: Review) -> ChainFacts:
    """The facts that a review was made with, as its own lines state them."""
    places: dict[LocationId, WalletFacts] = {}
    observed: dict[Place, int] = {}
    movable: set[tuple[LocationId, AssetId | None]] = set()
    for line in review.inputs.lines:
        if (chain := line.on_chain) is not None:
            place = LocationId(line.location_id)
            places[place] = WalletFacts(chain.firm_alone_can_sign, chain.others_can_sign, chain.proven_on)
            if chain.observed is not None:
                observed[place, line.security_id] = chain.observed
            if chain.others_could_move:
                movable.add((place, line.security_id))
    return ChainFacts(places, observed, movable)


def _named(books: Books) -> dict[Place, int]:
    """What lines say lies in a place itself: of a wallet that is in a pool too, the pool has only the rest."""
    found: dict[Place, int] = {}
    for line in books.stock:
        if line.location_id is not None and line.side is StockSide.SHORT:
            place = (line.location_id, line.security_id)
            found[place] = found.get(place, 0) + line.base_units
    return found


def _is_open(wallet: Wallet, day: date) -> bool:
    return wallet.closed_on is None or wallet.closed_on >= day


def _pools(members: Iterable[PoolMember], day: date) -> dict[LocationId, list[LocationId]]:
    found: dict[LocationId, list[LocationId]] = {}
    for each in members:
        if each.from_date <= day and (each.to_date is None or each.to_date >= day):
            found.setdefault(each.location_id, []).append(account_location(each.chain_id, each.address))
    return found


def _facts(wallets: list[Wallet], proofs: Mapping[LocationId, datetime]) -> WalletFacts:
    """Of a pool what holds for all its wallets; of one without a wallet that nobody can sign."""
    proven = [proofs.get(each.location_id) for each in wallets]
    known = [each.date() for each in proven if each is not None]
    return WalletFacts(
        bool(wallets) and all(each.firm_alone_can_sign for each in wallets),
        any(each.others_can_sign_without_firm for each in wallets),
        min(known) if known and len(known) == len(proven) else None,
    )


def _observed(store: Store, chain_id: ChainId, close: datetime, age: timedelta) -> dict[Place, int]:
    """What the newest sweep of the close read in each wallet; a read that failed is not there."""
    sweeps = [
        each
        for each in store.summaries(chain_id)
        if close - age <= each.block.timestamp <= close and not store.is_orphaned(each.block)
    ]
    newest = max(sweeps, key=lambda each: (each.block.height, each.finished_at), default=None)
    start = store.sweep(newest.sweep_id) if newest is not None else None
    if start is None:
        return {}
    return {
        (account_location(chain_id, seen.holding.address), seen.holding.asset.asset_id): seen.base_units
        for seen in store.observations(start)
        if seen.base_units is not None
    }


def _movable(
    store: Store, members: Mapping[LocationId, list[LocationId]]
) -> frozenset[tuple[LocationId, AssetId | None]]:
    """What open cases say that somebody who is not accepted could move or has stopped."""
    named: set[tuple[LocationId, AssetId | None]] = set()
    for case in store.cases():
        finding = case.finding
        if finding.kind is FindingKind.ENCUMBRANCE and case.is_seen and case.state is not CaseState.CLOSED:
            named.add((finding.location_id, finding.asset.asset_id if finding.asset is not None else None))
            named.update(store.case_covers(case.case_id))
    return frozenset(
        (place, asset_id) for place, wallets in members.items() for wallet, asset_id in named if wallet in wallets
    )
