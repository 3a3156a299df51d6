"""What the signatures of an answer are worth. Pure: what the chain said is given.

The steps, in their order; the first that refuses names the reason:

    challenge-mismatch     the answer speaks of this very challenge: nonce, block, address list, all of it
    too-early, expired     it comes after the challenge was issued and before it expires
    not-asked              the address was asked
    scheme-not-accepted    the challenge accepts answers by this scheme
    duplicate              the address stands in the file once; of several, only the first is judged
    already-answered       the challenge was not answered for this address before
    signature-form         the signature has its scheme's one form
    block-gone             the challenge's block is still canonical

and what is the chain's own: `verifier.rules.evm_key_answers`, `verifier.rules.bitcoin_key_answers`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import cast

from chains.errors import ReadError
from chains.evm.signatures import SignatureRefused, signature_bytes
from chains.key_schemes import EVM_SCHEMES
from chains.types import Address, chain_namespace
from verifier.key_proof import GivenSignature, KeyAnswer, KeyChallenge
from verifier.rules.bitcoin_key_answers import BitcoinWitness, ask_bitcoin
from verifier.rules.evm_key_answers import EvmWitness, ask_evm
from verifier.rules.key_judgement import ChainWitness, JudgedSignature, Reason, refused, unverified


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
    time at which the answer is given; `witness` is of the challenge's kind of chain. The chain is asked only about
    what nothing else refuses. Raises `ScriptEngineMissing` when Bitcoin scripts would have to be run without it.
    """
    whole = _refusal_of_all(challenge, answer, moment)
    if whole is not None:
        return [refused(given, whole) for given in answer.signatures]
    places: dict[Address, int] = {}
    results: dict[int, JudgedSignature] = {}
    for place, given in enumerate(answer.signatures):
        refusal = _refusal_before_reading(challenge, given, place, places, asked, answered)
        places.setdefault(given.address, place)
        if refusal is not None:
            results[place] = refused(given, refusal)
    left = [place for place in range(len(answer.signatures)) if place not in results]
    if left:
        judged = _ask(challenge, asked, [answer.signatures[place] for place in left], witness)
        results.update(zip(left, judged, strict=True))
    return [results[place] for place in range(len(answer.signatures))]


def _refusal_of_all(challenge: KeyChallenge, answer: KeyAnswer, moment: datetime) -> Reason | None:
    if (answer.nonce, answer.challenge_sha256) != (challenge.nonce, challenge.digest):
        return Reason("challenge-mismatch", "the answer is for another challenge: nonce or digest differ")
    if moment < challenge.issued_at:
        return Reason("too-early", "the answer is dated before the challenge; the clock went back")
    if moment >= challenge.expires_at:
        return Reason("expired", "the challenge expired before the answer came; ask anew")
    return None


def _refusal_before_reading(
    challenge: KeyChallenge,
    given: GivenSignature,
    place: int,
    places: dict[Address, int],
    asked: Collection[Address],
    answered: Collection[Address],
) -> Reason | None:
    if given.address not in asked:
        return Reason("not-asked", "the challenge does not ask this address")
    if given.scheme not in challenge.schemes:
        named = ", ".join(challenge.schemes)
        return Reason("scheme-not-accepted", f"the challenge accepts {named}, and not {given.scheme}")
    if given.address in places:
        first, second = places[given.address] + 1, place + 1
        return Reason("duplicate", f"signature {second} is for the address of signature {first}; it counts once")
    if given.address in answered:
        return Reason("already-answered", "this challenge was answered for this address before")
    if given.scheme in EVM_SCHEMES:
        try:
            signature_bytes(given.signature, given.scheme)
        except SignatureRefused as error:
            return Reason(error.code, str(error))
    return None


def _ask(
    challenge: KeyChallenge, asked: Collection[Address], signatures: Sequence[GivenSignature], witness: ChainWitness
) -> list[JudgedSignature]:
    """Judge signatures of good form by what the chain says."""
    here = witness.has_block(challenge.height, challenge.block_hash)
    if isinstance(here, ReadError):
        return [unverified(given, here, witness) for given in signatures]
    if not here:
        gone = Reason("block-gone", "the challenge's block is no longer canonical; ask anew")
        return [refused(given, gone, witness) for given in signatures]
    if chain_namespace(challenge.chain_id) == "bip122":
        return ask_bitcoin(challenge, asked, signatures, cast("BitcoinWitness", witness))
    return ask_evm(challenge, signatures, cast("EvmWitness", witness))


__all__ = ["ChainWitness", "JudgedSignature", "judge_answer"]
