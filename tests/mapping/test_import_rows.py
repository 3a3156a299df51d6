"""Rows against each other and against what is recorded: names that must exist, rows that come twice, addresses."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

import pytest

from mapping.importer import ImportOptions
from mapping.types import Client, TransferAuthorization, Wallet
from tests.mapping.desk import (
    ELSEWHERE,
    ETH_OPTIMISM,
    NOW,
    OMNIBUS,
    POOLED,
    SEGREGATED,
    USDC,
    Desk,
    at,
    only,
)


@pytest.mark.fault("B5", "G3")
def test_the_same_row_twice_is_a_problem_and_not_added_up(desk: Desk) -> None:
    problem = only(desk.refused(allocations=({}, {})))
    assert (problem.line, problem.column) == (3, "client_id")
    assert "the same row is on line 2" in problem.reason
    assert desk.give(allocations=({}, {"client_id": "C-2"})).ok


@pytest.mark.fault("B5")
def test_two_rows_that_contradict_each_other_name_both_lines(desk: Desk) -> None:
    problem = only(desk.refused(allocations=({"quantity": "10"}, {"client_id": "C-2"}, {"quantity": "11"})))
    assert problem.line == 4
    assert "contradicts line 2" in problem.reason


@pytest.mark.fault("B5", "B10", "G3")
@pytest.mark.parametrize(
    ("table", "other"),
    [
        ("clients", {"name": "Somebody else"}),
        ("wallets", {"address": ELSEWHERE, "titling": "Other"}),
        ("pools", {"pool_id": "P-2", "address": OMNIBUS, "to_date": "2027-01-01"}),
        ("firm_addresses", {"label": "Other"}),
        ("custodian_addresses", {"mpc_vault": "vault-2"}),
        ("ledger_entries", {"quantity": "2"}),
        ("authorizations", {"quantity_max": "2"}),
        ("positions", {"quantity": "2"}),
        ("prices", {"price": "2"}),
    ],
)
def test_every_file_refuses_a_key_twice(desk: Desk, table: str, other: dict[str, str]) -> None:
    first = {name: text for name, text in other.items() if name in ("address", "pool_id")}
    for second, words in ((first, "the same row"), (other, "contradicts line 2")):
        problems = desk.refused(**{table: (first, second)})
        assert any(problem.line == 3 and words in problem.reason for problem in problems), second
    assert desk.give(**{table: (first,)}).ok


@pytest.mark.fault("B10")
def test_one_address_is_one_wallet_on_a_chain_and_another_on_the_next(desk: Desk) -> None:
    problem = only(desk.refused(wallets=({"address": ELSEWHERE}, {"address": ELSEWHERE, "mpc_vault": "v2"})))
    assert (problem.line, problem.column) == (3, "chain_id")
    result = desk.take(wallets=({"address": ELSEWHERE}, {"address": ELSEWHERE, "chain_id": "eip155:10"}))
    assert len({row.record.location_id for row in result.records if isinstance(row.record, Wallet)}) == 2


@pytest.mark.fault("B4")
def test_names_that_look_alike_are_noted(desk: Desk) -> None:
    name = "Zoë Trust"
    result = desk.take(
        clients=(
            {"client_id": "C-7", "name": unicodedata.normalize("NFC", name)},
            {"client_id": "C-8", "name": unicodedata.normalize("NFD", name)},
        )
    )
    assert [notice.line for notice in result.notices] == [3]
    assert "C-7 and C-8 have the same name" in result.notices[0].text
    again = desk.give(clients=({"client_id": "C-7", "name": unicodedata.normalize("NFD", name)},))
    assert (again.unchanged, again.records) == (1, ())
    assert not desk.give(clients=({"client_id": "C-9", "name": "Zoe Trust"},)).notices


@pytest.mark.fault("B8", "G1")
@pytest.mark.parametrize(
    "address",
    [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",  # the case of the last letter is wrong
        OMNIBUS.lower(),
        "0x" + OMNIBUS[2:].upper(),
        "0X" + OMNIBUS[2:],
        OMNIBUS[2:],
        OMNIBUS[:-1],
        OMNIBUS + "0",
        "0x" + "0" * 40,
        "vitalik.eth",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        " " + OMNIBUS,
        "0x" + "g" * 40,
        "x" * 2000,
    ],
)
@pytest.mark.parametrize(
    ("table", "column"),
    [("wallets", "address"), ("firm_addresses", "address"), ("authorizations", "destination")],
)
def test_addresses_are_read_strictly(desk: Desk, table: str, column: str, address: str) -> None:
    problem = only(desk.refused(**{table: ({column: address},)}))
    assert problem.column == column
    assert len(str(problem)) < 400


@pytest.mark.fault("B8")
def test_an_address_without_checksum_is_accepted_only_when_asked_for_and_noted(desk: Desk) -> None:
    rows = ({"address": ELSEWHERE.lower()},)
    assert "checksum" in only(desk.refused(wallets=rows)).reason
    desk.options = ImportOptions(now=NOW, accept_unchecksummed=True)
    result = desk.give(wallets=rows)
    assert result.ok
    wallet = result.records[0].record
    assert isinstance(wallet, Wallet)
    assert wallet.address == ELSEWHERE
    assert [(notice.line, "recorded unchecked" in notice.text) for notice in result.notices] == [(2, True)]
    for wrong in (ELSEWHERE[:-1] + "B", "0x" + ELSEWHERE[2:].upper(), "0x" + "0" * 40):
        desk.refused(wallets=({"address": wrong},))


@pytest.mark.fault("B8", "B10")
def test_two_spellings_of_one_address_are_one_wallet(desk: Desk) -> None:
    desk.options = ImportOptions(now=NOW, accept_unchecksummed=True)
    problem = only(desk.refused(wallets=({"address": ELSEWHERE}, {"address": ELSEWHERE.lower()})))
    assert "the same row is on line 2" in problem.reason


@pytest.mark.fault("B9")
@pytest.mark.parametrize(
    ("table", "changes", "column", "words"),
    [
        ("allocations", {"client_id": "C-9"}, "client_id", "clients.csv"),
        ("ledger_entries", {"client_id": "C-9"}, "client_id", "clients.csv"),
        ("authorizations", {"client_id": "C-9"}, "client_id", "clients.csv"),
        ("allocations", {"client_id": "С-1"}, "client_id", "ASCII"),  # Cyrillic
        ("allocations", {"asset_id": "eip155:1/slip44:1"}, "asset_id", "assets.csv"),
        ("allocations", {"asset_id": USDC.lower()}, "asset_id", "checksum"),
        ("positions", {"asset_id": "cusip:594918104"}, "asset_id", "assets.csv"),
        ("prices", {"asset_id": "iso4217:EUR"}, "asset_id", "assets.csv"),
        ("allocations", {"location": at(ELSEWHERE)}, "location", "wallets.csv"),
        ("ledger_entries", {"location": at(ELSEWHERE)}, "location", "wallets.csv"),
        ("positions", {"location": at(ELSEWHERE)}, "location", "wallets.csv"),
        ("authorizations", {"wallet": ELSEWHERE, "destination": OMNIBUS}, "wallet", "wallets.csv"),
        ("pools", {"address": ELSEWHERE}, "address", "wallets.csv"),
        ("allocations", {"location": "pool:P-9"}, "location", "pools.csv"),
        ("allocations", {"location": "vault:1"}, "location", "a location is"),
        ("allocations", {"location": "cosmos:cosmoshub-4:1A"}, "location", "no adapter"),
        ("wallets", {"chain_id": "cosmos:cosmoshub-4"}, "chain_id", "no adapter"),
        ("wallets", {"chain_id": "ethereum"}, "chain_id", "CAIP-2"),
    ],
)
def test_what_a_row_names_must_exist(desk: Desk, table: str, changes: dict[str, str], column: str, words: str) -> None:
    problem = only(desk.refused(**{table: (changes,)}))
    assert (problem.line, problem.column) == (2, column)
    assert words in problem.reason


@pytest.mark.fault("B9")
def test_the_wallet_of_another_chain_is_another_wallet(desk: Desk) -> None:
    row = {"location": at(OMNIBUS, "eip155:10"), "asset_id": ETH_OPTIMISM}
    assert "wallet is not known" in only(desk.refused(allocations=(row,))).reason
    desk.take(wallets=({"chain_id": "eip155:10"},))
    assert desk.give(allocations=(row,)).ok


@pytest.mark.fault("B9")
def test_what_is_named_may_come_in_the_same_import(empty_desk: Desk) -> None:
    assert "clients.csv" in str(empty_desk.refused(assets=({},), wallets=({},), allocations=({},)))
    assert empty_desk.give(clients=({},), assets=({},), wallets=({},), allocations=({},)).ok


def test_a_file_with_bad_rows_does_not_make_others_look_wrong(empty_desk: Desk) -> None:
    problems = empty_desk.refused(clients=({"opened_on": "yesterday"},), assets=({},), wallets=({},), allocations=({},))
    assert [(problem.file, problem.column) for problem in problems] == [("clients.csv", "opened_on")]


@pytest.mark.fault("B2", "B6", "B7")
def test_all_problems_of_all_files_are_listed_at_once(desk: Desk) -> None:
    problems = desk.refused(
        clients=({"client_id": "C 3", "opened_on": "3/4/26"}, {"client_id": "C-4"}),
        allocations=(
            {"quantity": "1e3", "as_of": "2026-02-01"},
            {"client_id": "C-2", "quantity": "-5"},
            {"client_id": "C-2", "account_class": "pab", "quantity": "0.30000000000000004441"},
        ),
    )
    assert [(problem.file, problem.line, problem.column) for problem in problems] == [
        ("clients.csv", 2, "client_id"),
        ("clients.csv", 2, "opened_on"),
        ("allocations.csv", 2, "quantity"),
        ("allocations.csv", 2, "as_of"),
        ("allocations.csv", 3, "quantity"),
        ("allocations.csv", 4, "quantity"),
    ]
    assert problems[2].value == "1e3"
    assert all(problem.reason for problem in problems)


@pytest.mark.fault("B6")
def test_a_snapshot_states_zero_or_more_and_a_movement_has_a_sign(desk: Desk) -> None:
    assert "negative" in only(desk.refused(allocations=({"quantity": "-0.5"},))).reason
    assert "negative" in only(desk.refused(allocations=({"quantity": "-0"},))).reason
    assert desk.give(allocations=({"quantity": "0"},)).ok
    assert desk.give(ledger_entries=({"quantity": "-0.5"},)).ok


def test_a_row_recorded_in_the_same_words_is_unchanged(desk: Desk) -> None:
    result = desk.take(clients=({}, {"client_id": "C-3", "name": "Client Three"}))
    assert [row.record.client_id for row in result.records if isinstance(row.record, Client)] == ["C-3"]
    assert result.unchanged == 1
    assert not result.notices


def test_a_new_version_of_a_wallet_is_recorded_and_noted(desk: Desk) -> None:
    result = desk.take(wallets=({"gas_float_limit": "0.5", "closed_on": "2026-02-01"},))
    assert len(result.records) == 1
    assert "changed: closed_on" in result.notices[0].text


def test_the_decimals_of_an_asset_never_change(desk: Desk) -> None:
    problem = only(desk.refused(assets=({"decimals": "8", "legal_class_from": "2026-01-01"},)))
    assert (problem.column, "cannot change" in problem.reason) == ("decimals", True)
    result = desk.take(assets=({"legal_class": "security", "legal_class_from": "2026-01-01"},))
    assert len(result.records) == 1


@pytest.mark.fault("B13")
@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("ledger_entries", {"quantity": "-2"}),
        ("authorizations", {"quantity_max": "2"}),
        ("positions", {"quantity": "11"}),
        ("prices", {"price": "1"}),
        ("custodian_addresses", {"mpc_vault": "vault-9"}),
    ],
)
def test_what_was_recorded_under_an_id_is_never_changed(desk: Desk, table: str, change: dict[str, str]) -> None:
    desk.take(**{table: ({},)})
    assert "never changed" in only(desk.refused(**{table: (change,)})).reason
    again = desk.give(**{table: ({}, *_another(table))})
    assert (again.ok, again.unchanged) == (True, 1)


def _another(table: str) -> tuple[dict[str, str], ...]:
    """One more row, so that the file is another one; a statement is complete and gets none."""
    key = {
        "ledger_entries": {"entry_id": "E-2"},
        "authorizations": {"authorization_id": "A-2"},
        "prices": {"source": "Other"},
        "custodian_addresses": {"address": SEGREGATED},
        "positions": {"statement_id": "ST-2"},
    }
    return (key[table],)


@pytest.mark.fault("B13")
def test_a_statement_id_is_one_statement(desk: Desk) -> None:
    usdc = {"asset_id": USDC, "quantity": "5"}
    desk.take(positions=({}, usdc))
    fewer: tuple[dict[str, str], ...] = ({},)
    for rows in (fewer, ({}, usdc, {"location": "pool:P-1"})):
        assert "recorded with other rows" in only(desk.refused(positions=rows)).reason
    later = {"as_of": "2026-02-02T00:00:00Z"}
    problems = desk.refused(positions=({**later}, {**usdc, **later}))
    assert all(problem.column in ("as_of", "stated_by") for problem in problems)
    torn = only(desk.refused(positions=({"statement_id": "ST-5"}, {**usdc, **later, "statement_id": "ST-5"})))
    assert (torn.line, "one id is one statement" in torn.reason) == (3, True)
    assert desk.give(positions=({"statement_id": "ST-6"}, {**usdc, "statement_id": "ST-6"})).ok
    assert desk.give(positions=({"stated_by": "Another Custody"},)).ok


def test_maker_and_checker_are_two_people(desk: Desk) -> None:
    problem = only(desk.refused(authorizations=({"requested_by": "ops.checker"},)))
    assert problem.column == "approved_by"
    assert "lower-case" in only(desk.refused(authorizations=({"requested_by": "Ops.Checker"},))).reason
    approval = desk.give(authorizations=({},)).records[0].record
    assert isinstance(approval, TransferAuthorization)
    assert approval.requested_by != approval.approved_by


@pytest.mark.parametrize("table", ["allocations", "positions", "prices", "custodian_addresses"])
def test_nothing_is_stated_about_a_moment_to_come(desk: Desk, table: str) -> None:
    problem = only(desk.refused(**{table: ({"as_of": "2026-03-01T12:05:01Z"},)}))
    assert (problem.column, "has not come" in problem.reason) == ("as_of", True)
    assert desk.give(**{table: ({"as_of": "2026-03-01T12:05:00Z"},)}).ok
    desk.options = ImportOptions()
    assert desk.give(**{table: ({"as_of": "2062-02-01T00:00:00Z"},)}).ok


def test_a_client_wallet_is_never_a_firm_address(desk: Desk) -> None:
    assert "wallet that holds client assets" in only(desk.refused(firm_addresses=({"address": OMNIBUS},))).reason
    desk.take(firm_addresses=({},))
    assert "the firm's own" in only(desk.refused(wallets=({"address": ELSEWHERE},))).reason
    assert desk.give(wallets=({"address": ELSEWHERE, "chain_id": "eip155:10"},)).ok


def test_a_wallet_is_in_one_pool_at_a_time(desk: Desk) -> None:
    second = {"pool_id": "P-2", "from_date": "2026-01-01"}
    assert "is in pool P-1" in only(desk.refused(pools=(second,))).reason
    assert "is in pool P-1" in only(desk.refused(pools=({"from_date": "2026-01-01"},))).reason
    assert desk.give(pools=({"to_date": "2025-12-31"}, second)).ok
    assert not desk.give(pools=({"to_date": "2026-01-01"}, second)).ok


def test_only_open_omnibus_wallets_are_pooled(desk: Desk) -> None:
    row = {"pool_id": "P-2", "address": SEGREGATED}
    assert "fully segregated" in only(desk.refused(pools=(row,))).reason
    early = {"pool_id": "P-2", "address": OMNIBUS, "from_date": "2025-01-01"}
    assert "opened on 2025-01-02" in only(desk.refused(pools=(early,))).reason
    assert desk.give(pools=({**early, "from_date": "2025-01-02"},)).ok
    changed = {"address": POOLED, "structure": "fully_segregated"}
    assert "is in pool P-1" in only(desk.refused(wallets=(changed,))).reason
    assert desk.give(wallets=(changed,), pools=({"to_date": "2026-01-31"},)).ok


def test_a_firm_address_does_not_end_in_the_past(desk: Desk) -> None:
    desk.take(firm_addresses=({},))
    yesterday, today = (NOW.date() - timedelta(days=1)).isoformat(), NOW.date().isoformat()
    problem = only(desk.refused(firm_addresses=({"valid_until": yesterday},)))
    assert (problem.column, "would rewrite" in problem.reason) == ("valid_until", True)
    assert desk.give(firm_addresses=({"valid_until": today},)).ok
