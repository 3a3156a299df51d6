"""Imports in the store: whole or not at all, once, and every past state of the mapping and the book answerable."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chains.types import UINT256_MAX, AssetId, LocationId, account_location
from mapping.known import KnownBook, MemoryBook
from mapping.reserve_types import (
    CapitalMethod,
    FirmCapital,
    FocusMonthEnd,
    HoldingKind,
    NoticeKind,
    ReserveBankAccount,
    ReserveClass,
    ReserveHolding,
    ReserveItem,
    ReserveNotice,
)
from mapping.tables import TABLES
from mapping.types import (
    AccountClass,
    AssetRecord,
    Client,
    CustodianAddress,
    DescriptorRole,
    LegalClass,
    Price,
    Problem,
    Record,
    WalletDescriptor,
)
from tests.verifier.store.story import (
    BOOKS,
    CHAIN,
    ETH,
    MAPPING,
    MORNING,
    NOON,
    USDX,
    A,
    B,
    allocation,
    authorization,
    everything,
    import_story,
    imported,
    later,
    movement,
    wallet,
)
from verifier.errors import StoreError
from verifier.journal import verify_journal
from verifier.store import Store, mapping_store

EVER = NOON + timedelta(days=365)


@pytest.mark.fault("B13")
def test_the_same_file_twice_is_a_no_op(store: Store) -> None:
    import_story(store)
    before = everything(store)
    again = store.apply_import(imported(("mapping", MAPPING), ("books", BOOKS)), "ops.maker", later(9))
    assert (again.files, again.records, again.entries) == (0, 0, 0)
    assert everything(store) == before
    assert [name for name, *_ in store.imported_files()] == ["mapping", "books"]


def test_nothing_of_an_import_with_problems_is_stored(store: Store) -> None:
    before = everything(store)
    bad = imported(("mapping", MAPPING), problems=[Problem("mapping", 3, "name", "", "a value is required")])
    with pytest.raises(StoreError, match="1 problems"):
        store.apply_import(bad, "ops.maker", later(0))
    assert everything(store) == before


def test_an_import_that_fails_in_the_middle_leaves_nothing(store: Store) -> None:
    """I7: the second authorization of one id is refused by the database, after much was written."""
    before = everything(store)
    twice = [*MAPPING, MAPPING[9]]
    with pytest.raises(StoreError):
        store.apply_import(imported(("mapping", twice)), "ops.maker", later(0))
    assert everything(store) == before
    assert store.apply_import(imported(("mapping", MAPPING)), "ops.maker", later(0)).records == len(MAPPING)


def test_every_record_comes_back_as_it_was(store: Store) -> None:
    price = Price(ETH.asset_id, "USD", Decimal("3120.5500"), MORNING, "Example Prices")
    import_story(store)
    store.apply_import(imported(("prices", [price])), "ops.maker", later(2))
    found: list[Record] = [
        *store.clients(EVER),
        *store.assets(None, EVER),
        *store.wallets(CHAIN, EVER),
        *store.pool_members(CHAIN, EVER),
        *store.firm_addresses(CHAIN, EVER),
        *store.custodian_addresses(CHAIN, EVER),
        *store.authorizations(CHAIN, EVER),
        *store.positions(EVER),
        *store.prices(EVER),
    ]
    assert sorted(map(repr, found)) == sorted(map(repr, [*MAPPING, price]))
    assert store.prices(EVER)[0].price.as_tuple() == price.price.as_tuple()


@pytest.mark.fault("F1")
def test_the_database_refuses_an_approval_by_its_maker(store: Store) -> None:
    """Whatever wrote the record: the checks before it are passed by here."""
    approval = authorization("W-9")
    object.__setattr__(approval, "approved_by", approval.requested_by)
    before = everything(store)
    with pytest.raises(StoreError, match="maker_is_not_checker"):
        store.apply_import(imported(("approvals", [approval])), "ops.maker", later(0))
    assert everything(store) == before
    store.apply_import(imported(("approvals", [authorization("W-9")])), "ops.maker", later(0))
    assert [each.authorization_id for each in store.authorizations(CHAIN, EVER)] == ["W-9"]


def test_a_newer_record_supersedes_and_the_older_stays_answerable(store: Store) -> None:
    import_story(store)
    closed = wallet(A, closed_on=date(2026, 3, 1))
    store.apply_import(imported(("wallets again", [closed])), "ops.maker", later(5))
    assert store.wallets(CHAIN, later(4)) == [wallet(A), wallet(B)]
    assert store.wallets(CHAIN, later(5)) == [closed, wallet(B)]
    assert store.wallets(CHAIN, later(-1)) == []
    assert len(everything(store)["wallet"]) == 3


def test_the_legal_class_in_force_is_given(store: Store) -> None:
    import_story(store)
    future = AssetRecord(ETH, LegalClass.UNDETERMINED, date(2026, 3, 3), "memo 3", 10**15)
    store.apply_import(imported(("assets again", [future])), "ops.maker", later(5))
    assert [each.legal_class for each in store.assets(CHAIN, later(5)) if each.asset == ETH] == [
        LegalClass.NON_SECURITY_CRYPTO
    ]
    assert [each.legal_class for each in store.assets(CHAIN, later(24 * 60)) if each.asset == ETH] == [
        LegalClass.UNDETERMINED
    ]
    assert len(store.asset_history(EVER)) == 3


def test_only_the_newest_inventory_of_a_custodian_counts(store: Store) -> None:
    import_story(store)
    newer = [CustodianAddress("Example Custody", CHAIN, B, "vault-2", NOON)]
    store.apply_import(imported(("inventory", newer)), "ops.maker", later(5))
    assert store.custodian_addresses(CHAIN, EVER) == newer
    assert [line.address for line in store.custodian_addresses(CHAIN, EVER, as_of=MORNING)] == [A]
    assert [line.address for line in store.custodian_addresses(CHAIN, later(4))] == [A]


def test_who_owned_what_as_of_one_time_as_known_at_another(store: Store) -> None:
    import_story(store)
    back_dated = movement("E-1", "C-1", A, USDX, -400, MORNING + timedelta(hours=1))
    store.apply_import(imported(("entries", [back_dated])), "ops.maker", later(30))
    place = account_location(CHAIN, A)

    def owned(as_of_hours: int, known_minutes: int) -> dict[str, int]:
        figures = store.allocations(CHAIN, MORNING + timedelta(hours=as_of_hours), later(known_minutes))
        return {key.client_id: units for key, units in figures.items() if key.location_id == place}

    assert owned(0, 29) == {"C-1": 1000, "C-2": 500}
    assert owned(0, 30) == {"C-1": 1000, "C-2": 500}
    assert owned(1, 29) == {"C-1": 1000, "C-2": 500}
    assert owned(1, 30) == {"C-1": 600, "C-2": 500}
    assert owned(-1, 30) == {}
    for known_at in (later(29), later(30)):
        book = store.book(CHAIN, known_at)
        assert book.allocations(NOON, known_at) == store.allocations(CHAIN, NOON, known_at)


def test_a_snapshot_brings_the_book_to_its_figures(store: Store) -> None:
    import_story(store)
    moved = movement("E-1", "C-1", A, USDX, 250, NOON)
    restated = [
        allocation("C-1", A, USDX, 0, NOON + timedelta(hours=1)),
        allocation("C-2", A, USDX, UINT256_MAX, NOON + timedelta(hours=1)),
    ]
    store.apply_import(imported(("moved", [moved]), ("restated", restated)), "ops.maker", later(90))
    figures = store.allocations(CHAIN, NOON + timedelta(hours=1), EVER)
    of_usdx = {key.client_id: units for key, units in figures.items() if key.asset_id == USDX.asset_id}
    assert of_usdx == {"C-2": UINT256_MAX}
    assert verify_journal(store).ok


@pytest.mark.parametrize(("few", "by_location"), [(2, True), (1, False)])
def test_few_stated_figures_are_looked_up_by_their_places(
    store: Store, monkeypatch: pytest.MonkeyPatch, few: int, by_location: bool
) -> None:
    import_story(store)
    before = store.allocations(CHAIN, EVER, EVER)
    monkeypatch.setattr(mapping_store, "FEW_LOCATIONS", few)
    at = NOON + timedelta(hours=1)
    restated = [allocation("C-1", A, USDX, 7, at), allocation("C-2", B, USDX, 8, at)]
    asked: list[str] = []
    sa.event.listen(store._engine, "before_cursor_execute", lambda *given: asked.append(str(given[2])))
    store.apply_import(imported(("restated", restated)), "ops.maker", later(90))
    summed = [each for each in asked if "FROM ledger_entry" in each and "effective_at" in each.partition("WHERE")[2]]
    assert summed
    assert all(("location_key IN" in each) is by_location for each in summed)
    figures = store.allocations(CHAIN, EVER, EVER)
    stated = {(each.client_id, each.location_id): each.base_units for each in restated}
    told = {(key.client_id, key.location_id): units for key, units in figures.items() if key.asset_id == USDX.asset_id}
    assert {place: told[place] for place in stated} == stated
    assert {key: units for key, units in figures.items() if key.asset_id != USDX.asset_id} == {
        key: units for key, units in before.items() if key.asset_id != USDX.asset_id
    }


def test_another_chains_assets_are_left_out(store: Store) -> None:
    import_story(store)
    other: list[Record] = [
        AssetRecord(
            replace(ETH, asset_id=AssetId("eip155:1/slip44:60")),
            LegalClass.NON_SECURITY_CRYPTO,
            date(2026, 1, 1),
            "memo 1",
        ),
        replace(
            movement("E-9", "C-1", A, ETH, 5, MORNING),
            location_id=LocationId("eip155:1:0x" + "a" * 40),
            asset_id=AssetId("eip155:1/slip44:60"),
        ),
    ]
    store.apply_import(imported(("other", other)), "ops.maker", later(5))
    assert {key.asset_id for key in store.allocations(CHAIN, EVER, EVER)} == {ETH.asset_id, USDX.asset_id}
    assert len(store.allocations(None, EVER, EVER)) == 4
    assert [each.asset.asset_id for each in store.assets(CHAIN, EVER)] == sorted([ETH.asset_id, USDX.asset_id])


def _answers(known: KnownBook) -> dict[str, object]:
    """Everything the importer may ask about the story."""
    places = {(account_location(CHAIN, address), asset.asset_id) for address in (A, B) for asset in (ETH, USDX)}
    records = {}
    for table in TABLES:
        if table.name == "allocations":
            continue
        keys = {table.key(record) for record in (*MAPPING, *EXTRA) if isinstance(record, table.record_type)}
        keys.add(tuple("absent" for _ in table.key_columns))
        records[table.name] = dict(known.records(table.name, keys))
    return {
        "records": records,
        "assets": dict(known.assets()),
        "pools": list(known.pool_members()),
        "reserve accounts": list(known.reserve_accounts()),
        "snapshots": {
            place: (state.as_of, dict(state.figures)) for place, state in known.latest_snapshots(places).items()
        },
        "entries": sorted(known.entries_at({location for location, _ in places}), key=lambda entry: entry.entry_id),
        "statements": {
            key: list(rows) for key, rows in known.statements({("Example Custody", "ST-1"), ("x", "y")}).items()
        },
    }


EXTRA: list[Record] = [
    Client("C-1", "Alpha Renamed", date(2026, 1, 1)),
    movement("E-1", "C-1", A, USDX, 250, NOON),
    ReserveItem(date(2026, 1, 30), ReserveClass.PAB, 1, 500, "Trial balance"),
    ReserveItem(date(2026, 1, 30), ReserveClass.PAB, 1, 501, "Trial balance, corrected"),
    ReserveBankAccount("SRA-1", date(2026, 1, 2), ReserveClass.PAB, "BANK-1", False, None, None, None, None),
    ReserveHolding("SRA-1", date(2026, 1, 30), "cash", HoldingKind.CASH, 7, None, "ST-1"),
    ReserveHolding("SRA-1", date(2026, 1, 30), "T-1", HoldingKind.US_TREASURY, None, None, "ST-1"),
    FirmCapital(date(2026, 1, 30), CapitalMethod.BASIC, 5, 6, 7, "Net capital"),
    FocusMonthEnd(date(2025, 12, 31), 1, 2, date(2026, 1, 26), "FOCUS"),
    ReserveNotice(NoticeKind.WEEKLY_AGAIN, date(2026, 1, 15), "Letter"),
    WalletDescriptor(CHAIN, A, "wpkh(xpub/*)#00000000", DescriptorRole.EXTERNAL, None, look_ahead=20, derived=20),
    WalletDescriptor(CHAIN, A, "wpkh(xpub/*)#00000000", DescriptorRole.EXTERNAL, None, look_ahead=20, derived=31),
    WalletDescriptor(CHAIN, B, "tr(xpub/*)#00000000", DescriptorRole.CHANGE, 880_000, look_ahead=1, derived=5),
]


def test_the_importer_gets_the_same_answers_as_from_memory(store: Store) -> None:
    memory = MemoryBook()
    restated = [
        allocation("C-1", A, USDX, 7, NOON + timedelta(hours=1)),
        allocation("C-2", A, USDX, 0, NOON + timedelta(hours=1)),
    ]
    for name, records in (("mapping", MAPPING), ("books", BOOKS), ("extra", EXTRA), ("restated", restated)):
        result = imported((name, list(records)))
        with store.known() as known:
            assert not known.file_imported(result.files[0].digest)
        store.apply_import(result, "ops.maker", later(1))
        memory.apply(result.records, [each.digest for each in result.files])
        with store.known() as known:
            assert known.file_imported(result.files[0].digest)
            assert _answers(known) == _answers(memory)


def test_how_far_a_descriptor_was_watched_is_told_of_any_moment(store: Store) -> None:
    rows = [each for each in EXTRA if isinstance(each, WalletDescriptor)]
    for number, row in enumerate(rows, 1):
        store.apply_import(imported((f"row {number}", [row])), "ops.maker", later(number))
    assert store.wallet_descriptors(None, later(0)) == []
    assert [each.derived for each in store.wallet_descriptors(CHAIN, later(1))] == [20]
    assert [each.derived for each in store.wallet_descriptors(CHAIN, later(2))] == [31]
    assert store.wallet_descriptors(None, EVER) == rows[1:]
    assert verify_journal(store).ok


@pytest.mark.fault("C12")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(units=st.lists(st.integers(-UINT256_MAX // 4, UINT256_MAX // 4).filter(bool), min_size=1, max_size=4))
def test_sums_are_exact_at_any_size(store: Store, units: list[int]) -> None:
    """I3: the sum of the entries is the claim, to the base unit."""
    client = f"C-{len(store.entries(None, EVER))}"
    entries = [movement(f"{client}-{number}", client, A, ETH, change, MORNING) for number, change in enumerate(units)]
    store.apply_import(imported((client, entries)), "ops.maker", later(1))
    figures = store.allocations(CHAIN, EVER, EVER)
    found = {key.client_id: value for key, value in figures.items() if key.account_class is AccountClass.CUSTOMER}
    assert found.get(client, 0) == sum(units)
