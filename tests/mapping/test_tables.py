"""The declarations: templates that import, a dictionary that is up to date, and each table's own rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapping.books_rows import BULK_FORMS
from mapping.columns import OnChange
from mapping.dictionary import main, render
from mapping.errors import UnknownTable
from mapping.tables import BOOKS_TABLES, TABLES, table_named, table_of, template
from mapping.tables.descriptors import LOOK_AHEAD_USUAL
from mapping.tables.places import WALLETS
from mapping.types import AssetRecord, PositionSource, TransferAuthorization, Wallet
from tests.mapping.desk import (
    AAPL,
    ELSEWHERE,
    ETH,
    ETH_OPTIMISM,
    OMNIBUS,
    USD,
    USDC,
    Desk,
    at,
    only,
)

NOBODY = "0x" + "0" * 40
DICTIONARY = Path(__file__).resolve().parents[2] / "docs" / "data-dictionary.md"


def test_the_files_are_imported_in_an_order_in_which_names_come_first() -> None:
    assert [table.file_name for table in TABLES] == [
        "clients.csv",
        "assets.csv",
        "wallets.csv",
        "wallet_descriptors.csv",
        "pools.csv",
        "firm_addresses.csv",
        "custodian_addresses.csv",
        "allocations.csv",
        "ledger_entries.csv",
        "authorizations.csv",
        "accepted_control.csv",
        "token_layouts.csv",
        "custodian_accounts.csv",
        "positions.csv",
        "prices.csv",
        "reserve_items.csv",
        "reserve_accounts.csv",
        "reserve_holdings.csv",
        "firm_capital.csv",
        "focus_history.csv",
        "reserve_notices.csv",
        "bank_movements.csv",
        "reserve_sweeps.csv",
        "accounts.csv",
        "account_relations.csv",
        "securities.csv",
        "control_locations.csv",
        "clearing_agencies.csv",
        "liens.csv",
        "stock_record.csv",
        "clearing_margin.csv",
        "other_amounts.csv",
        "pab_reliefs.csv",
        "trades.csv",
        "books_close.csv",
    ]


def test_the_templates_of_all_files_import_together(empty_desk: Desk) -> None:
    result = empty_desk.take(**{table.name: template(table.file_name) for table in TABLES})
    derived = LOOK_AHEAD_USUAL - 1  # the addresses that follow from the descriptor, besides its first
    assert result.row_count == sum(len(table.examples) for table in TABLES) + derived
    packed = {pack.table: [BULK_FORMS[pack.table].record(row) for _, row in pack.rows()] for pack in result.packs}
    for table in TABLES:
        found = [row.record for row in result.records if isinstance(row.record, table.record_type)]
        found += packed.get(table.name, [])
        assert len({table.key(record) for record in found}) == len(table.examples) + derived * (table is WALLETS)
        assert all(len(table.key(record)) == len(table.key_columns) for record in found)
        assert all(table_of(record) is table for record in found)


def test_every_column_is_documented_and_shown_in_an_example_where_required() -> None:
    for table in TABLES:
        assert all(len(row) == len(table.columns) for row in table.examples)
        assert set(table.key_columns) <= set(table.column_names)
        for column in table.columns:
            assert column.meaning
            assert column.unit
            assert column.rule
        for name in table.required_columns:
            assert all(row[table.column_names.index(name)] for row in table.examples)


def test_the_data_dictionary_is_up_to_date(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert DICTIONARY.read_text(encoding="utf-8") == render()
    assert main(["--check", str(DICTIONARY)]) == 0
    stale = tmp_path / "data-dictionary.md"
    stale.write_text(render().replace("wallets", "purses"), encoding="utf-8")
    assert main(["--check", str(stale)]) == 1
    assert "out of date" in capsys.readouterr().err
    assert main([str(stale)]) == 0
    assert main(["--check", str(stale)]) == 0


def test_names_of_tables() -> None:
    assert table_named("clients.csv") is table_named("clients")
    with pytest.raises(UnknownTable, match=r"clients\.csv"):
        table_named("customers.csv")
    with pytest.raises(UnknownTable):
        template("../clients.csv")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_required_column_may_not_be_empty(desk: Desk, table: object) -> None:
    declared = next(each for each in TABLES if each is table)
    assert desk.post(declared.name, **_fresh(declared.name)).ok
    for column in declared.required_columns:
        problems = desk.post(declared.name, **{**_fresh(declared.name), column: ""}).problems
        assert [(problem.column, problem.reason) for problem in problems] == [(column, "a value is required")]


def _fresh(table: str) -> dict[str, str]:
    """Changes that make the good row a new one at a desk with the base tables."""
    return {
        "clients": {"client_id": "C-9"},
        "wallets": {"address": ELSEWHERE},
        "pools": {"pool_id": "P-2", "address": OMNIBUS},
    }.get(table, {})


@pytest.mark.parametrize(
    ("table", "changes", "column", "words"),
    [
        ("clients", {"closed_on": "2024-12-31"}, "closed_on", "before opened_on"),
        ("clients", {"opened_on": "3/4/26"}, "opened_on", "2026-01-31"),
        ("assets", {"decimals": "78"}, "decimals", "at most 77"),
        ("assets", {"legal_class": "commodity"}, "legal_class", "undetermined"),
        ("assets", {"dust_limit": "-1"}, "dust_limit", "negative"),
        ("assets", {"dust_limit": "0.0000000000000000001"}, "dust_limit", "19 decimals"),
        ("wallets", {"structure": "shared"}, "structure", "omnibus, fully_segregated"),
        ("wallets", {"threshold": "4"}, "threshold", "4 out of 3"),
        ("wallets", {"threshold": "0"}, "threshold", "0 out of 3"),
        ("wallets", {"share_holders": "firm:2;custodian:2"}, "share_holders", "4 shares together"),
        ("wallets", {"share_holders": "firm:1;custodian:2"}, "firm_alone_can_sign", "1 of the 2 shares"),
        ("wallets", {"firm_alone_can_sign": "no"}, "firm_alone_can_sign", "2 of the 2 shares"),
        ("wallets", {"others_can_sign_without_firm": "yes"}, "others_can_sign_without_firm", "1 of the 2"),
        (
            "wallets",
            {"share_holders": "firm:1;custodian:1;agent:1", "firm_alone_can_sign": "no"},
            "others_can_sign_without_firm",
            "2 of the 2",
        ),
        ("wallets", {"closed_on": "2024-01-01"}, "closed_on", "before opened_on"),
        ("wallets", {"gas_float_limit": "1e-3"}, "gas_float_limit", "plain decimal"),
        ("pools", {"to_date": "2024-01-01"}, "to_date", "before from_date"),
        ("pools", {"pool_id": "P/1"}, "pool_id", "location id"),
        ("firm_addresses", {"valid_until": "2024-01-01"}, "valid_until", "before valid_from"),
        ("custodian_addresses", {"as_of": "2026-02-01T00:00:00"}, "as_of", "zone"),
        ("allocations", {"account_class": "retail"}, "account_class", "customer, pab, proprietary"),
        ("allocations", {"kind": "gas"}, "kind", "gas_float"),
        ("allocations", {"kind": "gas_float"}, "account_class", "proprietary"),
        (
            "allocations",
            {"kind": "gas_float", "account_class": "proprietary", "asset_id": USDC},
            "asset_id",
            "own coin",
        ),
        ("ledger_entries", {"quantity": "0"}, "quantity", "moves nothing"),
        ("ledger_entries", {"kind": "snapshot"}, "kind", "allocations.csv"),
        ("ledger_entries", {"kind": "correction"}, "corrects", "names the entry_id"),
        ("ledger_entries", {"corrects": "E-0"}, "corrects", "corrects nothing"),
        ("ledger_entries", {"kind": "correction", "corrects": "E-1"}, "corrects", "itself"),
        ("ledger_entries", {"kind": "gas_float"}, "account_class", "proprietary"),
        (
            "ledger_entries",
            {"kind": "gas_float", "account_class": "proprietary", "asset_id": USDC},
            "asset_id",
            "own coin",
        ),
        ("authorizations", {"approved_by": "ops.maker"}, "approved_by", "cannot be the one who approves"),
        ("authorizations", {"valid_until": "2026-02-01T00:00:00Z"}, "valid_until", "not after"),
        ("authorizations", {"quantity_max": "0"}, "quantity_max", "positive"),
        ("authorizations", {"purpose": "gift"}, "purpose", "client_withdrawal"),
        ("authorizations", {"client_id": ""}, "client_id", "names the client"),
        ("authorizations", {"destination": OMNIBUS}, "destination", "itself"),
        ("authorizations", {"asset_id": ETH_OPTIMISM}, "asset_id", "not on chain eip155:1"),
        ("authorizations", {"asset_id": USDC, "destination": NOBODY}, "destination", "only a redemption"),
        ("authorizations", {"purpose": "redemption", "destination": NOBODY}, "destination", "would be lost"),
        ("wallets", {"address": NOBODY}, "address", "belongs to nobody"),
        ("positions", {"quantity": "-1"}, "quantity", "negative"),
        ("positions", {"source": "dtc"}, "source", "dtc:"),
        ("prices", {"price": "1,000.00"}, "price", "plain decimal"),
        ("prices", {"currency": "usd"}, "currency", "USD"),
    ],
)
def test_a_row_that_breaks_its_own_rules(
    desk: Desk, table: str, changes: dict[str, str], column: str, words: str
) -> None:
    fresh = _fresh(table)
    assert desk.post(table, **fresh).ok
    result = desk.post(table, **{**fresh, **changes})
    problem = only(result.problems)
    assert problem.column == column
    assert words in problem.reason
    assert result.records == ()


@pytest.mark.parametrize(
    ("threshold", "holders", "firm", "others"),
    [
        ("2", "firm:2;custodian:1", "yes", "no"),
        ("2", "firm:1;custodian:1;agent:1", "no", "yes"),
        ("3", "firm:1;custodian:1;agent:1", "no", "no"),
        ("1", "firm:1;custodian:1;agent:1", "yes", "yes"),
        ("2", "custodian:3", "no", "yes"),
        ("3", "firm:3", "yes", "no"),
    ],
)
def test_who_can_sign_follows_from_the_shares(desk: Desk, threshold: str, holders: str, firm: str, others: str) -> None:
    row = {"address": ELSEWHERE, "threshold": threshold, "share_holders": holders}
    good = desk.post("wallets", **row, firm_alone_can_sign=firm, others_can_sign_without_firm=others)
    assert good.ok
    wallet = good.records[0].record
    assert isinstance(wallet, Wallet)
    assert (wallet.firm_alone_can_sign, wallet.others_can_sign_without_firm) == (firm == "yes", others == "yes")
    turned = {"yes": "no", "no": "yes"}
    assert not desk.post("wallets", **row, firm_alone_can_sign=turned[firm], others_can_sign_without_firm=others).ok
    assert not desk.post("wallets", **row, firm_alone_can_sign=firm, others_can_sign_without_firm=turned[others]).ok


@pytest.mark.fault("B9", "B17")
@pytest.mark.parametrize(
    ("location", "asset_id", "words"),
    [
        (at(OMNIBUS), ETH_OPTIMISM, "not on the chain"),
        (at(OMNIBUS), AAPL, "not on the chain"),
        (at(OMNIBUS), USD, "not on the chain"),
        ("pool:P-1", AAPL, "not securities or cash"),
        ("pool:P-1", ETH_OPTIMISM, "no wallet of this pool"),
        ("dtc:0123", ETH, "cannot be at dtc:0123"),
        ("dtc:0123", USD, "DTC holds securities"),
        ("bank:reserve-1", ETH, "cannot be at bank:reserve-1"),
    ],
)
def test_an_asset_must_fit_its_location(desk: Desk, location: str, asset_id: str, words: str) -> None:
    result = desk.post("allocations", location=location, asset_id=asset_id, quantity="1")
    problem = only(result.problems)
    assert (problem.column, problem.value) == ("asset_id", asset_id)
    assert words in problem.reason


@pytest.mark.parametrize(
    ("location", "asset_id"),
    [
        (at(OMNIBUS), ETH),
        (at(OMNIBUS), USDC),
        ("pool:P-1", ETH),
        ("dtc:0123", AAPL),
        ("bank:reserve-1", USD),
        ("prime:broker-1", AAPL),
    ],
)
def test_assets_at_locations_where_they_can_be(desk: Desk, location: str, asset_id: str) -> None:
    assert desk.post("allocations", location=location, asset_id=asset_id, quantity="1").ok


@pytest.mark.fault("B7", "B17")
def test_the_check_digit_of_a_cusip(desk: Desk) -> None:
    apple = {"symbol": "AAPL", "decimals": "0", "dust_limit": ""}
    assert desk.post("assets", asset_id=AAPL, **apple, legal_class="security").ok
    problem = only(desk.post("assets", asset_id="cusip:037833101", **apple).problems)
    assert "check digit" in problem.reason
    lost_zero = only(desk.post("assets", asset_id="cusip:37833100", **apple).problems)
    assert "nine characters" in lost_zero.reason


@pytest.mark.fault("B17")
@pytest.mark.parametrize(
    ("source", "location", "asset_id", "good"),
    [
        (PositionSource.CUSTODIAN, at(OMNIBUS), ETH, True),
        (PositionSource.CUSTODIAN, "pool:P-1", ETH, True),
        (PositionSource.DTC, "dtc:0123", AAPL, True),
        (PositionSource.BANK, "bank:reserve-1", USD, True),
        (PositionSource.PRIME_BROKER, "prime:broker-1", AAPL, True),
        (PositionSource.CUSTODIAN, "dtc:0123", AAPL, False),
        (PositionSource.DTC, "bank:reserve-1", USD, False),
        (PositionSource.BANK, at(OMNIBUS), ETH, False),
        (PositionSource.PRIME_BROKER, "dtc:0123", AAPL, False),
    ],
)
def test_a_statement_speaks_of_its_partys_own_locations(
    desk: Desk, source: str, location: str, asset_id: str, good: bool
) -> None:
    result = desk.post("positions", source=source, location=location, asset_id=asset_id, quantity="5")
    assert result.ok is good
    if not good:
        assert only(result.problems).column == "source"


def test_limits_are_read_in_the_right_asset(desk: Desk) -> None:
    wallet = desk.post("wallets", address=ELSEWHERE, gas_float_limit="0.5").records[0].record
    assert isinstance(wallet, Wallet)
    assert wallet.gas_float_limit == 5 * 10**17
    asset = desk.post("assets", asset_id=USDC, symbol="USDC", decimals="6", dust_limit="0.5").records[0].record
    assert isinstance(asset, AssetRecord)
    assert asset.dust_limit == 500_000
    approval = desk.post("authorizations", asset_id=USDC, quantity_max="7", fee_max="0.01").records[0].record
    assert isinstance(approval, TransferAuthorization)
    assert (approval.base_units_max, approval.fee_max) == (7_000_000, 10**16)
    burnt = desk.post("authorizations", asset_id=USDC, purpose="redemption", destination=NOBODY).records[0].record
    assert isinstance(burnt, TransferAuthorization)
    assert burnt.destination == NOBODY
    unlimited = desk.post("authorizations", fee_max="").records[0].record
    assert isinstance(unlimited, TransferAuthorization)
    assert unlimited.fee_max is None


def test_a_fee_limit_needs_the_chains_own_coin(desk: Desk) -> None:
    wallet = {"chain_id": "eip155:42161"}
    assert desk.post("wallets", **wallet).ok
    problem = only(desk.post("wallets", **wallet, gas_float_limit="1").problems)
    assert (problem.column, "0 native assets" in problem.reason) == ("gas_float_limit", True)


def test_what_a_changed_record_means_is_declared() -> None:
    changing = {table.name for table in TABLES if table.on_change is OnChange.NEW_VERSION}
    places = {"clients", "assets", "wallets", "wallet_descriptors", "pools", "firm_addresses"}
    reserve = {"reserve_items", "reserve_accounts", "reserve_holdings", "firm_capital", "focus_history"}
    reserve |= {"bank_movements", "reserve_sweeps"} | {table.name for table in BOOKS_TABLES}
    assert changing == places | {"accepted_control", "token_layouts", "custodian_accounts"} | reserve
