"""What the signatures of an answer are worth. Pure: what the chain said is given.

The steps, in their order; the first that refuses names the reason:

    challenge-mismatch     the answer speaks of this very challenge: nonce, block, address list, all of it
    too-early, expired     it comes after the challenge was issued and before it expires
    block-gone             the challenge's block is still canonical
    not-asked              the address was asked
    duplicate              the address stands in the file once; of several, only the first is judged
    already-answered       the challenge was not answered for this address before
    signature-form         the signature has its scheme's one form
    contract-wallet        the account is of the kind that the scheme speaks for: no key signs for a contract,
    no-contract            no contract answers for an account that has a key
    other-key              the key that signed is the address's own
    contract-refused       the contract wallet accepts the signature
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from chains.errors import ReadError
from chains.evm.accounts import ContractQuestion
from chains.evm.scanner import AccountKind
from chains.evm.signatures import SignatureRefused, SignatureScheme, signature_bytes, signer
from chains.types import Address, BlockRef
from verifier.key_proof import GivenSignature, KeyAnswer, KeyChallenge, ProofOutcome, signed_digest

ACCOUNT_KINDS: Final = {AccountKind.EOA: "key", AccountKind.CONTRACT: "contract", AccountKind.DELEGATED: "delegated"}


class ChainWitness(Protocol):
    """What the chain says at one pinned block; a `ReadError` stands for what it could not be asked."""

    @property
    def block(self) -> BlockRef:
        """The block at which it is asked."""

    @property
    def node_id(self) -> str:
        """Who is asked."""

    def has_block(self, height: int, block_hash: str) -> bool | ReadError:
        """Whether a block is canonical."""

    def kinds(self, addresses: Sequence[Address]) -> Sequence[AccountKind | ReadError]:
        """What stands at each address."""

    def accepts(self, questions: Sequence[ContractQuestion]) -> Sequence[bool | ReadError]:
        """Whether each contract accepts its signature."""


@dataclass(frozen=True, slots=True)
class JudgedSignature:
    """A signature of an answer with its outcome."""

    given: GivenSignature
    outcome: ProofOutcome
    code: str
    """Stable name of the reason; empty when accepted."""
    reason: str
    """One sentence; empty when accepted."""
    account_kind: str
    """`key`, `contract` or `delegated` as read at `block`; empty when it was not read."""
    block: BlockRef | None
    """Where the chain was asked; None when it was not asked."""
    node_id: str


@dataclass(frozen=True, slots=True)
class _Reason:
    code: str
    text: str


def judge_answer(
    challenge: KeyChallenge,
    asked: Collection[Address],
    answered: Collection[Address],
    answer: KeyAnswer,
    witness: ChainWitness,
    moment: datetime,
) -> list[JudgedSignature]:
    """Every signature of an answer with its outcome, in the order of the file.

    `asked` are the challenge's addresses, `answered` those for which an answer was accepted before, `moment` the
    time at which the answer is given. The chain is asked only about what nothing else refuses.
    """
    whole = _refusal_of_all(challenge, answer, moment)
    if whole is not None:
        return [_refused(given, whole) for given in answer.signatures]
    places: dict[Address, int] = {}
    results: dict[int, JudgedSignature] = {}
    for place, given in enumerate(answer.signatures):
        refusal = _refusal_before_reading(given, place, places, asked, answered)
        places.setdefault(given.address, place)
        if refusal is not None:
            results[place] = _refused(given, refusal)
    left = [place for place in range(len(answer.signatures)) if place not in results]
    if left:
        judged = _ask(challenge, [answer.signatures[place] for place in left], witness)
        results.update(zip(left, judged, strict=True))
    return [results[place] for place in range(len(answer.signatures))]


def _refusal_of_all(challenge: KeyChallenge, answer: KeyAnswer, moment: datetime) -> _Reason | None:
    if (answer.nonce, answer.challenge_sha256) != (challenge.nonce, challenge.digest):
        return _Reason("challenge-mismatch", "the answer is for another challenge: nonce or digest differ")
    if moment < challenge.issued_at:
        return _Reason("too-early", "the answer is dated before the challenge; the clock went back")
    if moment >= challenge.expires_at:
        return _Reason("expired", "the challenge expired before the answer came; ask anew")
    return None


def _refusal_before_reading(
    given: GivenSignature,
    place: int,
    places: dict[Address, int],
    asked: Collection[Address],
    answered: Collection[Address],
) -> _Reason | None:
    if given.address not in asked:
        return _Reason("not-asked", "the challenge does not ask this address")
    if given.address in places:
        first, second = places[given.address] + 1, place + 1
        return _Reason("duplicate", f"signature {second} is for the address of signature {first}; it counts once")
    if given.address in answered:
        return _Reason("already-answered", "this challenge was answered for this address before")
    try:
        signature_bytes(given.signature, given.scheme)
    except SignatureRefused as error:
        return _Reason(error.code, str(error))
    return None


def _ask(challenge: KeyChallenge, signatures: Sequence[GivenSignature], witness: ChainWitness) -> list[JudgedSignature]:
    """Judge signatures of good form by what the chain says."""
    here = witness.has_block(challenge.height, challenge.block_hash)
    if isinstance(here, ReadError):
        return [_unverified(given, here, witness) for given in signatures]
    if not here:
        gone = _Reason("block-gone", "the challenge's block is no longer canonical; ask anew")
        return [_refused(given, gone, witness) for given in signatures]
    kinds = witness.kinds([given.address for given in signatures])
    results: list[JudgedSignature | None] = [None] * len(signatures)
    questions: dict[int, ContractQuestion] = {}
    for place, (given, kind) in enumerate(zip(signatures, kinds, strict=True)):
        if isinstance(kind, ReadError):
            results[place] = _unverified(given, kind, witness)
        elif (refusal := _refusal_of_kind(given.scheme, kind)) is not None:
            results[place] = _refused(given, refusal, witness, kind)
        elif given.scheme is SignatureScheme.EIP1271:
            digest = signed_digest(challenge, given.address, given.scheme)
            questions[place] = ContractQuestion(given.address, digest, signature_bytes(given.signature, given.scheme))
        else:
            refusal = _refusal_of_key(challenge, given)
            results[place] = _refused(given, refusal, witness, kind) if refusal else _accepted(given, witness, kind)
    answers = witness.accepts(list(questions.values())) if questions else []
    for place, accepts in zip(questions, answers, strict=True):
        given = signatures[place]
        if isinstance(accepts, ReadError):
            results[place] = _unverified(given, accepts, witness, AccountKind.CONTRACT)
        elif accepts:
            results[place] = _accepted(given, witness, AccountKind.CONTRACT)
        else:
            said_no = _Reason("contract-refused", "the contract wallet does not accept the signature")
            results[place] = _refused(given, said_no, witness, AccountKind.CONTRACT)
    assert all(each is not None for each in results)
    return [each for each in results if each is not None]


def _refusal_of_kind(scheme: SignatureScheme, kind: AccountKind) -> _Reason | None:
    if scheme is SignatureScheme.EIP1271:
        if kind is AccountKind.CONTRACT:
            return None
        return _Reason("no-contract", "there is no contract at the address; its key must sign (eip191 or eip712)")
    if kind is AccountKind.CONTRACT:
        return _Reason("contract-wallet", "the address is a contract, no key signs for it; use eip1271")
    return None


def _refusal_of_key(challenge: KeyChallenge, given: GivenSignature) -> _Reason | None:
    raw = signature_bytes(given.signature, given.scheme)
    try:
        found = signer(signed_digest(challenge, given.address, given.scheme), raw)
    except SignatureRefused as error:
        return _Reason(error.code, str(error))
    if found != given.address:
        return _Reason("other-key", f"another key signed, or other words: the signature leads to {found}")
    return None


def _accepted(given: GivenSignature, witness: ChainWitness, kind: AccountKind) -> JudgedSignature:
    return JudgedSignature(given, ProofOutcome.ACCEPTED, "", "", ACCOUNT_KINDS[kind], witness.block, witness.node_id)


def _refused(
    given: GivenSignature, why: _Reason, witness: ChainWitness | None = None, kind: AccountKind | None = None
) -> JudgedSignature:
    return _judged(given, ProofOutcome.REFUSED, why, witness, kind)


def _unverified(
    given: GivenSignature, error: ReadError, witness: ChainWitness, kind: AccountKind | None = None
) -> JudgedSignature:
    return _judged(given, ProofOutcome.UNVERIFIED, _Reason(error.code, str(error)), witness, kind)


def _judged(
    given: GivenSignature,
    outcome: ProofOutcome,
    why: _Reason,
    witness: ChainWitness | None,
    kind: AccountKind | None,
) -> JudgedSignature:
    return JudgedSignature(
        given,
        outcome,
        why.code,
        why.text,
        ACCOUNT_KINDS[kind] if kind is not None else "",
        witness.block if witness else None,
        witness.node_id if witness else "",
    )
