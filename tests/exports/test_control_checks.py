"""Checks 18 and 19: who else could move it, and whose keys signed; every way to lie about it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chains.errors import InvalidValue
from chains.evm.encumbrance_types import PERMIT2_ADDRESS, AccountRole, Answer, GrantKind
from chains.key_schemes import SignatureScheme
from chains.types import Address, BlockRef, LocationId, account_location
from exports.bundle import Bundle, payload_members
from exports.contents import Contents
from exports.control_records import (
    ControlStateRecord,
    FactRecord,
    GrantRecord,
    KeyChallengeRecord,
    KeyProofRecord,
    RestrictionRecord,
    ReviewStatus,
)
from exports.errors import RecordInvalid
from exports.key_checks import key_coverage
from exports.records import RECORD_TYPES
from exports.report import report_text
from tests.exports.sample import (
    BLOCK_HASH,
    BLOCK_TIME,
    CHAIN,
    CREATED,
    ETH,
    OMNIBUS,
    OUTSIDE,
    PARENT_HASH,
    SEGREGATED,
    SWEEP_ID,
    USD,
    Firm,
    case,
    check,
    control,
    make_firm,
    not_passed,
    review,
    sample_bundle,
    verify,
    wallet,
    write,
)
from tests.verifier.key_signers import ADDRESSES, EIP191, EIP712, EIP1271, KEYS, signed
from verifier.key_proof import KeyChallenge, make_challenge

Change = Callable[[Bundle], Bundle]
BLOCK_SECOND = int(BLOCK_TIME.timestamp())
PLACE, CHAIN_PLACE = account_location(CHAIN, OMNIBUS), LocationId(CHAIN)


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


def failed(bundle: Bundle, folder: Path, firm: Firm) -> list[int]:
    return not_passed(verify(write(folder, firm, bundle), firm.trusted))


def problem(bundle: Bundle, folder: Path, firm: Firm, number: int) -> str:
    return "; ".join(check(verify(write(folder, firm, bundle), firm.trusted), number).problems)


# Who else could move it


def with_grant(bundle: Bundle, **changes: Any) -> Bundle:
    return replace(bundle, grants=(replace(bundle.grants[0], **changes),))


def with_review(bundle: Bundle, **changes: Any) -> Bundle:
    return replace(bundle, control_reviews=(replace(bundle.control_reviews[0], **changes),))


def with_control(bundle: Bundle, state: ControlStateRecord) -> Bundle:
    """The omnibus wallet's control state replaced."""
    return replace(bundle, controls=(state, *bundle.controls[1:]))


def with_cases(bundle: Bundle, *kinds: str, place: LocationId = PLACE, asset: Any = None) -> Bundle:
    more = tuple(case(f"more-{n}", kind, place, asset, covers=()) for n, kind in enumerate(kinds))
    return replace(bundle, cases=(*bundle.cases, *more))


def with_restriction(bundle: Bundle, holder: Address | None, answer: Answer, reason: str = "") -> Bundle:
    asked = RestrictionRecord(SWEEP_ID, USD, "isFrozen(address)" if holder else "paused()", holder, answer, reason)
    return with_review(replace(bundle, restrictions=(asked,)), restrictions=1, restrictions_asked=5)


def to_permit2(bundle: Bundle, own: int | None, granted: int, expires: int, exposed: int | None) -> Bundle:
    """A Permit2 grant, with Permit2's own allowance where it has one."""
    grant = GrantRecord(SWEEP_ID, CHAIN, GrantKind.PERMIT2, OMNIBUS, USD, OUTSIDE, granted, expires, exposed, "")
    grants = [grant, *bundle.grants]
    if own is not None:
        grants.append(replace(bundle.grants[0], spender=PERMIT2_ADDRESS, base_units=own, exposed=own))
    return with_review(replace(bundle, grants=tuple(grants)), grants=len(grants))


GOOD: dict[str, Change] = {
    "as it is": lambda b: b,
    "an allowance above the balance": lambda b: with_grant(b, base_units=2**256 - 1, exposed=1_000 * 10**6),
    "an operator with one case for all tokens of its collection": lambda b: with_cases(
        with_grant(replace(b, cases=b.cases[:-1]), kind=GrantKind.OPERATOR), "encumbrance"
    ),
    "Permit2 without an allowance of its own": lambda b: to_permit2(b, None, 50, BLOCK_SECOND, 0),
    "Permit2 within its allowance": lambda b: to_permit2(b, 40, 50, BLOCK_SECOND, 40),
    "Permit2 that ended": lambda b: to_permit2(b, 40, 50, BLOCK_SECOND - 1, 0),
    "a module with its case": lambda b: with_cases(
        with_control(b, control(OMNIBUS, account_kind="safe", modules=OUTSIDE, owners="0x1,0x2,0x3", threshold="2")),
        "encumbrance",
        asset=ETH,
    ),
    "a Safe that is not as mapped, with its case": lambda b: with_cases(
        with_control(b, control(OMNIBUS, account_kind="safe", modules="none", owners="0x1", threshold="1")),
        "control_change",
    ),
    "a paused token with its case": lambda b: with_cases(
        with_restriction(b, None, Answer.RESTRICTED), "encumbrance", place=CHAIN_PLACE, asset=USD
    ),
    "a clear answer": lambda b: with_restriction(b, None, Answer.CLEAR),
    "approvals from a later block, with its case": lambda b: with_cases(
        with_review(b, approvals_first=5), "coverage_gap", place=CHAIN_PLACE
    ),
    "not asked": lambda b: replace(
        b, grants=(), controls=(), restrictions=(),
        control_reviews=(
            replace(
                review(0), status=ReviewStatus.NOT_ASKED, reason="switched off", node_id="", permit2=None,
                approvals_first=None, approvals_last=None, pairs_asked=0,
            ),
        ),
    ),
}  # fmt: skip

BAD: dict[str, Change] = {
    "exposed less than it is": lambda b: with_grant(b, exposed=0),
    "exposed more than the balance": lambda b: with_grant(b, base_units=2**200, exposed=2**200),
    "exposed not known although it is": lambda b: with_grant(b, exposed=None),
    "a grant hidden": lambda b: replace(b, grants=()),
    "a grant hidden and the count with it": lambda b: with_review(
        replace(b, grants=(), controls=b.controls[1:]), grants=0, controls=3
    ),
    "a grant twice": lambda b: with_review(
        replace(b, grants=(b.grants[0], replace(b.grants[0], base_units=71, exposed=71))), grants=2
    ),
    "a grant of no mapped wallet": lambda b: with_grant(b, owner=OUTSIDE, exposed=None),
    "a grant of another asset": lambda b: with_grant(b, asset_id="eip155:1/slip44:60", exposed=None),
    "an operator with the case of another place": lambda b: with_cases(
        with_grant(replace(b, cases=b.cases[:-1]), kind=GrantKind.OPERATOR), "encumbrance", place=CHAIN_PLACE
    ),
    "an operator with another kind of case": lambda b: with_cases(
        with_grant(replace(b, cases=b.cases[:-1]), kind=GrantKind.OPERATOR), "control_change"
    ),
    "an allowance with a case of no asset": lambda b: with_cases(replace(b, cases=b.cases[:-1]), "encumbrance"),
    "a grant without its case": lambda b: replace(b, cases=b.cases[:-1]),
    "an unread grant without its case": lambda b: with_grant(b, base_units=None, reason="x: y", exposed=None),
    "Permit2 beyond its allowance": lambda b: to_permit2(b, 40, 50, BLOCK_SECOND, 50),
    "Permit2 that ended and counts": lambda b: to_permit2(b, 40, 50, BLOCK_SECOND - 1, 40),
    "a wallet left out": lambda b: with_review(replace(b, controls=b.controls[1:]), controls=3, wallets_asked=3),
    "a wallet more stated than asked": lambda b: with_review(b, wallets_asked=5),
    "control of no mapped wallet": lambda b: with_review(
        replace(b, controls=(*b.controls, control(OUTSIDE))), controls=5, wallets_asked=5
    ),
    "control of no asset's contract": lambda b: with_review(
        replace(b, controls=(*b.controls, replace(control(OUTSIDE), role=AccountRole.TOKEN))), controls=5
    ),
    "an unread fact without a case": lambda b: with_control(
        b, replace(control(OMNIBUS), unread=(FactRecord("guard", "node-unavailable: silent"),))
    ),
    "no kind of account": lambda b: with_control(b, replace(control(OMNIBUS), facts=())),
    "an unknown contract without a case": lambda b: with_control(b, control(OMNIBUS, account_kind="contract")),
    "a nonce that was not read": lambda b: with_control(b, replace(control(OMNIBUS), nonce=None)),
    "a module without its case": lambda b: with_control(
        replace(b, grants=(), control_reviews=(review(4),), cases=b.cases[:-1]),
        control(OMNIBUS, account_kind="safe", modules=OUTSIDE, owners="0x1,0x2,0x3", threshold="2"),
    ),
    "a Safe that is not as mapped": lambda b: with_control(
        b, control(OMNIBUS, account_kind="safe", modules="none", owners="0x1", threshold="1")
    ),
    "delegated to nobody": lambda b: with_control(b, control(OMNIBUS, account_kind="delegated")),
    "a paused token without its case": lambda b: with_restriction(b, None, Answer.RESTRICTED),
    "a frozen wallet without its case": lambda b: with_restriction(b, SEGREGATED, Answer.RESTRICTED),
    "an unread answer without its case": lambda b: with_restriction(b, None, Answer.UNREAD, "x: y"),
    "frozen outside": lambda b: with_restriction(b, OUTSIDE, Answer.CLEAR),
    "approvals beyond the pin": lambda b: with_review(b, approvals_last=101),
    "approvals that stop early": lambda b: with_review(b, approvals_last=99),
    "approvals from a later block": lambda b: with_review(b, approvals_first=5),
    "no review": lambda b: replace(b, control_reviews=()),
    "two reviews": lambda b: replace(
        b, control_reviews=(*b.control_reviews, replace(b.control_reviews[0], pairs_asked=9))
    ),
    "a review of no sweep": lambda b: replace(
        b, control_reviews=(*b.control_reviews, replace(review(0), sweep_id="other", controls=0))
    ),
    "failed without a case": lambda b: replace(
        b, grants=(), controls=(),
        control_reviews=(
            replace(
                review(0), status=ReviewStatus.FAILED, reason="node-refused: pruned", permit2=None,
                approvals_first=None, approvals_last=None,
            ),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_what_is_stated_and_has_its_cases_passes(name: str, tmp_path: Path, firm: Firm) -> None:
    assert failed(GOOD[name](sample_bundle()), tmp_path, firm) == []


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_compute_or_has_no_case_is_refused(name: str, tmp_path: Path, firm: Firm) -> None:
    assert failed(BAD[name](sample_bundle()), tmp_path, firm) == [18]


def test_records_refuse_what_cannot_be(tmp_path: Path, firm: Firm) -> None:
    grant, state = sample_bundle().grants[0], control(OMNIBUS)
    for changes in ({"base_units": 0}, {"base_units": None}, {"expires_at_seconds": 5}, {"reason": "x"}):
        with pytest.raises(InvalidValue):
            replace(grant, **changes)
    with pytest.raises(InvalidValue):
        replace(state, facts=state.facts[::-1])
    with pytest.raises(InvalidValue):
        replace(state, unread=(FactRecord("account_kind", "x: y"),))
    with pytest.raises(InvalidValue):
        replace(review(1), reason="x")
    with pytest.raises(InvalidValue):
        replace(review(1), status=ReviewStatus.FAILED, reason="x")
    with pytest.raises(RecordInvalid):
        failed(
            with_grant(sample_bundle(), reason="see https://node/key", base_units=None, exposed=None), tmp_path, firm
        )


# Whose keys signed

ISSUED = BLOCK_TIME - timedelta(days=40)
ANSWERED = ISSUED + timedelta(hours=1)


def challenge(*addresses: Address, nonce: int = 7) -> KeyChallenge:
    return make_challenge(
        firm="Example Securities LLC",
        asked_by="Example Audit",
        block=BlockRef(CHAIN, 50, "0x" + "ab" * 32, "0x" + "cd" * 32, ISSUED),
        addresses=addresses,
        nonce=bytes([nonce]) * 32,
        issued_at=ISSUED,
        expires_at=ISSUED + timedelta(days=1),
    )


ASKED = challenge(ADDRESSES[0], ADDRESSES[1])


def proof(key: int, scheme: SignatureScheme = EIP191, asked: KeyChallenge = ASKED, **changes: Any) -> KeyProofRecord:
    given = signed(asked, KEYS[key], EIP712 if scheme is EIP1271 else scheme)
    record = KeyProofRecord(
        nonce=asked.nonce, chain_id=CHAIN, address=ADDRESSES[key], scheme=scheme, signature=given.signature,
        answered_at=ANSWERED, account_kind="contract" if scheme is EIP1271 else "key", node_id="node-a", height=60,
        block_hash=BLOCK_HASH, parent_hash=PARENT_HASH, block_time=ANSWERED, coins=(),
    )  # fmt: skip
    return replace(record, **changes)


def proven(*proofs: KeyProofRecord, asked: KeyChallenge = ASKED) -> Bundle:
    """The sample with two wallets of known keys, and proofs of theirs."""
    bundle = sample_bundle()
    mine = ADDRESSES[:2]
    return replace(
        bundle,
        wallets=(*bundle.wallets, *(wallet(each) for each in mine)),
        controls=(*bundle.controls, *(control(each) for each in mine)),
        control_reviews=(review(6, grants=1),),
        key_challenges=(KeyChallengeRecord(asked, tuple(sorted(mine))),),
        key_proofs=proofs,
    )


@pytest.mark.parametrize("scheme", [EIP191, EIP712, EIP1271])
def test_signatures_are_recovered_again(scheme: SignatureScheme, tmp_path: Path, firm: Firm) -> None:
    assert failed(proven(proof(0, scheme), proof(1)), tmp_path, firm) == []


def swapped() -> KeyProofRecord:
    """One wallet's signature in another's name."""
    return replace(proof(0), signature=proof(1).signature)


def altered() -> KeyProofRecord:
    good = proof(0)
    digit = "0" if good.signature[10] != "0" else "1"
    return replace(good, signature=good.signature[:10] + digit + good.signature[11:])


LATE = replace(ASKED, expires_at=CREATED + timedelta(days=9))
ELSEWHERE = challenge(*ADDRESSES[1:3])


def unmapped() -> Bundle:
    """The proof of a wallet that is none of the firm's."""
    bundle, plain = proven(proof(0)), sample_bundle()
    return replace(bundle, wallets=plain.wallets, controls=plain.controls, control_reviews=plain.control_reviews)


FORGED: dict[str, Callable[[], Bundle]] = {
    "an altered signature": lambda: proven(altered()),
    "another wallet's signature": lambda: proven(swapped()),
    "the scheme swapped": lambda: proven(replace(proof(0, EIP712), scheme=EIP191)),
    "the scheme swapped the other way": lambda: proven(replace(proof(0), scheme=EIP712)),
    "a key's signature called a contract's": lambda: proven(replace(proof(0), scheme=EIP1271)),
    "a contract that signs with a key": lambda: proven(proof(0, account_kind="contract")),
    "an unknown kind of account": lambda: proven(proof(0, account_kind="vault")),
    "answered too late": lambda: proven(proof(0, answered_at=ISSUED + timedelta(days=1))),
    "answered too early": lambda: proven(proof(0, answered_at=ISSUED - timedelta(seconds=1))),
    "answered after the bundle": lambda: proven(
        proof(0, asked=LATE, answered_at=CREATED + timedelta(days=1)), asked=LATE
    ),
    "a challenge of another nonce": lambda: proven(proof(0, asked=challenge(*ADDRESSES[:2], nonce=8))),
    "another nonce's signature": lambda: proven(
        replace(proof(0), signature=proof(0, asked=challenge(*ADDRESSES[:2], nonce=8)).signature)
    ),
    "a challenge whose words changed": lambda: proven(proof(0), asked=replace(ASKED, asked_by="Somebody else")),
    "a challenge of other addresses": lambda: proven(proof(0, asked=ELSEWHERE), asked=ELSEWHERE),
    "a challenge nobody answered": proven,
    "a wallet that is not mapped": unmapped,
    "two proofs of one wallet": lambda: proven(proof(0), proof(0, EIP712)),
    "below the challenge's block": lambda: proven(proof(0, height=49)),
    "the compact form": lambda: proven(proof(0, signature="0x" + "11" * 64)),
}  # fmt: skip


@pytest.mark.fault("G6", "G11")
@pytest.mark.parametrize("name", FORGED)
def test_what_a_key_did_not_sign_in_time_is_refused(name: str, tmp_path: Path, firm: Firm) -> None:
    assert failed(FORGED[name](), tmp_path, firm) == [19]


def test_the_report_says_what_a_signature_shows(tmp_path: Path, firm: Firm) -> None:
    bundle = proven(proof(0))
    text = report_text(verify(write(tmp_path, firm, bundle), firm.trusted))
    assert "A signature shows that somebody could sign" in text
    assert "It does not show who owns what is there" in text
    assert "Proof of control: 0.000000 of 1090.000000 USDX at proven wallets" in text
    without = report_text(verify(write(tmp_path, firm, sample_bundle()), firm.trusted))
    assert "No proof of control" in without
    assert f"{OUTSIDE} could take 0.000070 USDX from {OMNIBUS} (allowance)." in without


def test_coverage_is_by_age_of_the_challenge(tmp_path: Path, firm: Firm) -> None:
    bundle = proven(proof(0))
    moved = tuple(replace(b, address=ADDRESSES[0]) if b.address == OMNIBUS else b for b in bundle.balances)
    changed = replace(bundle, balances=moved)
    manifest, _ = payload_members(changed)
    contents = Contents(manifest=manifest, **{kind: tuple(getattr(changed, kind)) for kind in RECORD_TYPES})
    by_asset = {each.asset_id: each for each in key_coverage(contents)}
    assert by_asset[USD].proven == 1_000 * 10**6
    assert by_asset[USD].proven_within_days == (0, 1_000 * 10**6, 1_000 * 10**6)
    assert (by_asset[USD].total, by_asset[USD].unread) == (1_090 * 10**6, 1)
