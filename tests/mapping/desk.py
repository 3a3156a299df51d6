"""A desk to test the importer at: good rows to start from, files to write, a book that remembers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from chains.bitcoin import chain_plugin as bitcoin_plugin
from chains.errors import UnknownChain
from chains.evm import chain_plugin
from chains.reader import ChainPlugin
from chains.types import ChainId
from mapping.importer import ImportOptions, ImportResult, MemoryBook, post_row, read_files
from mapping.tables import table_named
from mapping.types import Problem

NOW: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ETH: Final = "eip155:1/slip44:60"
USDC: Final = "eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
AAPL: Final = "cusip:037833100"
USD: Final = "iso4217:USD"
ETH_OPTIMISM: Final = "eip155:10/slip44:60"

OMNIBUS: Final = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
SEGREGATED: Final = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
POOLED: Final = "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB"
ELSEWHERE: Final = "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"
"""An address that is no wallet."""

BITCOIN: Final = "bip122:000000000019d6689c085ae165831e93"
FIRST_OF_DESCRIPTOR: Final = "bc1qxf4jyj0r5fw4m3sfxhcyfm5rt5ysh2zej5q0n2"
DESCRIPTOR: Final = (
    "wpkh([ffffffff/13h]xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6"
    "r1D3tgFxHmwMkQTPH/1/2/*)#0htvdtvj"
)
"""A test vector of BIP-382."""


def at(address: str, chain: str = "eip155:1") -> str:
    """An address as a location."""
    return f"{chain}:{address}"


DEFAULTS: Final[dict[str, dict[str, str]]] = {
    "clients": {"client_id": "C-1", "name": "Client One", "opened_on": "2025-01-02"},
    "assets": {
        "asset_id": ETH,
        "symbol": "ETH",
        "decimals": "18",
        "legal_class": "non_security_crypto",
        "legal_class_from": "2025-01-02",
        "legal_class_reference": "LEGAL-1",
        "dust_limit": "0.001",
    },
    "wallets": {
        "chain_id": "eip155:1",
        "address": OMNIBUS,
        "structure": "omnibus",
        "titling": "For the exclusive benefit of customers",
        "custodian": "Example Custody",
        "mpc_vault": "vault-1",
        "key_scheme": "mpc-ecdsa",
        "threshold": "2",
        "share_count": "3",
        "share_holders": "firm:2;custodian:1",
        "firm_alone_can_sign": "yes",
        "others_can_sign_without_firm": "no",
        "opened_on": "2025-01-02",
    },
    "wallet_descriptors": {
        "chain_id": BITCOIN,
        "address": FIRST_OF_DESCRIPTOR,
        "descriptor": DESCRIPTOR,
        "role": "external",
        "look_ahead": "2",
    },
    "pools": {"pool_id": "P-1", "chain_id": "eip155:1", "address": POOLED, "from_date": "2025-01-02"},
    "firm_addresses": {
        "chain_id": "eip155:1",
        "address": ELSEWHERE,
        "label": "Fee income",
        "valid_from": "2025-01-02",
    },
    "custodian_addresses": {
        "custodian": "Example Custody",
        "chain_id": "eip155:1",
        "address": OMNIBUS,
        "mpc_vault": "vault-1",
        "as_of": "2026-02-01T00:00:00Z",
    },
    "allocations": {
        "client_id": "C-1",
        "account_class": "customer",
        "location": at(OMNIBUS),
        "asset_id": ETH,
        "quantity": "10",
        "as_of": "2026-02-01T00:00:00Z",
    },
    "ledger_entries": {
        "entry_id": "E-1",
        "client_id": "C-1",
        "account_class": "customer",
        "location": at(OMNIBUS),
        "asset_id": ETH,
        "quantity": "-1.5",
        "effective_at": "2026-02-02T00:00:00Z",
        "kind": "movement",
    },
    "authorizations": {
        "authorization_id": "A-1",
        "chain_id": "eip155:1",
        "wallet": OMNIBUS,
        "asset_id": ETH,
        "quantity_max": "1.5",
        "destination": ELSEWHERE,
        "fee_max": "0.01",
        "valid_from": "2026-02-01T00:00:00Z",
        "valid_until": "2026-02-03T00:00:00Z",
        "purpose": "client_withdrawal",
        "requested_by": "ops.maker",
        "approved_by": "ops.checker",
        "approved_at": "2026-02-01T00:00:00Z",
        "reference": "Ticket 1",
        "client_id": "C-1",
    },
    "token_layouts": {
        "asset_id": USDC,
        "order": "solidity",
        "mapping_slot": "9",
        "bits": "255",
        "code_hash": "0x" + "ab" * 32,
        "requested_by": "ops.maker",
        "approved_by": "ops.checker",
        "approved_at": "2026-02-01T00:00:00Z",
    },
    "accepted_control": {
        "acceptance_id": "AC-1",
        "chain_id": "eip155:1",
        "wallet": OMNIBUS,
        "kind": "allowance",
        "asset_id": USDC,
        "subject": ELSEWHERE,
        "quantity_max": "250",
        "valid_from": "2026-02-01T00:00:00Z",
        "valid_until": "2026-12-31T00:00:00Z",
        "reason": "Settlement contract",
        "requested_by": "ops.maker",
        "approved_by": "ops.checker",
        "approved_at": "2026-02-01T00:00:00Z",
    },
    "custodian_accounts": {
        "location": "dtc:0123",
        "effective_from": "2026-01-02",
        "custodian": "DTC",
        "account": "0123",
        "held_for": "both",
        "titling": "The firm",
        "statement_due": "08:00",
        "reference": "Agreement",
    },
    "positions": {
        "location": at(OMNIBUS),
        "asset_id": ETH,
        "quantity": "10",
        "as_of": "2026-02-01T00:00:00Z",
        "source": "custodian",
        "stated_by": "Example Custody",
        "statement_id": "ST-1",
    },
    "prices": {
        "asset_id": ETH,
        "currency": "USD",
        "price": "3120.55",
        "as_of": "2026-02-01T00:00:00Z",
        "source": "Example Prices",
    },
    "reserve_items": {
        "as_of": "2026-01-30",
        "computation": "customer",
        "item": "1",
        "side": "credit",
        "amount": "1250.05",
        "reference": "Trial balance",
    },
    "reserve_accounts": {
        "account_id": "SRA-1",
        "effective_from": "2026-01-02",
        "computation": "customer",
        "bank_id": "BANK-1",
        "bank_affiliated": "no",
        "equity_capital": "500000.00",
        "call_report_on": "2025-12-31",
        "notified_on": "2025-11-03",
        "no_lien_contract_on": "2025-11-03",
    },
    "reserve_holdings": {
        "account_id": "SRA-0",
        "as_of": "2026-01-30",
        "holding": "cash",
        "kind": "cash",
        "market_value": "600.00",
        "statement_id": "ST-7",
    },
    "firm_capital": {
        "as_of": "2026-01-30",
        "method": "alternative",
        "net_capital": "900.00",
        "tentative_net_capital": "1100.00",
        "aggregate_indebtedness": "400.00",
        "reference": "Net capital",
    },
    "focus_history": {
        "month_end": "2025-12-31",
        "customer_credits": "1300.00",
        "pab_credits": "0.00",
        "filed_on": "2026-01-26",
        "reference": "FOCUS",
    },
    "reserve_notices": {"kind": "voluntary_daily", "given_on": "2026-01-15", "reference": "Letter 7"},
    "reserve_sweeps": {
        "as_of": "2026-01-29",
        "swept_on": "2026-01-30",
        "amount": "100.00",
        "reference": "Sweep",
    },
    "bank_movements": {
        "account_id": "SRA-0",
        "bank_reference": "BNK-1",
        "value_on": "2026-01-30",
        "direction": "deposit",
        "amount": "100.00",
    },
    "accounts": {
        "as_of": "2026-01-30",
        "account_id": "A-1",
        "client_id": "C-1",
        "holder_class": "customer",
        "account_type": "cash",
        "credit_balance": "1250.05",
        "debit_balance": "0.00",
    },
    "stock_record": {
        "as_of": "2026-01-30",
        "line_id": "L-1",
        "security_id": AAPL,
        "place": "account",
        "side": "long",
        "quantity": "10",
        "price": "230.10",
        "account_id": "A-0",
    },
    "account_relations": {"account_id": "A-0", "effective_from": "2026-01-02", "lending_consent_on": "2026-01-02"},
    "securities": {
        "security_id": AAPL,
        "effective_from": "2026-01-02",
        "exempted": "no",
        "reference": "Memo",
    },
    "control_locations": {
        "location": "dtc:0123",
        "effective_from": "2026-01-02",
        "paragraph": "c1",
        "evidence_on": "2026-01-02",
        "reference": "Agreement",
    },
    "clearing_agencies": {"agency": "OCC", "effective_from": "2026-01-02", "agency_kind": "options"},
    "liens": {
        "as_of": "2026-01-30",
        "lien_id": "LOAN-1",
        "lender": "Example Bank",
        "kind": "customers",
        "amount": "15000.00",
    },
    "clearing_margin": {
        "as_of": "2026-01-30",
        "margin_id": "M-1",
        "computation": "customer",
        "agency_kind": "options",
        "agency": "OCC-0",
        "required": "5000.00",
        "on_deposit": "5000.00",
        "held_as": "cash",
    },
    "other_amounts": {
        "as_of": "2026-01-30",
        "amount_id": "X-1",
        "computation": "customer",
        "nature": "draft",
        "amount": "250.00",
        "reference": "Drafts",
    },
    "pab_reliefs": {
        "relief_id": "R-1",
        "kind": "sweep",
        "account_id": "A-0",
        "amount": "400.00",
        "on": "2026-01-30",
        "free_of_lien": "yes",
    },
    "trades": {
        "trade_id": "T-1",
        "account_id": "A-0",
        "side": "buy",
        "asset_id": AAPL,
        "quantity": "5",
        "contract_amount": "1150.50",
        "price": "230.10",
        "trade_date": "2026-01-29",
        "settlement_date": "2026-01-30",
        "rail": "dtc",
    },
    "books_close": {
        "as_of": "2026-01-30",
        "file": "accounts",
        "rows": "1",
        "total": "1250.05",
        "reference": "Close",
    },
}
"""One good row of each file, by column; what is left out is empty."""

BASE: Final[dict[str, tuple[dict[str, str], ...]]] = {
    "clients": ({}, {"client_id": "C-2", "name": "Client Two"}, {"client_id": "FIRM", "name": "The firm"}),
    "assets": (
        {},
        {"asset_id": USDC, "symbol": "USDC", "decimals": "6", "dust_limit": "1"},
        {"asset_id": AAPL, "symbol": "AAPL", "decimals": "0", "legal_class": "security", "dust_limit": ""},
        {"asset_id": USD, "symbol": "USD", "decimals": "2", "legal_class": "undetermined", "dust_limit": ""},
        {"asset_id": ETH_OPTIMISM, "symbol": "ETH"},
    ),
    "wallets": (
        {"gas_float_limit": "0.5"},
        {"address": SEGREGATED, "structure": "fully_segregated"},
        {"address": POOLED},
        {"chain_id": BITCOIN, "address": FIRST_OF_DESCRIPTOR},
    ),
    "pools": ({},),
    "reserve_accounts": ({"account_id": "SRA-0"},),
    "accounts": ({"account_id": "A-0"},),
    "clearing_agencies": ({"agency": "OCC-0"},),
}


def row_text(table: str, **changes: str) -> dict[str, str]:
    """A good row with some columns changed."""
    return {**dict.fromkeys(table_named(table).column_names, ""), **DEFAULTS[table], **changes}


def csv_text(table: str, rows: tuple[dict[str, str], ...]) -> str:
    """A file with all columns of a table; each row is the good row with some columns changed."""
    names = table_named(table).column_names
    lines = [",".join(names)]
    for changes in rows:
        row = row_text(table, **changes)
        lines.append(",".join(_quote(row[name]) for name in names))
    return "".join(line + "\n" for line in lines)


def _quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def plugins(chain_id: ChainId) -> ChainPlugin:
    """The real adapters of EVM and Bitcoin chains, none for others."""
    if chain_id.startswith("bip122:"):
        return bitcoin_plugin
    if not chain_id.startswith("eip155:"):
        raise UnknownChain(f"no adapter reads {chain_id}")
    return chain_plugin


class Desk:
    """Writes files into its own folder, imports them, and keeps what was imported."""

    def __init__(self, folder: Path, options: ImportOptions | None = None, *, empty: bool = False) -> None:
        self.folder = folder
        self.options = options or ImportOptions(now=NOW)
        self.book = MemoryBook()
        if not empty:
            self.take(**BASE)

    def write(self, **tables: tuple[dict[str, str], ...] | str | bytes) -> list[Path]:
        """Write files; rows are changes to the good row, text and bytes are the whole file."""
        paths = []
        for table, content in tables.items():
            path = self.folder / f"{table}.csv"
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_bytes((content if isinstance(content, str) else csv_text(table, content)).encode())
            paths.append(path)
        return paths

    def give(self, **tables: tuple[dict[str, str], ...] | str | bytes) -> ImportResult:
        """Import files and store nothing."""
        return read_files(self.write(**tables), self.book, self.options, plugins)

    def take(self, **tables: tuple[dict[str, str], ...] | str | bytes) -> ImportResult:
        """Import files that are good, and keep them."""
        result = self.give(**tables)
        assert result.ok, [str(problem) for problem in result.problems]
        self.keep(result)
        return result

    def keep(self, result: ImportResult) -> None:
        """Store what an import gave."""
        assert result.ok
        self.book.apply(result.records, [file.digest for file in result.files], result.packs)

    def post(self, table: str, **changes: str) -> ImportResult:
        """Post one good row with some columns changed, and store nothing."""
        values = {column: text for column, text in row_text(table, **changes).items() if text}
        return post_row(table, values, self.book, self.options, plugins)

    def refused(self, **tables: tuple[dict[str, str], ...] | str | bytes) -> tuple[Problem, ...]:
        """The problems of an import that must have some, and must give nothing to store."""
        result = self.give(**tables)
        assert result.problems
        assert result.records == ()
        assert not result.ok
        return result.problems


def only(problems: tuple[Problem, ...]) -> Problem:
    """The one problem there is."""
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]
