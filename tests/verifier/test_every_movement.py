"""Random movements on a chain in memory: each is in order or exactly one finding, and what is found is what is wrong.

The story of acts is drawn; what each act must lead to is known when it is done. At the end the records are held
against that: every outgoing transfer has the one outcome it must have, every unapproved one its one finding, every
change without an event its finding, and per wallet and asset the findings add up to what moved wrongly.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chains.evm.addresses import ZERO_ADDRESS
from chains.types import Address, Asset, AssetId, Transfer, TransferKind
from tests.fakes.chain import Payment
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import FIRM, OMNIBUS, SECOND, STRANGER, THIRD, address
from verifier.config import SweepSettings
from verifier.records import FindingKind, MatchOutcome
from verifier.rules import authorize, changes, rollforward
from verifier.store import open_store

WALLETS = (OMNIBUS, SECOND)
FEE_ACCOUNT = address(105)
"""Another address of the firm's, to which its earned fees go: no approval of theirs fits what goes to the first."""
START = 1_000_000

Expected = frozenset[MatchOutcome]
MATCHED: Expected = frozenset({MatchOutcome.MATCHED})
OVER_AMOUNT: Expected = frozenset({MatchOutcome.OVER_AMOUNT})
FEE_OVER_LIMIT: Expected = frozenset({MatchOutcome.FEE_OVER_LIMIT})
UNAPPROVED: Expected = frozenset({MatchOutcome.UNAUTHORIZED, MatchOutcome.WRONG_DESTINATION, MatchOutcome.WRONG_ASSET})
"""Which of them depends on the approvals that happen to lie unused: the nearest one is named."""


class Kind(StrEnum):
    """What may happen."""

    APPROVED = "approved"
    APPROVED_IN_TWO = "approved in two"
    UNAPPROVED = "unapproved"
    OVER_AMOUNT = "over amount"
    WRONG_DESTINATION = "wrong destination"
    TO_FIRM = "to the firm"
    EARNED_FEE = "earned fee"
    REBALANCED = "rebalanced"
    REBALANCED_UNAPPROVED = "rebalanced, unapproved"
    FEE = "with a fee"
    FEE_OVER_LIMIT = "fee over the limit"
    NOTHING = "of zero"
    MINTED = "minted"
    BURNT = "burnt"
    SILENT_GAIN = "silent gain"
    SILENT_LOSS = "silent loss"
    REBASED = "rebased"


@dataclass(frozen=True)
class Act:
    """One thing that happens, on top of the newest block or together with the act before."""

    kind: Kind
    wallet: int = 0
    is_native: bool = False
    amount: int = 10
    ends_block: bool = True
    is_swept: bool = False
    """Whether a sweep follows; the last act is always swept."""


@dataclass
class Story:
    """A desk, and what its records must say."""

    desk: MemoryDesk
    native: Asset
    outcomes: dict[str, Expected] = field(default_factory=dict)
    """By transfer id."""
    wrong: Counter[tuple[Address, AssetId]] = field(default_factory=Counter)
    """Signed base units that moved without approval, per wallet and asset."""
    commingled: set[str] = field(default_factory=set)
    silent: Counter[tuple[Address, AssetId, int]] = field(default_factory=Counter)
    """Signed base units that moved without an event, per wallet, asset and height."""
    waiting: list[tuple[Payment, Expected | None]] = field(default_factory=list)
    approvals: list[dict[str, str]] = field(default_factory=list)
    number: int = 0

    def tell(self, acts: Sequence[Act]) -> None:
        """Do all acts, with their sweeps."""
        for act in acts:
            self.do(act)
            if act.ends_block:
                self.mine()
            if act.is_swept:
                self.mine()
                self.sweep()
        self.mine()
        self.desk.chain.mine()
        self.sweep()

    def do(self, act: Act) -> None:
        """Put the payments of one act into the next block."""
        self.number += 1
        wallet, other = Address(WALLETS[act.wallet]), Address(WALLETS[1 - act.wallet])
        asset = self.native if act.is_native else self.desk.asset
        payee, amount = Address(address(10_000 + self.number)), act.amount
        match act.kind:
            case Kind.APPROVED:
                self.approve(wallet, payee, asset, amount + 1)
                self.pay(wallet, payee, asset, amount, MATCHED)
            case Kind.APPROVED_IN_TWO:
                self.approve(wallet, payee, asset, 2 * amount)
                for _ in range(2):
                    self.pay(wallet, payee, asset, amount, MATCHED)
            case Kind.UNAPPROVED:
                self.pay(wallet, payee, asset, amount, UNAPPROVED)
            case Kind.OVER_AMOUNT:
                self.approve(wallet, payee, asset, amount)
                self.pay(wallet, payee, asset, amount + 1, OVER_AMOUNT)
            case Kind.WRONG_DESTINATION:
                self.approve(wallet, payee, asset, amount)
                self.pay(wallet, Address(STRANGER), asset, amount, UNAPPROVED)
            case Kind.TO_FIRM:
                self.pay(wallet, Address(FIRM), asset, amount, UNAPPROVED)
            case Kind.EARNED_FEE:
                self.approve(wallet, Address(FEE_ACCOUNT), asset, amount, purpose="earned_fee", client_id="")
                self.pay(wallet, Address(FEE_ACCOUNT), asset, amount, MATCHED)
            case Kind.REBALANCED:
                self.approve(wallet, other, asset, amount, purpose="internal_rebalancing", client_id="")
                self.pay(wallet, other, asset, amount, MATCHED)
            case Kind.REBALANCED_UNAPPROVED:
                self.pay(wallet, Address(THIRD), asset, amount, UNAPPROVED)
            case Kind.FEE:
                self.approve(wallet, payee, asset, amount, fee_max=self.native.format_quantity(amount))
                self.pay(wallet, payee, asset, amount, MATCHED, fee=amount)
            case Kind.FEE_OVER_LIMIT:
                self.approve(wallet, payee, asset, amount, fee_max=self.native.format_quantity(amount - 1))
                self.pay(wallet, payee, asset, amount, FEE_OVER_LIMIT, fee=amount)
            case Kind.NOTHING:
                self.pay(wallet, payee, asset, 0, MATCHED)
            case Kind.MINTED:
                self.waiting.append((Payment(None, wallet, asset, amount, tx=f"T-{self.number}"), None))
            case Kind.BURNT:
                self.pay(wallet, ZERO_ADDRESS, asset, amount, UNAPPROVED)
            case Kind.SILENT_GAIN:
                self.move_silently(wallet, asset, amount)
            case Kind.SILENT_LOSS:
                self.move_silently(wallet, asset, -amount)
            case Kind.REBASED:
                for each in WALLETS:
                    held = self.desk.chain.blocks[-1].balances.get((Address(each), self.desk.asset.asset_id), 0)
                    self.move_silently(Address(each), self.desk.asset, held * (amount - 25) // 1_000)

    def approve(self, wallet: Address, destination: Address, asset: Asset, base_units: int, **changes: str) -> None:
        """An approval that is recorded before the next block; nothing else fits its destination."""
        row = {
            "authorization_id": f"A-{self.number}",
            "wallet": wallet,
            "destination": destination,
            "asset_id": str(asset.asset_id),
            "quantity_max": asset.format_quantity(base_units),
        }
        self.approvals.append({**row, **changes})

    def pay(
        self, wallet: Address, receiver: Address, asset: Asset, base_units: int, outcome: Expected, *, fee: int = 0
    ) -> None:
        """A payment that must have this outcome."""
        self.number += 1
        tx = f"T-{self.number}"
        self.waiting.append((Payment(wallet, receiver, asset, base_units, tx=tx), outcome))
        if fee:
            self.waiting.append((Payment(wallet, None, self.native, fee, tx=tx, kind=TransferKind.FEE), None))

    def move_silently(self, wallet: Address, asset: Asset, change: int) -> None:
        """A balance changes and no event says so."""
        self.number += 1
        if change:
            ends = (None, wallet) if change > 0 else (wallet, Address(STRANGER))
            payment = Payment(ends[0], ends[1], asset, abs(change), is_silent=True, tx=f"T-{self.number}")
            self.waiting.append((payment, None))
            self.silent[wallet, asset.asset_id, self.desk.chain.head.height + 1] += change

    def mine(self) -> None:
        """One block with what waits."""
        if not self.waiting:
            return
        if self.approvals:
            self.desk.take(authorizations=self.approvals)
            self.approvals.clear()
        chain = self.desk.chain
        chain.add(*(payment for payment, _ in self.waiting))
        loud = [(payment, outcome) for payment, outcome in self.waiting if not payment.is_silent]
        for (_, outcome), transfer in zip(loud, chain.blocks[-1].transfers, strict=True):
            if outcome is not None:
                self.expect(transfer, outcome)
        self.waiting.clear()

    def expect(self, transfer: Transfer, outcome: Expected) -> None:
        """Keep what must become of a transfer."""
        assert transfer.sender is not None
        self.outcomes[transfer.transfer_id] = outcome
        if MatchOutcome.MATCHED not in outcome:
            self.wrong[transfer.sender, transfer.asset.asset_id] -= transfer.base_units
            if transfer.receiver == FIRM:
                self.commingled.add(transfer.transfer_id)

    def sweep(self) -> None:
        """One sweep, with its invariants."""
        outcome = self.desk.sweep()
        assert outcome.summary is not None, outcome.failure
        assert outcome.summary.unverified == 0

    def check(self) -> None:
        """Hold what was recorded against what happened."""
        matches = self.desk.store.matches(self.desk.chain_id)
        assert sorted(match.transfer.transfer_id for match in matches) == sorted(self.outcomes)
        for match in matches:
            assert match.outcome in self.outcomes[match.transfer.transfer_id], match.reason
        wrong = [name for name, outcome in self.outcomes.items() if MatchOutcome.MATCHED not in outcome]
        assert sorted(self.subjects(FindingKind.UNAUTHORIZED_TRANSFER)) == sorted(wrong)
        assert sorted(self.subjects(FindingKind.COMMINGLING)) == sorted(self.commingled)
        assert self.subjects(FindingKind.UNPARSED_EVENTS) == self.subjects(FindingKind.COVERAGE_GAP) == []
        assert self.found(FindingKind.UNAUTHORIZED_TRANSFER) == without_zeros(self.wrong)
        by_wallet: Counter[tuple[Address, AssetId]] = Counter()
        for (wallet, asset_id, _), change in self.silent.items():
            by_wallet[wallet, asset_id] += change
        assert self.found(FindingKind.UNEXPLAINED_CHANGE) == without_zeros(by_wallet)
        if self.desk.settings.change_points == "every_block":
            steps = Counter(
                (case.finding.block.height, case.finding.base_units)
                for case in self.cases(FindingKind.UNEXPLAINED_CHANGE)
                if case.finding.block is not None
            )
            assert steps == Counter((height, change) for (_, _, height), change in self.silent.items() if change)

    def cases(self, kind: FindingKind) -> list[Any]:
        return [case for case in self.desk.store.cases(include_closed=True) if case.finding.kind is kind]

    def subjects(self, kind: FindingKind) -> list[str]:
        return [case.finding.subject for case in self.cases(kind)]

    def found(self, kind: FindingKind) -> dict[tuple[Address, AssetId], int]:
        """Base units of all findings of a kind, per wallet and asset."""
        sums: Counter[tuple[Address, AssetId]] = Counter()
        for case in self.cases(kind):
            place = Address(case.finding.location_id.rpartition(":")[2])
            sums[place, case.finding.asset.asset_id] += case.finding.base_units
        return without_zeros(sums)


def without_zeros(sums: Counter[tuple[Address, AssetId]]) -> dict[tuple[Address, AssetId], int]:
    return {key: total for key, total in sums.items() if total}


@contextmanager
def begun(template: Path, *, every_block: bool) -> Iterator[Story]:
    """Two omnibus wallets with coins and tokens, swept once and in order."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "desk.db"
        shutil.copy(template, path)
        store = open_store(f"sqlite:///{path}")
        desk = MemoryDesk(store, Path(name))
        desk.settings = SweepSettings(change_points="every_block" if every_block else "remainders")
        native = desk.chain.new_asset("slip44:60", 18)
        desk.history_from = 0
        coin = {"asset_id": str(native.asset_id), "symbol": "ETH", "decimals": "18"}
        desk.open_books(*WALLETS, THIRD, assets=[{}, coin])
        desk.take(firm_addresses=[{"address": FIRM}, {"address": FEE_ACCOUNT}])
        for wallet in WALLETS:
            for asset in (desk.asset, native):
                desk.chain.mint(wallet, asset, START)
                desk.allocate(wallet, asset=asset, C_1=START)
        story = Story(desk, native)
        story.sweep()
        assert desk.open_cases() == []
        try:
            yield story
        finally:
            store.close()


ACTS = st.builds(
    Act,
    kind=st.sampled_from(Kind),
    wallet=st.integers(0, 1),
    is_native=st.booleans(),
    amount=st.integers(1, 50),
    ends_block=st.booleans(),
    is_swept=st.sampled_from([False, False, False, False, True]),
)


@settings(
    max_examples=15,
    deadline=None,
    # A story costs some sweeps: one that fails is told as it is, with all its acts.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=st.lists(ACTS, min_size=3, max_size=15), every_block=st.booleans())
@pytest.mark.fault("A22", "A24", "A38", "D2", "G16")
def test_every_movement_is_in_order_or_one_finding(sqlite_template: Path, acts: list[Act], every_block: bool) -> None:
    with begun(sqlite_template, every_block=every_block) as story:
        story.tell(acts)
        story.check()


EVERYTHING = [Act(kind, place % 2, bool(place % 3), 11 + place) for place, kind in enumerate(Kind)]


@pytest.mark.parametrize("every_block", [False, True])
def test_one_of_each(sqlite_template: Path, every_block: bool) -> None:
    with begun(sqlite_template, every_block=every_block) as story:
        story.tell(EVERYTHING)
        story.check()
        assert set(story.outcomes.values()) == {MATCHED, UNAPPROVED, OVER_AMOUNT, FEE_OVER_LIMIT}
        assert story.wrong
        assert story.silent
        assert story.commingled


# What the check above is worth: rules that are wrong on purpose must not pass it


def burns_are_nothing(patch: pytest.MonkeyPatch) -> None:
    right = authorize.is_outgoing
    patch.setattr(
        authorize, "is_outgoing", lambda each, custody: each.receiver != ZERO_ADDRESS and right(each, custody)
    )


def gains_are_fine(patch: pytest.MonkeyPatch) -> None:
    right = changes.change_findings

    def only_losses(*args: Any) -> list[Any]:
        return [finding for finding in right(*args) if (finding.base_units or 0) <= 0]

    patch.setattr("verifier.judgement.change_findings", only_losses)


def fees_are_free(patch: pytest.MonkeyPatch) -> None:
    right = authorize.match_transfers

    def forgiving(*args: Any) -> list[Any]:
        found = right(*args)
        over = MatchOutcome.FEE_OVER_LIMIT
        return [replace(each, outcome=MatchOutcome.MATCHED) if each.outcome is over else each for each in found]

    patch.setattr("verifier.transfer_judgement.match_transfers", forgiving)


def the_firm_may_have_it(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(authorize, "firm_lines", lambda *_: {})


def fees_are_nobodys(patch: pytest.MonkeyPatch) -> None:
    right = rollforward.roll_forward_all

    def without_fees(openings: Any, closings: Any, transfers: Any, covered: Any) -> Any:
        return right(openings, closings, [each for each in transfers if each.receiver is not None], covered)

    patch.setattr("verifier.rolling.roll_forward_all", without_fees)


@pytest.mark.parametrize(
    "mutate", [burns_are_nothing, gains_are_fine, fees_are_free, the_firm_may_have_it, fees_are_nobodys]
)
def test_a_wrong_rule_does_not_pass(sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, mutate: Any) -> None:
    with begun(sqlite_template, every_block=False) as story:
        mutate(monkeypatch)
        story.tell(EVERYTHING)
        with pytest.raises(AssertionError):
            story.check()
