"""Payments on chains of outputs (Bitcoin): what one transaction moves in pieces, put together to what was approved.

There a transaction spends outputs of several addresses and pays others, and no coin says which input paid which
output. Its reader splits it into pieces, one for each pair of a spent and a paid address. Approvals are of payments:

1. Wallets that pay together are one set: the members of a pool, or the fully segregated wallets of one client. Any
   other wallet is a set of its own.
2. The pieces of a transaction that one set sends to one address are one payment. A transaction that pays many is many
   payments, each held against the approvals alone (`verifier.rules.authorize`); its fee counts once.
3. What comes back to the set that sent it is change, and no payment. What goes to another set of custody wallets is an
   internal rebalancing and needs an approval as such. Change to an address that is not mapped is a payment to a
   stranger: an unauthorized one.
4. An approval for any wallet of a set is one for the set.

A transaction that spends from two sets mixes what should be apart; each set's part is judged alone. One that was
replaced before it was confirmed is in no block and uses nothing; when both versions of a payment are confirmed, the
second is a duplicate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import Final

from chains.types import Address, AssetId, ChainId, Transfer, TransferKind, chain_namespace
from mapping.types import FirmAddress, PoolMember, Structure, TransferAuthorization, Wallet
from verifier.records import ApprovalUse, MatchOutcome, TransferMatch
from verifier.rules.authorize import distinct_transfers, is_outgoing, match_transfers
from verifier.rules.claims import Claims

WalletSets = Mapping[Address, str]
"""The name of the set each custody wallet pays with."""

_Payment = tuple[str, str, str, AssetId, TransferKind, Address | None]
"""Block hash, transaction, set that pays, asset, kind, destination."""

_NAMESPACE: Final = "bip122"


def pays_in_pieces(chain_id: ChainId) -> bool:
    """Whether transactions of the chain spend outputs of several addresses at once."""
    return chain_namespace(chain_id) == _NAMESPACE


def wallet_sets(
    wallets: Iterable[Wallet], members: Iterable[PoolMember], claims: Claims, on: date
) -> dict[Address, str]:
    """Which custody wallets of one chain pay together, by the pools and the owners of a day."""
    pools = {
        member.address: member.pool_id
        for member in members
        if member.from_date <= on and (member.to_date is None or on <= member.to_date)
    }
    clients: dict[str, set[str]] = defaultdict(set)
    for location_id, holders in chain.from_iterable(at.items() for at in claims.owners.of.values()):
        clients[location_id] |= {
            holder.client_id for holder in holders if holder.base_units and not holder.is_gas_float
        }
    sets = {}
    for wallet in wallets:
        owners = clients[wallet.location_id] if wallet.structure is Structure.FULLY_SEGREGATED else set()
        if wallet.address in pools:
            sets[wallet.address] = f"pool:{pools[wallet.address]}"
        elif len(owners) == 1:
            sets[wallet.address] = f"client:{min(owners)}"
        else:
            sets[wallet.address] = f"wallet:{wallet.address}"
    return sets


def match_payments(
    transfers: Iterable[Transfer],
    authorizations: Iterable[TransferAuthorization],
    sets: WalletSets,
    firm_addresses: Iterable[FirmAddress],
    used_before: Mapping[str, int],
) -> list[TransferMatch]:
    """One match for every payment, in the order of the chain; change is none.

    The transfer of each is the whole payment, under the index and from the sender of its first piece. Raises what
    `match_transfers` raises.
    """
    distinct = distinct_transfers(transfers)
    first_of: dict[str, Address] = {}
    for address in sorted(sets):
        first_of.setdefault(sets[address], address)
    pieces: dict[_Payment, list[Transfer]] = defaultdict(list)
    for piece in distinct:
        if is_outgoing(piece, sets.keys()) and not _is_change(piece, sets):
            pieces[_payment(piece, sets)].append(piece)
    whole = {}
    senders = {}
    for payment, parts in pieces.items():
        joined = replace(parts[0], sender=first_of[payment[2]], base_units=sum(part.base_units for part in parts))
        whole[joined.transfer_id] = joined
        senders[joined.transfer_id] = parts[0].sender
    fees = [transfer for transfer in distinct if transfer.kind is TransferKind.FEE]
    of_sets = [
        replace(each, wallet=first_of[sets[each.wallet]]) if each.wallet in sets else each for each in authorizations
    ]
    matches = match_transfers([*whole.values(), *fees], of_sets, sets.keys(), firm_addresses, used_before)
    return [
        replace(match, transfer=replace(match.transfer, sender=senders[match.transfer.transfer_id]))
        for match in matches
    ]


def match_pieces(
    payments: Iterable[TransferMatch], transfers: Iterable[Transfer], sets: WalletSets
) -> list[TransferMatch]:
    """The match of every outgoing piece: its payment's, with its own part of what that takes from the approvals.

    Change is told apart: it needs no approval and is no payment.
    """
    matches: list[TransferMatch] = []
    left = {}
    for match in payments:
        left[_payment(match.transfer, sets)] = (match, list(match.uses))
    for piece in distinct_transfers(transfers):
        if not is_outgoing(piece, sets.keys()):
            continue
        if _is_change(piece, sets):
            reason = "it came back to the wallets that pay together, which needs no authorization"
            matches.append(TransferMatch(piece, MatchOutcome.CHANGE, "", False, False, reason))
            continue
        match, queue = left[_payment(piece, sets)]
        uses = _take(queue, piece.base_units) if match.uses else ()
        named = uses[0].authorization_id if uses else match.authorization_id
        matches.append(replace(match, transfer=piece, authorization_id=named, uses=uses))
    return matches


def _payment(piece: Transfer, sets: WalletSets) -> _Payment:
    assert piece.sender is not None, "only what leaves a wallet is part of a payment"
    return (
        piece.block.block_hash,
        piece.tx_id,
        sets[piece.sender],
        piece.asset.asset_id,
        piece.kind,
        piece.receiver,
    )


def _is_change(piece: Transfer, sets: WalletSets) -> bool:
    assert piece.sender is not None, "only what leaves a wallet can come back"
    return piece.receiver is not None and sets[piece.sender] == sets.get(piece.receiver)


def _take(queue: list[ApprovalUse], base_units: int) -> tuple[ApprovalUse, ...]:
    """Take an amount from the front of what a payment uses; together the pieces take all of it."""
    taken = []
    while base_units:
        use = queue.pop(0)
        part = min(use.base_units, base_units)
        taken.append(ApprovalUse(use.authorization_id, part))
        base_units -= part
        if part < use.base_units:
            queue.insert(0, ApprovalUse(use.authorization_id, use.base_units - part))
    return tuple(taken)
