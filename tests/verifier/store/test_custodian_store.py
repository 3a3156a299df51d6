"""Statements, messages and comparisons in the store: written once, read back by day and id, sealed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from chains.types import Address, ChainId, LocationId
from mapping.custodian_types import CustodianAccount, HeldFor
from mapping.types import (
    AccountClass,
    AssetRecord,
    Client,
    EntryKind,
    LedgerEntry,
    LegalClass,
    Position,
    PositionSource,
)
from tests.verifier.reserve.firm import say
from tests.verifier.securities.make import AAPL, AT, DAY, DTC
from tests.verifier.store.story import CHAIN, imported, wallet
from verifier.case_book import Sighting
from verifier.custodians.document import Holding, Part, Statement
from verifier.custodians.message import StatementFormat
from verifier.errors import InputError
from verifier.journal import verify_journal
from verifier.records import Finding, FindingKind, Rail
from verifier.store import Store

NOW = AT + timedelta(days=3)
MESSAGE = "{1:F01}\r\n:16R:GENL\r\n:35B:ISIN US0378331005\r\nÉ no FIN\r\n-}"
NAME = "dtc.fin"
DIGEST = NAME.encode().hex().ljust(64, "0")[:64]
STATEMENT = Statement(
    "DTC",
    "dtc:0123:2026-11-20:086",
    StatementFormat.MT535,
    AT,
    (DTC, LocationId("dtc:0123-seg")),
    (Holding(DTC, AAPL.asset_id, 2**130, 5, (Part("PLED", False, 3), Part("NOMI", None, 2))),),
    ((NAME, DIGEST, "P086-1"),),
)


def add(store: Store, statement: Statement = STATEMENT, name: str = NAME) -> None:
    known = date(2026, 1, 2)
    say(
        store,
        NOW,
        [
            AssetRecord(AAPL, LegalClass.SECURITY, known, "Memo"),
            CustodianAccount(DTC, known, "DTC", "0123", HeldFor.BOTH, "The firm", "USD", time(8), "Paper"),
        ],
    )
    position = Position(DTC, AAPL.asset_id, 2**130, statement.as_of, PositionSource.DTC, "DTC", statement.statement_id)
    result = imported((name, [position]))
    store.add_statements([statement], result, {result.files[0].digest: MESSAGE}, "operator", NOW)


def own(
    store: Store, entry_id: str, place: str, units: int, at: datetime = AT, kind: EntryKind = EntryKind.MOVEMENT
) -> None:
    """An entry of the one client, of shares that stand somewhere."""
    corrects = "E-1" if kind is EntryKind.CORRECTION else ""
    entry = LedgerEntry(
        entry_id, "C-1", AccountClass.CUSTOMER, LocationId(place), AAPL.asset_id, units, at, kind, corrects
    )
    say(store, NOW - timedelta(minutes=10 - int(entry_id[-1])), [Client("C-1", "Client", date(2026, 1, 2)), entry])


def test_what_the_books_own_outside_chains_is_the_sum_of_its_entries(store: Store) -> None:
    def owns(*prefixes: str, moment: datetime = AT) -> bool:
        return store.owns_anything_at(prefixes, moment, known(store))

    own(store, "E-1", "pool:dtc:1", 5)
    assert not owns("dtc", "bank", "prime")
    own(store, "E-2", "dtc:0123", 5)
    assert owns("dtc", "bank", "prime")
    assert not owns("bank", "prime")
    assert not owns("dtc", moment=AT - timedelta(seconds=1)), "not yet"
    assert not store.owns_anything_at(["dtc"], AT, NOW - timedelta(days=1)), "not known yet"
    own(store, "E-3", "dtc:0124", -5)
    assert owns("dtc"), "a surplus at one place is no lack at another"
    own(store, "E-4", "dtc:0123", -5)
    own(store, "E-5", "dtc:0124", 5)
    assert not owns("dtc", "bank", "prime")
    own(store, "E-6", "bank:1", 5)
    own(store, "E-7", "bank:1", -5, kind=EntryKind.CORRECTION)
    assert not owns("bank"), "put right by another kind of entry"


def test_wallets_are_counted_once_each_by_chain(store: Store) -> None:
    assert store.wallet_counts(NOW) == {}
    first, second = Address("0x" + "11" * 20), Address("0x" + "22" * 20)
    titling = "for customers"
    here = replace(wallet(first), chain_id=CHAIN)
    say(store, NOW - timedelta(hours=1), [here, replace(here, address=second)])
    say(store, NOW, [replace(here, titling=titling), replace(here, chain_id=ChainId("eip155:10"))])
    assert store.wallet_counts(NOW - timedelta(hours=1)) == {CHAIN: 2}
    assert store.wallet_counts(NOW) == {CHAIN: 2, "eip155:10": 1}


def known(store: Store) -> datetime:
    return store.book_time(NOW)


def test_a_statement_is_read_back_whole_with_its_message(store: Store) -> None:
    add(store)
    (found,) = store.custodian_statements(known(store))
    assert (found.statement, found.digest) == (STATEMENT, STATEMENT.digest)
    assert store.custodian_statement("DTC", STATEMENT.statement_id) == found
    assert store.custodian_statement("Somebody", STATEMENT.statement_id) is None
    assert store.custodian_messages([DIGEST]) == {DIGEST: MESSAGE}, "byte for byte, line ends too"
    (position,) = store.outside_positions(AT, AT + timedelta(seconds=1), known(store))
    assert (position.base_units, position.statement_id) == (2**130, STATEMENT.statement_id)
    assert store.outside_positions(AT - timedelta(days=1), AT, known(store)) == []
    assert store.custodian_statements(known(store), AT + timedelta(seconds=1)) == []
    assert store.custodian_statements(known(store), None, AT) == []
    (account,) = store.custodian_accounts(known(store))
    assert (account.statement_due, account.held_for) == (time(8), HeldFor.BOTH)
    assert verify_journal(store).ok


def test_a_statement_is_never_changed(store: Store) -> None:
    add(store)
    head = store.head()
    changed = replace(STATEMENT, holdings=())
    with pytest.raises(InputError, match="recorded already"):
        store.add_statements([changed], imported(("other.fin", [])), {}, "operator", NOW)
    assert store.head() == head
    with pytest.raises(InputError, match="nothing was stored"):
        store.add_statements([], replace(imported(), problems=(None,)), {}, "operator", NOW)  # type: ignore[arg-type]


def short(units: int) -> Sighting:
    finding = Finding(FindingKind.SHORTFALL, Rail.SECURITIES, DTC, AAPL, units, "", f"short by {-units}")
    return Sighting(finding, ((DTC, AAPL.asset_id),))


def run(store: Store, day: date, *sightings: Sighting) -> str:
    counts = (1, 0, 1, 0) if sightings else (1, 1, 0, 0)
    made, _ = store.add_securities_run(day, known(store), counts, b"{}", "ab" * 32, sightings, "operator", NOW)
    return made.run_id


def test_comparisons_count_and_their_cases_follow_the_newest_day(store: Store) -> None:
    assert run(store, DAY, short(-1)) == "SR-000001"
    (case,) = store.cases()
    assert (case.is_seen, case.finding.rail) == (True, Rail.SECURITIES)
    assert run(store, DAY - timedelta(days=1)) == "SR-000002"
    assert store.case(case.case_id).is_seen, "an earlier day says nothing of it"
    newest = store.newest_securities_run()
    assert newest is not None
    assert newest.run_id == "SR-000001"
    earlier = store.newest_securities_run(on_or_before=DAY - timedelta(days=1))
    assert earlier is not None
    assert earlier.run_id == "SR-000002"
    assert run(store, DAY) == "SR-000003"
    assert not store.case(case.case_id).is_seen
    assert store.securities_run("SR-000001").diverged == 1
    with pytest.raises(InputError, match="no comparison"):
        store.securities_run("SR-000009")
    assert [each.run_id for each in store.securities_runs()] == ["SR-000001", "SR-000002", "SR-000003"]
    assert verify_journal(store).ok


def test_cases_of_other_rails_are_left_alone(store: Store) -> None:
    cash = Finding(FindingKind.UNVERIFIED, Rail.CASH, LocationId("bank:reserve-pab"), None, None, "reserve", "no lines")
    store.see_reserve([Sighting(cash, ())], "operator", NOW)
    run(store, DAY, short(-1))
    run(store, DAY)
    assert {case.finding.rail: case.is_seen for case in store.cases()} == {Rail.CASH: True, Rail.SECURITIES: False}
