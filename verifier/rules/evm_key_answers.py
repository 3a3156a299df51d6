"""Signatures of EVM accounts, judged by what the chain says of each account. Pure.

What each must have; the reason is named by what is missing:

    contract-wallet     the account is of the kind that the scheme speaks for: no key signs for a contract,
    no-contract         no contract answers for an account that has a key
    other-key           the key that signed is the address's own
    contract-refused    the contract wallet accepts the signature
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from chains.errors import ReadError
from chains.evm.accounts import ContractQuestion
from chains.evm.scanner import AccountKind
from chains.evm.signatures import SignatureRefused, signature_bytes, signer
from chains.key_schemes import SignatureScheme
from chains.types import Address
from verifier.key_proof import GivenSignature, KeyChallenge, signed_digest
from verifier.rules.key_judgement import ChainWitness, JudgedSignature, Reason, accepted, refused, unverified

ACCOUNT_KINDS: Final = {AccountKind.EOA: "key", AccountKind.CONTRACT: "contract", AccountKind.DELEGATED: "delegated"}


class EvmWitness(ChainWitness, Protocol):
    """What an EVM chain says at one pinned block."""

    def kinds(self, addresses: Sequence[Address]) -> Sequence[AccountKind | ReadError]:
        """What stands at each address."""

    def accepts(self, questions: Sequence[ContractQuestion]) -> Sequence[bool | ReadError]:
        """Whether each contract accepts its signature."""


def ask_evm(
    challenge: KeyChallenge, signatures: Sequence[GivenSignature], witness: EvmWitness
) -> list[JudgedSignature]:
    """The outcome of each signature; their form is good, and the challenge's block stands."""
    kinds = witness.kinds([given.address for given in signatures])
    results: list[JudgedSignature | None] = [None] * len(signatures)
    questions: dict[int, ContractQuestion] = {}
    for place, (given, kind) in enumerate(zip(signatures, kinds, strict=True)):
        if isinstance(kind, ReadError):
            results[place] = unverified(given, kind, witness)
        elif (refusal := _refusal_of_kind(given.scheme, kind)) is not None:
            results[place] = refused(given, refusal, witness, ACCOUNT_KINDS[kind])
        elif given.scheme is SignatureScheme.EIP1271:
            digest = signed_digest(challenge, given.address, given.scheme)
            questions[place] = ContractQuestion(given.address, digest, signature_bytes(given.signature, given.scheme))
        else:
            wrong = _refusal_of_key(challenge, given)
            name = ACCOUNT_KINDS[kind]
            results[place] = refused(given, wrong, witness, name) if wrong else accepted(given, witness, name)
    answers = witness.accepts(list(questions.values())) if questions else []
    contract = ACCOUNT_KINDS[AccountKind.CONTRACT]
    for place, accepts in zip(questions, answers, strict=True):
        given = signatures[place]
        if isinstance(accepts, ReadError):
            results[place] = unverified(given, accepts, witness, contract)
        elif accepts:
            results[place] = accepted(given, witness, contract)
        else:
            said_no = Reason("contract-refused", "the contract wallet does not accept the signature")
            results[place] = refused(given, said_no, witness, contract)
    assert all(each is not None for each in results)
    return [each for each in results if each is not None]


def _refusal_of_kind(scheme: SignatureScheme, kind: AccountKind) -> Reason | None:
    if scheme is SignatureScheme.EIP1271:
        if kind is AccountKind.CONTRACT:
            return None
        return Reason("no-contract", "there is no contract at the address; its key must sign (eip191 or eip712)")
    if kind is AccountKind.CONTRACT:
        return Reason("contract-wallet", "the address is a contract, no key signs for it; use eip1271")
    return None


def _refusal_of_key(challenge: KeyChallenge, given: GivenSignature) -> Reason | None:
    raw = signature_bytes(given.signature, given.scheme)
    try:
        found = signer(signed_digest(challenge, given.address, given.scheme), raw)
    except SignatureRefused as error:
        return Reason(error.code, str(error))
    if found != given.address:
        return Reason("other-key", f"another key signed, or other words: the signature leads to {found}")
    return None
