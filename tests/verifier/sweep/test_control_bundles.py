"""Who else could move it, and whose keys signed, from a real chain to the auditor and back to the auditor's node."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chains.devnet.deploy import deployed
from chains.evm.encumbrance_types import EncumbranceSettings
from chains.types import Address
from exports.canonical import canonical_json
from exports.codec import to_object
from exports.keys import load_signer
from exports.report import report_text
from exports.verdict import CheckStatus
from tests.exports.sample import check, forge
from tests.verifier.issuer import Issuer, refused
from tests.verifier.key_signers import ADDRESSES, EIP191, EIP712, EIP1271, KEYS, answer_to, signed
from tests.verifier.sweep.conftest import NewDesk
from tests.verifier.sweep.desk import Desk
from tests.verifier.sweep.test_encumbered_sweeps import approve
from tests.verifier.sweep.test_encumbrances import act
from tests.verifier.sweep.world import OMNIBUS, STRANGER, AnvilWorld
from verifier.control_view import proof_text
from verifier.key_proving import challenge_wallets, first_witness, take_answer
from verifier.store import Store
from verifier.sweep_encumbrances import EncumbranceOptions

pytestmark = pytest.mark.devnet

BY_TEXT, BY_DATA = ADDRESSES[:2]


@pytest.fixture
def contract(world: AnvilWorld) -> Address:
    """A contract wallet whose owner is the third key."""
    return Address(deployed(world.node, "ContractWallet", [[ADDRESSES[2]], 1]).address)


@pytest.fixture
def desk(new_desk: NewDesk, sqlite_store: Store, world: AnvilWorld, contract: Address) -> Desk:
    """Four wallets with a grant each way, swept, and three keys that signed."""
    desk = new_desk(sqlite_store)
    permit2 = deployed(world.node, "Permit2Like")
    desk.encumbrances = EncumbranceOptions(settings=EncumbranceSettings(permit2=Address(permit2.address)))
    desk.open_books(OMNIBUS, BY_TEXT, BY_DATA, contract)
    for wallet, base_units in ((OMNIBUS, 1_000), (BY_TEXT, 300), (BY_DATA, 200), (contract, 50)):
        world.mint(wallet, base_units)
        desk.allocate(wallet, C_1=base_units)
    approve(world, OMNIBUS, STRANGER, 700)
    approve(world, OMNIBUS, permit2.address, 40)
    act(world, OMNIBUS, permit2.address, "approve(address,address,uint160,uint48)",
        world.usdx.address, STRANGER, 90, 2**48 - 1)  # fmt: skip
    desk.sweep()
    prove(desk, contract)
    return desk


def prove(desk: Desk, contract: Address) -> None:
    """Ask all wallets; three of the four sign, each by its own scheme."""
    challenge, asked = challenge_wallets(
        desk.store,
        firm="Test firm",
        asked_by="Example Audit",
        chain_id=desk.chain_id,
        only=(),
        nonce=bytes(range(32)),
        valid=timedelta(hours=1),
        open_witness=lambda chain_id: first_witness(desk.config, desk.now()),
        actor="ops.maker",
        now=desk.now(),
    )
    assert set(asked) == {OMNIBUS, BY_TEXT, BY_DATA, contract}
    by_owner = signed(challenge, KEYS[2], EIP712, contract)
    answer = answer_to(
        challenge,
        signed(challenge, KEYS[0], EIP191),
        signed(challenge, KEYS[1], EIP712),
        type(by_owner)(contract, EIP1271, by_owner.signature),
    )
    result = take_answer(
        desk.store,
        canonical_json(to_object(answer)),
        open_witness=lambda chain_id: first_witness(desk.config, desk.now()),
        actor="ops.maker",
        now=desk.now(),
    )
    assert [str(each.outcome) for each in result.judged] == ["accepted"] * 3


@pytest.fixture
def issuer(desk: Desk, tmp_path: Path) -> Issuer:
    return Issuer.of(tmp_path, desk)


def test_an_auditor_sees_and_asks_again(issuer: Issuer, desk: Desk) -> None:
    written = issuer.issue()
    report = issuer.verify(written.path, nodes=True)
    assert refused(report) == {}, report_text(report)
    assert [check(report, number).status for number in (18, 19, 20, 21)] == [CheckStatus.PASSED] * 4
    assert check(report, 20).compared == 1
    text = report_text(report)
    assert f"{STRANGER} could take 0.000700 USDX from {OMNIBUS} (allowance)." in text
    assert f"{STRANGER} could take 0.000040 USDX from {OMNIBUS} (permit2)." in text
    assert "Proof of control: 0.000550 of 0.001550 USDX at proven wallets" in text
    assert "It does not show who owns what is there" in text
    offline = issuer.verify(written.path)
    assert check(offline, 20).status is CheckStatus.NOT_REQUESTED
    assert check(offline, 19).status is CheckStatus.PASSED


def test_status_shows_what_is_proven(desk: Desk) -> None:
    view = desk.status()
    (chain,) = view.chains
    assert chain.control is not None
    assert (chain.control.wallets, chain.control.grants) == (4, 3)
    (proven,) = chain.proofs
    assert (proven.proven, proven.total, proven.proven_within_days) == (550, 1_550, (550, 550, 550))
    assert proof_text(proven).endswith("at wallets with a proof of control not older than 90 days")
    document: Any = view.to_dict()
    assert document["chains"][0]["proof_of_control"][0]["proven"] == "550"
    assert document["chains"][0]["encumbrances"]["grants"] == 3


def _set(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda record: record.update(changes)


LIES: dict[str, tuple[str, dict[str, Any], Callable[[dict[str, Any]], None], int]] = {
    "exposed less": ("grants", {"base_units": "700"}, _set(exposed="0"), 18),
    "Permit2 exposes all of its grant": ("grants", {"kind": "permit2"}, _set(exposed="90"), 18),
    "another owner": ("grants", {"base_units": "700"}, _set(owner=STRANGER), 18),
    "a contract's proof altered": ("key_proofs", {"scheme": "eip1271"}, _set(signature="0x" + "11" * 65), 20),
    "a grant made smaller": ("grants", {"base_units": "700"}, _set(base_units="7", exposed="7"), 21),
    "a transaction more": ("controls", {"address": OMNIBUS}, _set(nonce=77), 21),
    "a key's proof altered": ("key_proofs", {"scheme": "eip191"}, _set(signature="0x" + "11" * 64 + "1b"), 19),
    "a text's proof called typed data": ("key_proofs", {"scheme": "eip191"}, _set(scheme="eip712"), 19),
    "a contract's proof called a key's": (
        "key_proofs", {"scheme": "eip1271"}, _set(scheme="eip712", account_kind="key"), 19,
    ),
    "a wallet's kind altered": ("controls", {"address": OMNIBUS}, _set(nonce=None), 18),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_firm_that_lies_is_refused(name: str, issuer: Issuer, tmp_path: Path) -> None:
    kind, wanted, edit, number = LIES[name]
    written = issuer.issue()
    with zipfile.ZipFile(written.path) as file:
        members = {each: file.read(each) for each in file.namelist()}
    forged = tmp_path / "forged.zip"
    signers = [load_signer(f"file2:{issuer.key}")]
    forged.write_bytes(forge(members, kind, lambda r: all(r[k] == v for k, v in wanted.items()), edit, signers))
    assert list(refused(issuer.verify(forged, nodes=number >= 20))) == [number]


def test_a_bundle_without_a_reading_says_so(issuer: Issuer, desk: Desk, world: AnvilWorld) -> None:
    desk.encumbrances = EncumbranceOptions(is_asked=False)
    world.mine()
    desk.sweep()
    report = issuer.verify(issuer.issue().path)
    assert refused(report) == {}
    assert "not known: Who else could move what is in the wallets was not asked" in report_text(report)
