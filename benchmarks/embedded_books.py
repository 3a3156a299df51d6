"""The files of a firm whose clients share many wallets, as a sub-ledger would export them, equal to the chain."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.evm_holders import Crowd
from chains.types import account_location, utc_text

CLIENTS_MIN: Final = 50
"""A client has one row for one wallet and asset, so there are more clients than rows of one wallet."""
SHARES_MAX: Final = 3
"""How many times the owners asked for one wallet may have, to make up for wallets that hold nothing."""


def write_books(crowd: Crowd, folder: Path, owners: int) -> int:
    """Write clients, assets, wallets and allocations; return how many allocations.

    Each wallet is shared by about `owners` rows of clients over its three assets. Rows that an empty or nearly empty
    wallet cannot have go to the next ones, so that there are `owners` rows for each wallet on average.
    """
    folder.mkdir()
    as_of = datetime.fromtimestamp(int(crowd.node.block()["timestamp"], 16), UTC)
    day = as_of.date().isoformat()
    clients = max(CLIENTS_MIN, len(crowd.addresses))
    _write(
        folder / "clients.csv",
        ("client_id", "name", "opened_on", "closed_on"),
        ((f"C-{number}", f"Client {number}", day, "") for number in range(clients)),
    )
    _write(
        folder / "assets.csv",
        ("asset_id", "symbol", "decimals", "legal_class", "legal_class_from", "legal_class_reference", "dust_limit"),
        (
            (asset.asset_id, asset.symbol, asset.decimals, "non_security_crypto", day, f"MEMO-{asset.symbol}", "0")
            for asset in crowd.assets
        ),
    )
    _write(folder / "wallets.csv", _WALLET_COLUMNS, _wallets(crowd, day))
    return _write(
        folder / "allocations.csv",
        ("client_id", "account_class", "location", "asset_id", "quantity", "as_of", "kind"),
        _allocations(crowd, owners, clients, utc_text(as_of)),
    )


_WALLET_COLUMNS: Final = (
    "chain_id", "address", "structure", "titling", "custodian", "mpc_vault", "key_scheme", "threshold", "share_count",
    "share_holders", "firm_alone_can_sign", "others_can_sign_without_firm", "opened_on", "closed_on", "gas_float_limit",
)  # fmt: skip


def _wallets(crowd: Crowd, day: str) -> Iterator[Sequence[object]]:
    for number, address in enumerate(crowd.addresses):
        yield (
            crowd.config.chain_id, address, "omnibus", "for the exclusive benefit of customers", "Custodian A",
            f"vault-{number}", "mpc-cmp-ecdsa", 2, 3, "firm:2;custodian:1", "yes", "no", day, "", "0",
        )  # fmt: skip


def _allocations(crowd: Crowd, owners: int, clients: int, as_of: str) -> Iterator[Sequence[object]]:
    due = row = 0
    for address, balances in zip(crowd.addresses, crowd.balances, strict=True):
        location = account_location(crowd.config.chain_id, address)
        due += owners
        held = [(asset, units) for asset, units in zip(crowd.assets, balances, strict=True) if units]
        for left, (asset, units) in zip(range(len(held), 0, -1), held, strict=True):
            shares = min(units, -(-min(due, owners * SHARES_MAX) // left))
            due -= shares
            for share in split(units, shares):
                client = f"C-{row % clients}"
                yield client, "customer", location, asset.asset_id, asset.format_quantity(share), as_of, ""
                row += 1


def split(units: int, shares: int) -> list[int]:
    """As many whole numbers above zero as asked for, each larger than the one before where possible, with this sum."""
    weights = shares * (shares + 1) // 2
    parts = [max(1, units * weight // weights) if units >= weights else 1 for weight in range(1, shares + 1)]
    parts[-1] += units - sum(parts)
    return parts


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write a file with its header; how many rows below it."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count
