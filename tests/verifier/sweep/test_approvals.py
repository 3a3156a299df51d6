"""Approvals through whole sweeps: several at once, in parts, never executed, and what the firm sends in."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from chains.types import Address, AssetId, ChainId, utc_text
from tests.fakes.chain import FakeChain, Payment
from tests.fakes.reader import FakePlugin
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.desk import kinds
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import address
from verifier.approval_view import ApprovalRow, approval_rows
from verifier.journal import verify_journal
from verifier.records import FindingKind, MatchOutcome
from verifier.rules.execution import ApprovalState
from verifier.rules.status import FirmStatus
from verifier.store import Store

A, B, C, PAYEE, FIRM, SIBLING = (address(number) for number in range(1, 7))
BITCOIN = ChainId("bip122:0f9188f13cb7b2c71f2a335e3a4fc328")
FINAL = "confirmed(1)"
"""The newest block is final: these chains reorganise only where a test says so."""
S = ApprovalState


class PiecesPlugin(FakePlugin):
    """An adapter of a chain of outputs, as far as the importer asks one."""

    namespace = "bip122"

    def parse_address(self, chain_id: ChainId, text: str) -> Address:
        """Any spelling will do here."""
        return Address(text)

    def parse_asset_id(self, text: str) -> AssetId:
        """Any spelling will do here."""
        return AssetId(text)


@pytest.fixture
def desk(sqlite_store: Store, tmp_path: Path) -> MemoryDesk:
    """Two omnibus wallets, a thousand base units in the first, all of one client; swept once."""
    desk = MemoryDesk(sqlite_store, tmp_path)
    desk.use_finality(FINAL)
    desk.history_from = 1
    desk.chain.mint(A, desk.asset, 1_000)
    desk.open_books(A, B)
    desk.take(firm_addresses=[{"address": FIRM}])
    desk.allocate(A, C_1=1_000)
    assert desk.sweep().exit_code == 0
    return desk


def post(desk: MemoryDesk, base_units: int, wallet: str = A) -> None:
    """Let the sub-ledger know, so that the sums are right whatever the approvals say."""
    count = len(desk.store.entries(None, desk.now()))
    sign, quantity = ("-" if base_units < 0 else ""), desk.asset.format_quantity(abs(base_units))
    row = {"entry_id": f"E-{count}", "client_id": "C-1", "location": desk.at(wallet), "kind": "movement"}
    desk.take(ledger_entries=[row | {"quantity": sign + quantity, "effective_at": utc_text(desk.chain.head_time())}])


def pay(desk: MemoryDesk, base_units: int, receiver: str = PAYEE) -> None:
    desk.chain.pay(A, receiver, desk.asset, base_units)  # type: ignore[arg-type]
    post(desk, -base_units)


def approve(desk: MemoryDesk, name: str, base_units: int, *, minutes: int = 60, since: int = 0) -> None:
    """Valid from now on, or since some minutes ago."""
    head = desk.chain.head_time()
    begin, end = utc_text(head - timedelta(minutes=since)), utc_text(head + timedelta(minutes=minutes))
    desk.approve(name, A, PAYEE, base_units, valid_from=begin, valid_until=end, approved_at=begin)


def rows(desk: MemoryDesk) -> dict[str, ApprovalRow]:
    return {row.authorization.authorization_id: row for row in approval_rows(desk.store, desk.now())}


def states(desk: MemoryDesk) -> dict[str, tuple[ApprovalState, int]]:
    return {name: (row.state, row.used) for name, row in rows(desk).items()}


@pytest.mark.fault("A46")
def test_one_payment_of_two_approvals_and_the_rest_of_them_in_a_later_sweep(desk: MemoryDesk, tmp_path: Path) -> None:
    approve(desk, "A-1", 60)
    approve(desk, "A-2", 50)
    pay(desk, 100)
    assert desk.sweep().exit_code == 0
    (match,) = desk.store.matches(desk.chain_id)
    assert [(use.authorization_id, use.base_units) for use in match.uses] == [("A-1", 60), ("A-2", 40)]
    assert states(desk) == {"A-1": (S.USED, 60), "A-2": (S.PARTLY_USED, 40)}

    pay(desk, 11)
    assert desk.sweep().exit_code == 1, "only ten were left"
    pay(desk, 10)
    assert kinds(desk.sweep()) == {}
    assert states(desk)["A-2"] == (S.USED, 50)
    outcomes = [each.outcome for each in desk.store.matches(desk.chain_id)]
    assert outcomes == [MatchOutcome.MATCHED, MatchOutcome.OVER_AMOUNT, MatchOutcome.MATCHED]
    assert verify_journal(desk.store).ok

    issuer = Issuer.of(tmp_path, desk)
    report = issuer.verify(issuer.issue().path)
    assert report.exit_code == 0, refused(report)


@pytest.mark.fault("A31")
def test_a_payment_that_a_reorganisation_removed_gives_back_what_it_took(desk: MemoryDesk) -> None:
    desk.use_finality("latest")
    approve(desk, "A-1", 60)
    approve(desk, "A-2", 50)
    pay(desk, 100)
    desk.sweep()
    assert states(desk) == {"A-1": (S.USED, 60), "A-2": (S.PARTLY_USED, 40)}
    desk.chain.reorganise(1)
    desk.chain.mine()
    desk.sweep()
    assert states(desk) == {"A-1": (S.OPEN, 0), "A-2": (S.OPEN, 0)}
    assert [row.executions for row in rows(desk).values()] == [(), ()]


@pytest.mark.fault("A47")
def test_an_approval_that_nothing_executed_is_one_case_until_two_people_close_it(
    desk: MemoryDesk, tmp_path: Path
) -> None:
    approve(desk, "A-1", 100, minutes=2)
    approve(desk, "A-2", 100, minutes=2)
    approve(desk, "A-3", 100, minutes=600)
    pay(desk, 100)
    assert desk.sweep().exit_code == 0, "none has ended yet"
    desk.chain.mine(10)
    swept = desk.sweep()
    case = desk.only_case(FindingKind.APPROVED_NOT_EXECUTED)
    assert (case.finding.subject, case.finding.base_units) == ("A-2", 100)
    assert (swept.exit_code, swept.summary and swept.summary.diverged) == (2, 0), "no asset is missing"
    assert desk.status().statuses == (FirmStatus.UNVERIFIED,)
    desk.chain.mine()
    assert [seen.case_id for seen in desk.sweep().cases] == [case.case_id]
    issuer = Issuer.of(tmp_path, desk)
    written = issuer.issue()
    with zipfile.ZipFile(written.path) as file:
        exported = [json.loads(line) for line in file.read("records/authorizations.jsonl").splitlines()]
    assert [each["authorization_id"] for each in exported] == ["A-1", "A-2", "A-3"]
    assert {(each["requested_by"], each["approved_by"]) for each in exported} == {("ops.maker", "ops.checker")}
    report = issuer.verify(written.path)
    assert report.exit_code == 0, refused(report)
    desk.close(case)
    desk.chain.mine()
    assert (desk.sweep().exit_code, desk.open_cases()) == (0, []), "closed, it does not come back"
    assert states(desk) == {"A-1": (S.USED, 100), "A-2": (S.EXPIRED_UNUSED, 0), "A-3": (S.OPEN, 0)}


@pytest.mark.fault("A47")
def test_a_late_execution_is_expired_besides(desk: MemoryDesk) -> None:
    approve(desk, "A-1", 100, minutes=2)
    pay(desk, 60)
    desk.chain.mine(20)
    pay(desk, 40)
    assert kinds(desk.sweep()) == {FindingKind.APPROVED_NOT_EXECUTED: 1, FindingKind.UNAUTHORIZED_TRANSFER: 1}
    (missing,) = desk.open_cases(FindingKind.APPROVED_NOT_EXECUTED)
    assert missing.finding.base_units == 40
    assert "only 0.00006" in missing.finding.text
    assert states(desk) == {"A-1": (S.EXPIRED_PARTLY_USED, 60)}


def test_of_what_began_before_the_blocks_that_were_read_nothing_is_said(desk: MemoryDesk) -> None:
    approve(desk, "A-1", 100, minutes=1, since=60)
    desk.chain.mine(20)
    swept = desk.sweep()
    assert (swept.exit_code, kinds(swept)) == (0, {})
    assert states(desk) == {"A-1": (S.NOT_KNOWN, 0)}


def test_a_wallet_that_became_known_late_is_read_again_before_anything_is_said(desk: MemoryDesk) -> None:
    """Its blocks are read again by the sweep that learns of it, so that what executed the approval is known."""
    desk.chain.mint(C, desk.asset, 100)
    head = desk.chain.head_time()
    begin, end = utc_text(head), utc_text(head + timedelta(minutes=2))
    desk.chain.pay(C, PAYEE, desk.asset, 100)
    desk.chain.mine(20)
    desk.sweep()
    desk.take(wallets=[{"address": C}])
    desk.approve("A-1", C, PAYEE, 100, valid_from=begin, valid_until=end, approved_at=begin)
    desk.chain.mine()
    assert FindingKind.APPROVED_NOT_EXECUTED not in kinds(desk.sweep())
    assert states(desk) == {"A-1": (S.USED, 100)}


@pytest.mark.fault("A48")
def test_what_the_firm_sends_in_is_a_finding_though_the_sums_agree(desk: MemoryDesk, tmp_path: Path) -> None:
    """Assets of the firm's own cover what is missing."""
    desk.chain.mint(FIRM, desk.asset, 100)
    desk.chain.pay(A, PAYEE, desk.asset, 100)
    desk.chain.pay(FIRM, A, desk.asset, 100)
    swept = desk.sweep()
    assert swept.summary is not None
    assert swept.summary.matched == swept.expected
    assert kinds(swept) == {FindingKind.UNAUTHORIZED_TRANSFER: 1, FindingKind.COMMINGLING: 1}
    (arrived,) = desk.open_cases(FindingKind.COMMINGLING)
    assert (arrived.finding.base_units, swept.exit_code) == (100, 1)
    desk.chain.mine()
    assert desk.sweep().cases == ()
    issuer = Issuer.of(tmp_path, desk)
    report = issuer.verify(issuer.issue().path)
    assert report.exit_code == 0, refused(report)


@pytest.mark.fault("A48")
@pytest.mark.parametrize(("tops_up_gas", "limit", "found"), [("yes", "10", 0), ("yes", "0.5", 1), ("no", "10", 1)])
def test_gas_from_a_firm_address_that_is_named_for_it(
    sqlite_store: Store, tmp_path: Path, tops_up_gas: str, limit: str, found: int
) -> None:
    desk = MemoryDesk(sqlite_store, tmp_path)
    native = desk.chain.new_asset("slip44:60", 18)
    desk.open_books(A, assets=[{}, {"asset_id": native.asset_id, "symbol": "ETH", "decimals": "18"}])
    desk.take(wallets=[{"address": A, "gas_float_limit": limit}])
    desk.take(firm_addresses=[{"address": FIRM, "tops_up_gas": tops_up_gas}])
    desk.chain.mint(FIRM, native, 10**18)
    assert desk.sweep().exit_code == 0
    desk.chain.pay(FIRM, A, native, 10**18)
    quantity = {"asset_id": native.asset_id, "quantity": "1", "kind": "gas_float"}
    desk.take(allocations=[{"client_id": "FIRM", "account_class": "proprietary", "location": desk.at(A)} | quantity])
    assert kinds(desk.sweep()).get(FindingKind.COMMINGLING, 0) == found


@pytest.fixture
def bitcoin(sqlite_store: Store, tmp_path: Path) -> MemoryDesk:
    """A pool of two addresses on a chain of outputs, a wallet of another pool, all swept once."""
    chain = FakeChain(chain_id=BITCOIN)
    desk = MemoryDesk(sqlite_store, tmp_path, chain=chain)
    desk.plugin = PiecesPlugin(desk.nodes)
    native = chain.new_asset("slip44:0", 8)
    desk.asset = desk.usdx = native
    desk.open_books(A, B, C, assets=[{"asset_id": native.asset_id, "symbol": "BTC", "decimals": "8"}])
    desk.take(pools=[{"address": wallet, "pool_id": name} for wallet, name in ((A, "P-1"), (B, "P-1"), (C, "P-2"))])
    desk.history_from = 1
    chain.mint(A, native, 600)
    chain.mint(B, native, 600)
    desk.allocate("pool:P-1", C_1=1_200)
    assert desk.sweep().exit_code == 0
    return desk


@pytest.mark.fault("A46")
@pytest.mark.parametrize(("change_to", "found"), [(A, {}), (B, {}), (SIBLING, {FindingKind.UNAUTHORIZED_TRANSFER: 1})])
def test_a_payment_of_two_inputs_with_change(
    bitcoin: MemoryDesk, change_to: str, found: dict[FindingKind, int]
) -> None:
    asset = bitcoin.asset
    head = bitcoin.chain.head_time()
    times = {"valid_from": utc_text(head), "valid_until": utc_text(head + timedelta(hours=1))}
    bitcoin.approve("A-1", B, PAYEE, 1_000, asset_id=asset.asset_id, approved_at=utc_text(head), **times)
    bitcoin.chain.add(
        Payment(A, PAYEE, asset, 600, tx="one"),
        Payment(B, PAYEE, asset, 400, tx="one"),
        Payment(B, change_to, asset, 200, tx="one"),  # type: ignore[arg-type]
    )
    swept = bitcoin.sweep()
    cases = kinds(swept)
    cases.pop(FindingKind.SHORTFALL)  # the books do not know of the payment yet
    assert cases == found
    matches = bitcoin.store.matches(BITCOIN)
    assert [(match.outcome, sum(use.base_units for use in match.uses)) for match in matches] == [
        (MatchOutcome.MATCHED, 600),
        (MatchOutcome.MATCHED, 400),
        (MatchOutcome.UNAUTHORIZED if found else MatchOutcome.CHANGE, 0),
    ]
    assert states(bitcoin) == {"A-1": (S.USED, 1_000)}


def test_an_unapproved_payment_of_two_inputs_is_one_case(bitcoin: MemoryDesk) -> None:
    asset = bitcoin.asset
    bitcoin.chain.add(Payment(A, PAYEE, asset, 600, tx="one"), Payment(B, PAYEE, asset, 400, tx="one"))
    bitcoin.sweep()
    (case,) = bitcoin.open_cases(FindingKind.UNAUTHORIZED_TRANSFER)
    assert case.finding.base_units == -1_000
