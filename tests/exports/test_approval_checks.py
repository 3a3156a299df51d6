"""Check 14 in the small: what transfers take from authorizations, alone, in parts, and several at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from chains.types import Address, AssetId, ChainId, TransferKind, account_location
from exports.approval_checks import approval_problems
from exports.bundle import Bundle
from exports.contents import Contents
from exports.records import (
    AccountClass,
    AllocationRecord,
    AuthorizationRecord,
    Outcome,
    PoolRecord,
    TransferRecord,
    UseRecord,
    WalletRecord,
)
from tests.exports.sample import (
    Firm,
    make_firm,
    not_passed,
    sample_bundle,
    transfer,
    verify,
    wallet,
    write,
)

BITCOIN = ChainId("bip122:0f9188f13cb7b2c71f2a335e3a4fc328")
BTC = AssetId(f"{BITCOIN}/slip44:0")
ONE, TWO, PAYEE = Address("bcrt1qone"), Address("bcrt1qtwo"), Address("bcrt1qpayee")


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


def uses(**taken: int) -> tuple[UseRecord, ...]:
    return tuple(UseRecord(name.replace("_", "-"), base_units) for name, base_units in taken.items())


def two_authorizations(bundle: Bundle) -> tuple[AuthorizationRecord, ...]:
    (first,) = bundle.authorizations
    return tuple(
        replace(first, authorization_id=name, base_units_max=limit, fee_max=fee_max)
        for name, limit, fee_max in (("auth-1", 15, 20_000), ("auth-2", 10, 1_000))
    )


@pytest.mark.parametrize(
    ("taken", "changes", "failed"),
    [
        (uses(auth_1=15, auth_2=10), {}, []),
        (uses(auth_1=16, auth_2=9), {}, [14]),
        (uses(auth_1=14, auth_2=11), {}, [14]),
        (uses(auth_1=15, auth_2=10), {"destination": Address("0x" + "9" * 40)}, [14]),
        (uses(auth_1=15, auth_2=10), {"fee_max": 999}, [14]),
        (uses(auth_1=15, auth_2=10), {"fee_max": None}, []),
        (uses(auth_1=15, auth_9=10), {}, [6, 14]),  # and one limit alone does not cover the fee
    ],
)
def test_a_transfer_of_two_authorizations(
    tmp_path: Path, firm: Firm, taken: tuple[UseRecord, ...], changes: dict[str, object], failed: list[int]
) -> None:
    bundle = sample_bundle()
    first, second = two_authorizations(bundle)
    changed = replace(
        bundle,
        authorizations=(first, replace(second, **changes)),  # type: ignore[arg-type]
        transfers=(replace(bundle.transfers[0], uses=taken), *bundle.transfers[1:]),
    )
    assert not_passed(verify(write(tmp_path, firm, changed), firm.trusted)) == failed


@pytest.mark.parametrize(("parts", "failed"), [((15, 10), []), ((15, 11), [14])])
def test_an_authorization_in_parts_over_the_whole_bundle(
    tmp_path: Path, firm: Firm, parts: tuple[int, int], failed: list[int]
) -> None:
    """Each part alone is within the limit of 25; together they are what counts."""
    bundle = sample_bundle()
    executed = tuple(
        transfer(
            "0x" + f"e{n}" * 32,
            TransferKind.TOKEN,
            part,
            outcome=Outcome.MATCHED,
            authorization_id="auth-1",
            uses=uses(auth_1=part),
        )
        for n, part in enumerate(parts)
    )
    changed = replace(bundle, transfers=(*executed, *bundle.transfers[1:]))
    assert not_passed(verify(write(tmp_path, firm, changed), firm.trusted)) == failed


def on_bitcoin(sender: Address, receiver: Address, taken: tuple[UseRecord, ...]) -> TransferRecord:
    first = taken[0].authorization_id if taken else ""
    outcome = Outcome.MATCHED if taken else Outcome.CHANGE
    found = transfer("ab" * 32, TransferKind.NATIVE, 25, outcome=outcome, authorization_id=first, uses=taken)
    return replace(found, chain_id=BITCOIN, asset_id=BTC, sender=sender, receiver=receiver)


def problems(
    *transfers: TransferRecord,
    chain_id: ChainId = BITCOIN,
    structures: tuple[str, str] = ("omnibus", "omnibus"),
    pools: dict[Address, str] | None = None,
    clients: dict[Address, str] | None = None,
) -> list[str]:
    """Of transfers of two wallets, under one authorization of 25 from the first to the payee."""
    sample = sample_bundle()
    wallets: list[WalletRecord] = [
        replace(wallet(address, structure), chain_id=chain_id)
        for address, structure in zip((ONE, TWO), structures, strict=True)
    ]
    authorization = replace(
        sample.authorizations[0],
        chain_id=chain_id,
        wallet=ONE,
        asset_id=AssetId(f"{chain_id}/slip44:0"),
        destination=PAYEE,
    )
    bundle = replace(
        sample,
        wallets=wallets,
        pools=[
            PoolRecord(name, chain_id, address, wallets[0].opened_on, None) for address, name in (pools or {}).items()
        ],
        allocations=[
            AllocationRecord(name, AccountClass.CUSTOMER, account_location(chain_id, address), BTC, 5, False)
            for address, name in (clients or {}).items()
        ],
        authorizations=[authorization],
        transfers=transfers,
    )
    return approval_problems(cast("Contents", bundle), {"auth-1": authorization})


SEGREGATED = ("fully_segregated", "fully_segregated")


@pytest.mark.parametrize(
    ("together", "changes"),
    [
        (True, {"pools": {ONE: "main", TWO: "main"}}),
        (True, {"pools": {ONE: "main"}}),  # the other left its pool since
        (False, {"pools": {ONE: "main", TWO: "side"}}),
        (False, {"structures": ("omnibus", "fully_segregated")}),
        (True, {"structures": SEGREGATED, "clients": {ONE: "c1", TWO: "c1"}}),
        (False, {"structures": SEGREGATED, "clients": {ONE: "c1", TWO: "c2"}}),
    ],
)
def test_on_chains_of_outputs_wallets_of_one_set_pay_together(together: bool, changes: dict[str, object]) -> None:
    """The authorization names one wallet; another funds the payment, and change comes back to the first."""
    paid, change = on_bitcoin(TWO, PAYEE, uses(auth_1=25)), on_bitcoin(TWO, ONE, ())
    assert (problems(paid, **changes) == []) is together  # type: ignore[arg-type]
    assert (problems(change, **changes) == []) is together  # type: ignore[arg-type]


def test_elsewhere_each_wallet_pays_alone_and_there_is_no_change() -> None:
    ethereum = ChainId("eip155:1")
    pools = {ONE: "main", TWO: "main"}
    own = replace(on_bitcoin(ONE, PAYEE, uses(auth_1=25)), chain_id=ethereum, asset_id=AssetId("eip155:1/slip44:0"))
    assert problems(own, chain_id=ethereum, pools=pools) == []
    other = replace(own, sender=TWO)
    assert problems(other, chain_id=ethereum, pools=pools) == [f"transfer {own.tx_id}: wallet is not as auth-1 allows"]
    change = replace(own, sender=TWO, receiver=ONE, uses=(), authorization_id="", outcome=Outcome.CHANGE)
    assert "called change" in problems(change, chain_id=ethereum, pools=pools)[0]
    assert problems(replace(change, receiver=ONE, sender=ONE), chain_id=ethereum, pools=pools)


def test_change_to_nobody_in_the_bundle_is_no_change() -> None:
    pools = {ONE: "main", TWO: "main"}
    assert "called change" in problems(on_bitcoin(TWO, PAYEE, ()), pools=pools)[0]
    itself = on_bitcoin(TWO, TWO, ())
    assert problems(itself, pools=pools) == []


def test_what_is_called_matched_names_its_authorization_also_when_it_came_back() -> None:
    back = replace(on_bitcoin(TWO, ONE, ()), outcome=Outcome.MATCHED)
    assert "no authorization is named" in problems(back, pools={ONE: "main", TWO: "main"})[0]
