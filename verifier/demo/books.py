"""The demonstration's books: the CSV files an operations team would export from its sub-ledger."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from chains.types import utc_text
from verifier.demo.world import Chain, World

FIRM_CLIENT = "FIRM"


def write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows with the keys of the first one as the header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def native_id(world: World) -> str:
    """CAIP-19 id of the chain's own coin."""
    return f"{world.chain_id}/slip44:60"


def token_id(world: World, contract: str) -> str:
    """CAIP-19 id of a token."""
    return f"{world.chain_id}/erc20:{contract}"


def location(world: World, address: str) -> str:
    """CAIP-10 id of an address."""
    return f"{world.chain_id}:{address}"


def write_books(world: World, folder: Path) -> None:
    """Everything the sub-ledger says on the first day."""
    as_of = world.now()
    day = as_of.date().isoformat()
    write_csv(
        folder / "clients.csv",
        [
            {"client_id": client, "name": name, "opened_on": day, "closed_on": ""}
            for client, name in (
                ("C-1001", "Client 1001"),
                ("C-1002", "Client 1002"),
                ("C-1003", "Client 1003"),
                ("C-1004", "Client 1004 (segregated)"),
                ("C-1005", "Client 1005 (segregated)"),
                ("B-2001", "Introducing broker 2001 (PAB)"),
                (FIRM_CLIENT, "The firm itself"),
            )
        ],
    )
    write_csv(
        folder / "assets.csv",
        [
            asset_row(native_id(world), "ETH", 18, "non_security_crypto", day, "0.001"),
            asset_row(token_id(world, world.usdx), "USDX", 6, "payment_stablecoin", day, "1.00"),
            asset_row(token_id(world, world.tbx), "TBX", 18, "security", day, "0"),
        ],
    )
    write_csv(
        folder / "wallets.csv",
        [
            wallet_row(world, world.omnibus, "omnibus", "vault-omnibus", day, "1"),
            wallet_row(world, world.client_1004, "fully_segregated", "vault-1004", day, "0.2"),
            wallet_row(world, world.client_1005, "fully_segregated", "vault-1005", day, "0.2"),
            wallet_row(world, world.broker_2001, "fully_segregated", "vault-2001", day, "0.2"),
        ],
    )
    write_csv(
        folder / "firm_addresses.csv",
        [
            {
                "chain_id": world.chain_id,
                "address": world.treasury,
                "label": "treasury",
                "valid_from": day,
                "valid_until": "",
            }
        ],
    )
    write_csv(
        folder / "custodian_addresses.csv",
        [
            custodian_row(world, address, vault, as_of)
            for address, vault in (
                (world.omnibus, "vault-omnibus"),
                (world.client_1004, "vault-1004"),
                (world.client_1005, "vault-1005"),
                (world.broker_2001, "vault-2001"),
            )
        ],
    )
    write_csv(folder / "allocations.csv", list(_allocations(world, as_of)))


def asset_row(asset_id: str, symbol: str, decimals: int, legal_class: str, day: str, dust: str) -> dict[str, object]:
    """A line of assets.csv."""
    return {
        "asset_id": asset_id,
        "symbol": symbol,
        "decimals": decimals,
        "legal_class": legal_class,
        "legal_class_from": day,
        "legal_class_reference": f"MEMO-{symbol}-1",
        "dust_limit": dust,
    }


def wallet_row(world: Chain, address: str, structure: str, vault: str, day: str, float_limit: str) -> dict[str, object]:
    """A line of wallets.csv."""
    return {
        "chain_id": world.chain_id,
        "address": address,
        "structure": structure,
        "titling": "Example Brokerage LLC for the exclusive benefit of its customers",
        "custodian": "Custodian A",
        "mpc_vault": vault,
        "key_scheme": "mpc-cmp-ecdsa",
        "threshold": 2,
        "share_count": 3,
        "share_holders": "firm:2;custodian:1",
        "firm_alone_can_sign": "yes",
        "others_can_sign_without_firm": "no",
        "opened_on": day,
        "closed_on": "",
        "gas_float_limit": float_limit,
    }


def custodian_row(world: Chain, address: str, vault: str, as_of: datetime) -> dict[str, object]:
    """A line of custodian_addresses.csv."""
    return {
        "custodian": "Custodian A",
        "chain_id": world.chain_id,
        "address": address,
        "mpc_vault": vault,
        "as_of": utc_text(as_of),
    }


def movement_row(
    entry_id: str, client: str, place: str, asset_id: str, quantity: str, effective_at: str
) -> dict[str, object]:
    """A line of ledger_entries.csv: what a customer's account gains or loses at a place."""
    return {
        "entry_id": entry_id,
        "client_id": client,
        "account_class": "customer",
        "location": place,
        "asset_id": asset_id,
        "quantity": quantity,
        "effective_at": effective_at,
        "kind": "movement",
        "corrects": "",
    }


def _allocations(world: World, as_of: datetime) -> Iterable[dict[str, object]]:
    eth, usdx, tbx = native_id(world), token_id(world, world.usdx), token_id(world, world.tbx)
    for client, account_class, address, asset, quantity, kind in (
        ("C-1001", "customer", world.omnibus, usdx, "250000.00", ""),
        ("C-1001", "customer", world.omnibus, tbx, "10", ""),
        ("C-1002", "customer", world.omnibus, usdx, "120000.50", ""),
        ("C-1003", "customer", world.omnibus, usdx, "75000.00", ""),
        ("C-1003", "customer", world.omnibus, tbx, "4.25", ""),
        ("C-1003", "customer", world.omnibus, eth, "3", ""),
        (FIRM_CLIENT, "proprietary", world.omnibus, eth, "0.5", "gas_float"),
        ("C-1004", "customer", world.client_1004, usdx, "1000000.00", ""),
        (FIRM_CLIENT, "proprietary", world.client_1004, eth, "0.1", "gas_float"),
        ("C-1005", "customer", world.client_1005, tbx, "42", ""),
        (FIRM_CLIENT, "proprietary", world.client_1005, eth, "0.1", "gas_float"),
        ("B-2001", "pab", world.broker_2001, usdx, "500000.00", ""),
        (FIRM_CLIENT, "proprietary", world.broker_2001, eth, "0.1", "gas_float"),
    ):
        yield {
            "client_id": client,
            "account_class": account_class,
            "location": location(world, address),
            "asset_id": asset,
            "quantity": quantity,
            "as_of": utc_text(as_of),
            "kind": kind,
        }


def write_withdrawal_approval(world: World, folder: Path) -> None:
    """The approval of client 1001's withdrawal: asked for by one person, approved by another."""
    at = world.now()
    write_csv(
        folder / "authorizations.csv",
        [
            {
                "authorization_id": "AUTH-0001",
                "chain_id": world.chain_id,
                "wallet": world.omnibus,
                "asset_id": token_id(world, world.usdx),
                "quantity_max": "50000.00",
                "destination": world.client_1001_own,
                "fee_max": "0.01",
                "valid_from": utc_text(at),
                "valid_until": utc_text(at + timedelta(days=1)),
                "purpose": "client_withdrawal",
                "client_id": "C-1001",
                "requested_by": "ops.maker",
                "approved_by": "ops.checker",
                "approved_at": utc_text(at),
                "reference": "WD-2026-0001",
            }
        ],
    )


def write_movements(world: World, folder: Path) -> None:
    """The ledger entries of a deposit and of the approved withdrawal."""
    at = utc_text(world.now())
    write_csv(
        folder / "ledger_entries.csv",
        [
            movement_row(entry_id, client, location(world, world.omnibus), token_id(world, world.usdx), quantity, at)
            for entry_id, client, quantity in (
                ("DEP-2026-0001", "C-1002", "5000.00"),
                ("WD-2026-0001", "C-1001", "-50000.00"),
            )
        ],
    )


def write_statement(world: World, folder: Path) -> None:
    """The custodian's statement: right about one wallet, wrong about client 1004's."""
    at = utc_text(world.now())
    write_csv(
        folder / "positions.csv",
        [
            {
                "location": location(world, address),
                "asset_id": token_id(world, world.usdx),
                "quantity": quantity,
                "as_of": at,
                "source": "custodian",
                "stated_by": "Custodian A",
                "statement_id": "STMT-0001",
            }
            for address, quantity in ((world.client_1004, "999000.00"), (world.broker_2001, "500000.00"))
        ],
    )
