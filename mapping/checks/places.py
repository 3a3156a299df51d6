"""Pools and firm addresses against the wallets."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from mapping.checks.scope import Scope
from mapping.types import FirmAddress, PoolMember, Sourced, Structure


def check_pools(scope: Scope) -> None:
    """A wallet is in one pool at a time, in one membership, within its own dates, and never when segregated."""
    if not scope.of("pools") and not scope.of("wallets"):
        return
    members = scope.members()
    by_wallet: dict[tuple[str, str], list[PoolMember]] = defaultdict(list)
    for member in members:
        by_wallet[member.chain_id, member.address].append(member)
    for row in scope.of("pools"):
        member = row.record
        for other in by_wallet[member.chain_id, member.address]:
            same = (other.pool_id, other.from_date) == (member.pool_id, member.from_date)
            if not same and _overlap(member, other):
                reason = f"the wallet is in pool {other.pool_id} from {other.from_date} at the same time"
                scope.problem(row, "address", member.address, reason)
    wallets = scope.wallets((member.chain_id, member.address) for member in members)
    for row in scope.of("pools"):
        wallet = wallets.get((row.record.chain_id, row.record.address))
        if wallet is None:
            continue  # noted as an unknown wallet
        if wallet.structure is Structure.FULLY_SEGREGATED and row.record.to_date is None:
            scope.problem(row, "address", wallet.address, "a fully segregated wallet cannot be in an omnibus pool")
        if row.record.from_date < wallet.opened_on:
            reason = f"the wallet was opened on {wallet.opened_on} only"
            scope.problem(row, "from_date", str(row.record.from_date), reason)
    in_import = {row.record for row in scope.of("pools")}
    for row in scope.of("wallets"):
        wallet = row.record
        known_before = by_wallet.get((wallet.chain_id, wallet.address), [])
        if wallet.structure is Structure.FULLY_SEGREGATED and any(
            member.to_date is None and member not in in_import for member in known_before
        ):
            reason = f"the wallet is in pool {known_before[0].pool_id}; a fully segregated wallet cannot be"
            scope.problem(row, "structure", wallet.structure, reason)


def _overlap(one: PoolMember, other: PoolMember) -> bool:
    return one.from_date <= (other.to_date or date.max) and other.from_date <= (one.to_date or date.max)


def check_firm_addresses(scope: Scope) -> None:
    """A wallet that holds client assets is never one of the firm's own addresses."""
    firm_rows: list[Sourced[FirmAddress]] = scope.of("firm_addresses")
    wallets = scope.wallets((row.record.chain_id, row.record.address) for row in firm_rows)
    for row in firm_rows:
        if (row.record.chain_id, row.record.address) in wallets:
            reason = "this address is a wallet that holds client assets (wallets.csv); it cannot be the firm's own"
            scope.problem(row, "address", row.record.address, reason)
    _check_ends(scope, firm_rows)
    if not scope.of("wallets"):
        return
    in_import = {(row.record.chain_id, row.record.address) for row in firm_rows}
    recorded = {(row.chain_id, row.address) for row in scope.known.firm_addresses()} - in_import
    for wallet_row in scope.of("wallets"):
        wallet: Any = wallet_row.record
        if (wallet.chain_id, wallet.address) in recorded:
            reason = "this address is recorded as the firm's own (firm_addresses.csv), where no client asset may be"
            scope.problem(wallet_row, "address", wallet.address, reason)


def _check_ends(scope: Scope, firm_rows: list[Sourced[FirmAddress]]) -> None:
    """An address does not stop being the firm's own in the past: what arrived there meanwhile stays what it was."""
    if scope.now is None or not firm_rows:
        return
    today = scope.now.date()
    known = {(line.chain_id, line.address): line for line in scope.known.firm_addresses()}
    for row in firm_rows:
        line = row.record
        before = known.get((line.chain_id, line.address))
        if before is None or line.valid_until is None or line.valid_until >= today:
            continue
        if before.valid_until is None or before.valid_until > line.valid_until:
            reason = f"an end before today ({today}) would rewrite what transfers until now were; end it today or later"
            scope.problem(row, "valid_until", str(line.valid_until), reason)
