"""Proofs of control of Bitcoin addresses, judged with our own ledger's coins and movements. Pure but for the scripts.

What each must have; the reason is named by what is missing:

    signature-form, wrong-script    the proof has its scheme's form, and the address is of a kind it speaks for
    other-words, other-key          it is for these words and this address, and the address's own key signed
    signature-rule                  it keeps the rules of BIP-322 beyond consensus: SIGHASH_ALL, low S and so on
    not-bound                       a signature covers the words
    inconclusive                    today's rules can judge it
    time-locked                     it is good now, and for every coin
    coin-not-held, coin-mismatch    each coin it spends on paper was unspent at the challenge's block, in our ledger
    no-own-coin, too-few-keys       one coin is the address's own; enough different keys signed
    no-such-transfer, wrong-amount  the agreed transfer is confirmed above the challenge's block, and exact
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from chains.bitcoin.key_proofs import WITH_COINS, judge_proof, script_kind
from chains.bitcoin.networks import network_of
from chains.bitcoin.proof_types import ProofState
from chains.bitcoin.transaction import Output
from chains.errors import ReadError
from chains.key_schemes import SignatureScheme
from chains.types import Address, Transfer
from exports.agreed_transfer import transfer_problem
from verifier.key_proof import GivenSignature, KeyChallenge, signing_text
from verifier.rules.key_judgement import ChainWitness, JudgedSignature, Reason, accepted, refused, unverified


class BitcoinWitness(ChainWitness, Protocol):
    """What our ledger of a Bitcoin chain says."""

    def coins(self, height: int, block_hash: str, addresses: Sequence[Address]) -> Mapping[bytes, Output] | ReadError:
        """The unspent coins of addresses as of a block, by outpoint."""

    def transfers(self, above: int, addresses: Sequence[Address]) -> Sequence[Transfer] | ReadError:
        """The confirmed movements of addresses in the blocks above a height, up to the pinned block."""


def ask_bitcoin(
    challenge: KeyChallenge,
    asked: Collection[Address],
    signatures: Sequence[GivenSignature],
    witness: BitcoinWitness,
) -> list[JudgedSignature]:
    """The outcome of each proof; the challenge's block stands. Raises `ScriptEngineMissing`."""
    coins: Mapping[bytes, Output] | ReadError = {}
    if any(given.scheme in WITH_COINS for given in signatures):
        coins = witness.coins(challenge.height, challenge.block_hash, sorted(asked))
    senders = sorted({given.address for given in signatures if given.scheme is SignatureScheme.TRANSFER})
    moved = witness.transfers(challenge.height, senders) if senders else ()
    return [_judge(challenge, given, coins, moved, witness) for given in signatures]


def _judge(
    challenge: KeyChallenge,
    given: GivenSignature,
    coins: Mapping[bytes, Output] | ReadError,
    moved: Sequence[Transfer] | ReadError,
    witness: BitcoinWitness,
) -> JudgedSignature:
    network = network_of(challenge.chain_id)
    kind = script_kind(network, given.address)
    if given.scheme is SignatureScheme.TRANSFER:
        if isinstance(moved, ReadError):
            return unverified(given, moved, witness, kind)
        problem = transfer_problem(challenge, given.address, given.signature, moved)
        return refused(given, Reason(*problem), witness, kind) if problem else accepted(given, witness, kind)
    if given.scheme in WITH_COINS and isinstance(coins, ReadError):
        return unverified(given, coins, witness, kind)
    held = {} if isinstance(coins, ReadError) else coins
    verdict = judge_proof(
        network,
        given.address,
        signing_text(challenge, given.address),
        (challenge.height, challenge.block_hash),
        given.scheme,
        given.signature,
        held.get,
    )
    if verdict.state is not ProofState.VALID:
        return refused(given, Reason(verdict.code, verdict.reason), witness, kind)
    return accepted(given, witness, kind, verdict.coins)
