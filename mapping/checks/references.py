"""What a row names must exist: clients, wallets, pools."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from chains.types import Address, ChainId, LocationId, asset_chain_id
from mapping.checks.scope import Scope, pool_id_of, split_account
from mapping.types import Sourced

_WITH_CLIENT = ("allocations", "ledger_entries", "authorizations")
_WITH_LOCATION = ("allocations", "ledger_entries", "positions")


def check_references(scope: Scope) -> None:
    """Refuse rows that name an unknown client, wallet or pool.

    Nothing is said about a file of which rows could not be read: what is missing may be among those.
    """
    if "clients" not in scope.unreliable:
        _check_clients(scope)
    if "wallets" not in scope.unreliable:
        _check_wallets(scope)
    if not {"wallets", "pools"} & set(scope.unreliable):
        _check_pools(scope)


def _check_clients(scope: Scope) -> None:
    rows = [row for table in _WITH_CLIENT for row in scope.of(table) if row.record.client_id]
    known = scope.clients(row.record.client_id for row in rows)
    for row in rows:
        if row.record.client_id not in known:
            scope.problem(
                row, "client_id", row.record.client_id, "this client is not known: add it to clients.csv first"
            )


def _named_wallets(scope: Scope) -> Iterator[tuple[Sourced[Any], str, tuple[ChainId, Address]]]:
    for table in _WITH_LOCATION:
        for row in scope.of(table):
            if account := split_account(row.record.location_id):
                yield row, "location", account
    for row in scope.of("pools"):
        yield row, "address", (row.record.chain_id, row.record.address)
    for row in (*scope.of("authorizations"), *scope.of("accepted_control")):
        yield row, "wallet", (row.record.chain_id, row.record.wallet)


def _check_wallets(scope: Scope) -> None:
    known = scope.wallets({account for _, _, account in _named_wallets(scope)})
    for row, column, account in _named_wallets(scope):
        if account not in known:
            value = ":".join(account) if column == "location" else account[1]
            scope.problem(row, column, value, "this wallet is not known: add it to wallets.csv first")


def _check_pools(scope: Scope) -> None:
    chains: dict[str, set[ChainId]] | None = None
    for table in _WITH_LOCATION:
        for row in scope.of(table):
            location: LocationId = row.record.location_id
            pool_id = pool_id_of(location)
            if pool_id is None:
                continue
            if chains is None:
                chains = defaultdict(set)
                for member in scope.members():
                    chains[member.pool_id].add(member.chain_id)
            if pool_id not in chains:
                scope.problem(row, "location", location, "this pool is not known: add its wallets to pools.csv first")
            elif asset_chain_id(row.record.asset_id) not in chains[pool_id]:
                scope.problem(row, "asset_id", row.record.asset_id, "no wallet of this pool is on the asset's chain")
