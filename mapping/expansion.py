"""Wallets out of descriptors: every derived address becomes a wallet like that of number 0, in the same pools.

Made at import and recorded as wallets, so that whoever reads the mapping sees addresses and nothing to be computed,
and what was watched at any moment is on record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from chains.reader import AddressBranch
from chains.types import Address, ChainId
from mapping.checks.scope import Scope
from mapping.types import Origin, PoolMember, Sourced, Wallet, WalletDescriptor

BranchOf = Callable[[ChainId, str], AddressBranch]
MULTISIG_SCHEME = "multisig"
"""The key scheme whose threshold and shares are those of the script."""


def expand_descriptors(scope: Scope, branch_of: BranchOf) -> None:
    """Add the wallets and pool memberships that follow from descriptors of the import, or from changes of wallets
    that recorded descriptors begin with. Rows that name a derived address themselves go before."""
    if not {"wallets", "wallet_descriptors"}.isdisjoint(scope.unreliable):
        return
    stated = {_key(row.record): row for row in scope.of("wallet_descriptors")}
    touched = [_key(row.record) for table in ("wallets", "pools") for row in scope.of(table)]
    known: dict[Any, Any] = dict(scope.known.records("wallet_descriptors", {*stated, *touched}))
    for key in dict.fromkeys([*stated, *touched]):
        row = stated.get(key)
        record = row.record if row is not None else known.get(key)
        if record is not None:
            _expand(scope, record, known.get(key), row, branch_of)


def _expand(
    scope: Scope,
    record: WalletDescriptor,
    before: WalletDescriptor | None,
    row: Sourced[WalletDescriptor] | None,
    branch_of: BranchOf,
) -> None:
    first = scope.wallets([_key(record)]).get(_key(record))
    branch = branch_of(record.chain_id, record.descriptor)
    if row is not None and (problem := _problem(first, record, before, branch)):
        scope.problem(row, *problem)
        return
    if first is None:
        return
    addresses = [branch.address(number) for number in range(1, record.derived)]
    own = next((each for each in scope.of("wallets") if _key(each.record) == _key(record)), None)
    origin = own.origin if own is not None else row.origin if row is not None else None
    made = _add_wallets(scope, first, addresses, origin, follow=own is not None)
    made += _add_memberships(scope, record, addresses, origin)
    if row is not None and made:
        text = f"{record.derived} addresses follow from the descriptor, numbers 0 to {record.derived - 1}"
        scope.notice(row.origin.source, row.origin.line, text)


def _problem(
    first: Wallet | None, record: WalletDescriptor, before: WalletDescriptor | None, branch: AddressBranch
) -> tuple[str, str, str] | None:
    """Column, value and reason of what is wrong with a descriptor beside the wallet and the descriptor before it."""
    if first is None:
        return "address", record.address, "this wallet is not known: add it to wallets.csv first"
    if before is not None and before.descriptor != record.descriptor:
        return "descriptor", "", "the descriptor that begins with this address is recorded, and never changed"
    if before is not None and record.derived < before.derived:
        return "derived", str(record.derived), f"{before.derived} addresses are wallets already; they stay watched"
    scripts = branch.multisig
    shares = (first.threshold, first.share_count)
    if first.key_scheme == MULTISIG_SCHEME and scripts is not None and scripts != shares:
        said, wanted = f"{shares[0]} of {shares[1]}", f"{scripts[0]} of {scripts[1]}"
        return "descriptor", "", f"its scripts want {wanted} signatures, wallets.csv says {said}"
    return None


def _add_wallets(scope: Scope, first: Wallet, addresses: list[Address], origin: Origin | None, *, follow: bool) -> int:
    """New wallets; with `follow`, known ones become like the first again too."""
    keys = {(first.chain_id, address) for address in addresses}
    named = {_key(each.record) for each in scope.of("wallets")}
    known = scope.known.records("wallets", keys)
    made = 0
    for address in addresses:
        key = (first.chain_id, address)
        if origin is not None and key not in named and (follow or key not in known):
            scope.rows["wallets"].append(Sourced(replace(first, address=address), origin))
            made += 1
    return made


def _add_memberships(scope: Scope, record: WalletDescriptor, addresses: list[Address], origin: Origin | None) -> int:
    """The pools of the first wallet for the others, unless they are in them or a row says otherwise."""
    stated = {_key(each.record) for each in scope.of("pools")}
    members = {_member_key(member): member for member in scope.members()}
    made = 0
    for membership, where in list(_memberships(scope, record, origin)):
        for address in addresses:
            member = replace(membership, address=address)
            is_known = members.get(_member_key(member)) == member
            if where is not None and not is_known and _key(member) not in stated:
                scope.rows["pools"].append(Sourced(member, where))
                made += 1
    return made


def _memberships(
    scope: Scope, record: WalletDescriptor, origin: Origin | None
) -> Iterator[tuple[PoolMember, Origin | None]]:
    """Every membership of the first wallet after the import, with where its copies come from."""
    rows = {_member_key(each.record): each.origin for each in scope.of("pools")}
    for member in scope.members():
        if _key(member) == _key(record):
            yield member, rows.get(_member_key(member), origin)


def _key(record: Wallet | PoolMember | WalletDescriptor) -> tuple[ChainId, Address]:
    return record.chain_id, record.address


def _member_key(member: PoolMember) -> tuple[object, ...]:
    return (member.pool_id, member.chain_id, member.address, member.from_date)
