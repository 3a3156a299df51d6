"""Chains of outputs: pieces of a transaction, put together to payments, change left out, each payment approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidValue
from chains.types import Address, Asset, AssetId, BlockRef, ChainId, Transfer, TransferKind
from mapping.types import AccountClass, PoolMember, Purpose, Structure, TransferAuthorization
from tests.verifier.rules.make import (
    CHAIN,
    FIRM,
    NOON,
    OUTSIDE,
    A,
    B,
    C,
    address,
    approval,
    block,
    claims,
    firm_address,
    wallet,
)
from verifier.records import ApprovalUse, MatchOutcome, TransferMatch
from verifier.rules.authorize import amounts_used
from verifier.rules.claims import Claim, Holder, Place
from verifier.rules.payments import match_payments, match_pieces, pays_in_pieces, wallet_sets

BITCOIN = ChainId("bip122:0f9188f13cb7b2c71f2a335e3a4fc328")
BTC = Asset(AssetId(f"{BITCOIN}/slip44:0"), "BTC", 8)
A2, S1, S2, PAYEE = address(0xA2), address(0x51), address(0x52), address(0xEE)
SETS = {A: "pool:main", A2: "pool:main", B: "pool:side", S1: "client:c1", S2: "client:c1"}
M = MatchOutcome


def on(height: int = 100, fork: int = 0) -> BlockRef:
    return block(height, chain_id=BITCOIN, fork=fork)


def spend(
    inputs: Mapping[Address, int], outputs: Mapping[Address, int], *, tx: str = "tx", pin: BlockRef | None = None
) -> list[Transfer]:
    """A transaction in pieces, as a reader gives it: inputs in their order fill outputs in theirs; the rest is fee."""
    pieces: list[Transfer] = []
    left = dict(inputs)

    def take(wanted: int, receiver: Address | None, kind: TransferKind) -> None:
        for sender, there in left.items():
            part = min(there, wanted)
            if part:
                index = len(pieces) if kind is TransferKind.NATIVE else -1 - len(pieces)
                pieces.append(Transfer(pin or on(), tx, index, BTC, sender, receiver, part, kind))
                left[sender] -= part
                wanted -= part
        assert not wanted, "the outputs are worth more than the inputs"

    for receiver, base_units in outputs.items():
        take(base_units, receiver, TransferKind.NATIVE)
    take(sum(left.values()), None, TransferKind.FEE)
    return pieces


def allow(
    base_units: int = 100,
    *,
    name: str = "auth-1",
    from_wallet: Address = A,
    to: Address = PAYEE,
    fee_max: int | None = None,
    purpose: Purpose = Purpose.CLIENT_WITHDRAWAL,
) -> TransferAuthorization:
    return approval(
        base_units,
        name=name,
        chain_id=BITCOIN,
        from_wallet=from_wallet,
        asset=BTC,
        to=to,
        fee_max=fee_max,
        purpose=purpose,
    )


def payments(
    transfers: Sequence[Transfer], *authorizations: TransferAuthorization, used: dict[str, int] | None = None
) -> list[TransferMatch]:
    """The payments of transfers; the pieces must say the same of the same amounts."""
    found = match_payments(transfers, authorizations, SETS, [replace(firm_address(), chain_id=BITCOIN)], used or {})
    pieces = match_pieces(found, transfers, SETS)
    paid = [each for each in pieces if each.outcome is not M.CHANGE]
    assert amounts_used(pieces) == amounts_used(found)
    assert sum(each.transfer.base_units for each in paid) == sum(each.transfer.base_units for each in found)
    whole = {_key(match.transfer): match for match in found}
    for each in paid:
        assert each.outcome is whole[_key(each.transfer)].outcome
        assert sum(use.base_units for use in each.uses) == (each.transfer.base_units if each.uses else 0)
    outgoing = [each for each in transfers if each.sender in SETS and each.kind is not TransferKind.FEE]
    assert sorted(each.transfer.transfer_id for each in pieces) == sorted(each.transfer_id for each in outgoing)
    return found


def _key(transfer: Transfer) -> tuple[str, Address | None, str]:
    assert transfer.sender is not None
    return transfer.tx_id, transfer.receiver, SETS[transfer.sender]


def outcomes(found: Sequence[TransferMatch]) -> list[tuple[MatchOutcome, int, Address | None]]:
    return [(each.outcome, each.transfer.base_units, each.transfer.receiver) for each in found]


@pytest.mark.fault("A46")
def test_a_payment_of_several_inputs_with_change_is_one() -> None:
    transfers = spend({A: 60, A2: 60}, {PAYEE: 100, A: 15})
    (only,) = payments(transfers, allow(100))
    assert (only.outcome, only.uses) == (M.MATCHED, (ApprovalUse("auth-1", 100),))
    assert only.transfer.base_units == 100
    pieces = match_pieces([only], transfers, SETS)
    assert [(each.transfer.sender, each.transfer.receiver, each.uses) for each in pieces] == [
        (A, PAYEE, (ApprovalUse("auth-1", 60),)),
        (A2, PAYEE, (ApprovalUse("auth-1", 40),)),
        (A2, A, ()),
    ]
    assert pieces[-1].outcome is M.CHANGE


@pytest.mark.parametrize(
    ("from_wallet", "outcome"), [(A, M.MATCHED), (A2, M.MATCHED), (B, M.UNAUTHORIZED), (OUTSIDE, M.UNAUTHORIZED)]
)
def test_an_approval_for_any_wallet_of_the_set_is_one_for_the_set(from_wallet: Address, outcome: MatchOutcome) -> None:
    """Also for one that funds nothing of this payment."""
    assert payments(spend({A: 110}, {PAYEE: 100}), allow(100, from_wallet=from_wallet))[0].outcome is outcome


@pytest.mark.parametrize(("limit", "outcome"), [(100, M.MATCHED), (99, M.OVER_AMOUNT)])
def test_the_whole_payment_is_held_against_the_approval_and_not_its_pieces(limit: int, outcome: MatchOutcome) -> None:
    """Each piece alone would fit."""
    assert outcomes(payments(spend({A: 50, A2: 55}, {PAYEE: 100}), allow(limit))) == [(outcome, 100, PAYEE)]


def test_a_batch_is_matched_payment_by_payment() -> None:
    transfers = spend({A: 100, A2: 100}, {PAYEE: 50, OUTSIDE: 60, C: 70, A2: 10})
    found = payments(transfers, allow(50, name="a"), allow(59, name="b", to=OUTSIDE))
    assert outcomes(found) == [(M.MATCHED, 50, PAYEE), (M.OVER_AMOUNT, 60, OUTSIDE), (M.UNAUTHORIZED, 70, C)]


def test_several_approvals_and_several_inputs() -> None:
    transfers = spend({A: 45, A2: 60}, {PAYEE: 100})
    (only,) = payments(transfers, allow(70, name="a"), allow(30, name="b"))
    assert only.uses == (ApprovalUse("a", 70), ApprovalUse("b", 30))
    assert [each.uses for each in match_pieces([only], transfers, SETS)] == [
        (ApprovalUse("a", 45),),
        (ApprovalUse("a", 25), ApprovalUse("b", 30)),
    ]


@pytest.mark.parametrize(
    ("fee", "limits", "over"),
    [(10, (10, 0), False), (11, (10, 0), True), (14, (10, 5), False), (99, (10, None), False)],
)
def test_the_fee_counts_once_for_the_whole_transaction(fee: int, limits: tuple[int, int | None], over: bool) -> None:
    """Two payments, and two wallets that pay the fee in two pieces."""
    *moving, paid = spend({A: 50, A2: 60 + fee}, {PAYEE: 50, OUTSIDE: 60})
    half = replace(paid, index=-99, sender=A, base_units=fee // 2)
    transfers = [*moving, half, replace(paid, base_units=fee - fee // 2)]
    approvals = [
        allow(500, name=name, to=to, fee_max=limit)
        for name, to, limit in zip("ab", (PAYEE, OUTSIDE), limits, strict=True)
    ]
    assert {each.outcome for each in payments(transfers, *approvals)} == {M.FEE_OVER_LIMIT if over else M.MATCHED}


def test_change_to_the_wallets_that_pay_together_is_no_payment() -> None:
    assert payments(spend({A: 100}, {A2: 60, A: 30})) == []
    assert payments(spend({S1: 100}, {S2: 90})) == []  # another address of the same client


@pytest.mark.parametrize(
    ("purpose", "outcome"),
    [(None, M.UNAUTHORIZED), (Purpose.CLIENT_WITHDRAWAL, M.UNAUTHORIZED), (Purpose.INTERNAL_REBALANCING, M.MATCHED)],
)
@pytest.mark.parametrize(("sender", "receiver"), [(A, B), (A, S1), (S1, A)])
def test_to_another_set_of_custody_wallets_it_is_a_rebalancing(
    sender: Address, receiver: Address, purpose: Purpose | None, outcome: MatchOutcome
) -> None:
    approvals = [] if purpose is None else [allow(90, from_wallet=sender, to=receiver, purpose=purpose)]
    assert outcomes(payments(spend({sender: 100}, {receiver: 90}), *approvals)) == [(outcome, 90, receiver)]


def test_change_to_an_address_nobody_mapped_is_a_payment_to_a_stranger() -> None:
    sibling = address(0xA3)
    found = payments(spend({A: 200}, {PAYEE: 100, sibling: 95}), allow(100))
    assert outcomes(found) == [(M.MATCHED, 100, PAYEE), (M.UNAUTHORIZED, 95, sibling)]


def test_a_transaction_that_spends_from_two_sets_is_judged_for_each() -> None:
    transfers = spend({A: 60, B: 60}, {PAYEE: 100, A: 20})
    found = payments(transfers, allow(60, name="a"), allow(40, name="b", from_wallet=B))
    assert outcomes(found) == [(M.MATCHED, 60, PAYEE), (M.MATCHED, 40, PAYEE), (M.UNAUTHORIZED, 20, A)]


def test_inputs_of_strangers_are_not_ours() -> None:
    transfers = spend({OUTSIDE: 80, A: 60}, {PAYEE: 130})
    assert outcomes(payments(transfers, allow(50, fee_max=10))) == [(M.MATCHED, 50, PAYEE)]
    assert payments(spend({OUTSIDE: 80}, {A: 70})) == []


def test_to_the_firm() -> None:
    (only,) = payments(spend({A: 60, A2: 60}, {FIRM: 100}))
    assert (only.outcome, only.commingling) == (M.UNAUTHORIZED, True)


@pytest.mark.fault("A41", "A46")
def test_a_replaced_transaction_uses_nothing_and_a_second_confirmed_one_is_a_duplicate() -> None:
    """The replaced one is in no block, so that no reader gives it; both in blocks is paying twice."""
    first = spend({A: 110}, {PAYEE: 100}, tx="one")
    second = spend({A2: 115}, {PAYEE: 100}, tx="two", pin=on(101))
    assert [each.outcome for each in payments(second, allow(100))] == [M.MATCHED]
    assert [each.outcome for each in payments([*first, *second], allow(100))] == [M.MATCHED, M.DUPLICATE]
    assert [each.outcome for each in payments(second, allow(100), used={"auth-1": 100})] == [M.DUPLICATE]


def test_nothing_paid_needs_no_approval_and_two_transfers_of_one_id_are_refused() -> None:
    nothing = Transfer(on(), "tx", 0, BTC, A, PAYEE, 0, TransferKind.NATIVE)
    (only,) = payments([nothing])
    assert (only.outcome, only.uses) == (M.MATCHED, ())
    with pytest.raises(InvalidValue, match="two different transfers"):
        match_payments([nothing, replace(nothing, base_units=1)], [], SETS, [], {})


def test_only_chains_of_outputs_pay_in_pieces() -> None:
    assert pays_in_pieces(BITCOIN)
    assert not pays_in_pieces(CHAIN)


def held(at: Address, *clients: str, gas_float: bool = False, base_units: int = 5) -> dict[Place, Claim]:
    holders = [Holder(client, AccountClass.CUSTOMER, base_units, gas_float) for client in clients]
    return {(wallet(at).location_id, BTC.asset_id): Claim(tuple(holders), NOON)}


def test_which_wallets_pay_together() -> None:
    apart = [wallet(at, structure=Structure.FULLY_SEGREGATED) for at in (S1, S2, C)]
    members = [
        PoolMember("main", CHAIN, A, date(2026, 1, 1)),
        PoolMember("main", CHAIN, A2, NOON.date()),
        PoolMember("main", CHAIN, B, date(2026, 1, 1), NOON.date() - timedelta(days=1)),
        PoolMember("main", CHAIN, FIRM, NOON.date() + timedelta(days=1)),
    ]
    books = held(S1, "c1") | held(S2, "c1") | held(C, "c1", "c2") | held(B, "c1")
    sets = wallet_sets(
        [*map(wallet, (A, A2, B, FIRM)), *apart],
        members,
        claims(books),
        NOON.date(),
    )
    assert {at: sets[at] for at in (A, A2, S1, S2)} == {
        A: "pool:main",
        A2: "pool:main",
        S1: "client:c1",
        S2: "client:c1",
    }
    assert {sets[at] for at in (B, FIRM, C)} == {f"wallet:{at}" for at in (B, FIRM, C)}
    unknown = held(S1, "c1", base_units=0) | held(S2, "firm", gas_float=True)
    assert len(set(wallet_sets(apart, [], claims(unknown), NOON.date()).values())) == 3


@given(
    inputs=st.dictionaries(st.sampled_from([A, A2, B, S1, OUTSIDE]), st.integers(1, 60), min_size=1),
    shares=st.dictionaries(st.sampled_from([A, A2, B, S2, PAYEE, C, FIRM]), st.integers(1, 9), min_size=1),
    limits=st.lists(st.tuples(st.integers(1, 80), st.sampled_from([A, A2, B, S1]), st.sampled_from([PAYEE, C, B]))),
)
def test_nothing_that_left_is_lost_or_counted_twice(
    inputs: dict[Address, int], shares: dict[Address, int], limits: list[tuple[int, Address, Address]]
) -> None:
    total = sum(inputs.values())
    outputs = {to: total * share // (sum(shares.values()) + 1) for to, share in shares.items()}
    transfers = spend(inputs, outputs)
    approvals = [
        allow(limit, name=f"auth-{n}", from_wallet=sender, to=to, purpose=Purpose.INTERNAL_REBALANCING)
        if to == B
        else allow(limit, name=f"auth-{n}", from_wallet=sender, to=to)
        for n, (limit, sender, to) in enumerate(limits)
    ]
    found = payments(transfers, *approvals)
    pieces = match_pieces(found, transfers, SETS)
    change = sum(each.transfer.base_units for each in pieces if each.outcome is M.CHANGE)
    fees = sum(each.base_units for each in transfers if each.kind is TransferKind.FEE and each.sender in SETS)
    ours = sum(there for sender, there in inputs.items() if sender in SETS)
    assert change + sum(each.transfer.base_units for each in found) + fees == ours
    for each in approvals:
        assert amounts_used(found).get(each.authorization_id, 0) <= each.base_units_max
