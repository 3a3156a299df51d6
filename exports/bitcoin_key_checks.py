"""Checks 19 and 20 for Bitcoin: proofs judged again, offline by the consensus library, and by the reader's own node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from chains.bitcoin.key_proofs import WITH_COINS, judge_proof, script_kind
from chains.bitcoin.ledger_views import Coin
from chains.bitcoin.networks import DECIMALS, network_of
from chains.bitcoin.proof_types import ProofState
from chains.bitcoin.script import address_of_script
from chains.bitcoin.script_engine import ScriptEngineMissing
from chains.bitcoin.transaction import Output, id_bytes, outpoint
from chains.errors import ChainError, InvalidValue
from chains.key_schemes import BITCOIN_SCHEMES, SignatureScheme
from chains.reader import ChainReader, Pin
from chains.types import Address, Asset, Finality
from exports.agreed_transfer import transfer_problem
from exports.control_records import KeyProofRecord
from exports.key_challenge import KeyChallenge, signing_text
from exports.verdict import Outcome


class CoinReader(Protocol):
    """A reader that knows the unspent coins of addresses as of a block."""

    def coins(self, pin: Pin, addresses: Sequence[Address]) -> list[Coin]:
        """The unspent coins of addresses as of a block."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found out about one proof without a node."""

    problems: Sequence[str] = field(default_factory=list)
    obstacle: str = ""
    """Why it could not be judged; empty when it was."""


def judge_record(proof: KeyProofRecord, challenge: KeyChallenge) -> Judged:
    """19: the proof shows control by its own scheme, with the coins as the record has them.

    A transfer is on the chain and nowhere else: only its form is seen here.
    """
    try:
        network = network_of(challenge.chain_id)
        kind = script_kind(network, proof.address)
        if proof.scheme not in BITCOIN_SCHEMES:
            return Judged([f"{proof.scheme} is no scheme of Bitcoin"])
        if proof.account_kind != kind:
            return Judged([f"the address locks coins by {kind}, and not by {proof.account_kind}"])
        coins = _coins(proof)
        if bool(coins) != (proof.scheme in WITH_COINS):
            return Judged(["coins belong to proofs of funds and reserves, and to no others"])
        if proof.scheme is SignatureScheme.TRANSFER:
            problem = transfer_problem(challenge, proof.address, proof.signature, ())
            return Judged([problem.text] if problem and problem.code == "signature-form" else [])
        words, block = signing_text(challenge, proof.address), (challenge.height, challenge.block_hash)
        verdict = judge_proof(network, proof.address, words, block, proof.scheme, proof.signature, coins.get)
    except ScriptEngineMissing as error:
        return Judged(obstacle=f"not checked: {error}. {error.advice}")
    except InvalidValue as error:
        return Judged([str(error)])
    if verdict.state is not ProofState.VALID:
        return Judged([f"{verdict.code}: {verdict.reason}"])
    if [coin.outpoint for coin in verdict.coins] != list(coins):
        return Judged(["the coins of the record are not those that the proof signs for"])
    return Judged()


def rests_on_chain(proof: KeyProofRecord) -> bool:
    """Whether a node has to be asked about a proof: of its coins, or of its transfer."""
    return bool(proof.coins) or proof.scheme is SignatureScheme.TRANSFER


def check_on_node(
    proofs: Sequence[KeyProofRecord], challenges: Mapping[str, KeyChallenge], reader: ChainReader
) -> Outcome:
    """20: the reader's own node had the coins unspent at the challenge's block, and has the agreed transfers."""
    problems: list[str] = []
    obstacles: list[str] = []
    for proof in proofs:
        where, challenge = f"proof of {proof.address}", challenges[proof.nonce]
        try:
            found = _problem_on_node(proof, challenge, reader)
        except (ChainError, InvalidValue) as error:
            obstacles.append(f"{where}: {getattr(error, 'code', 'invalid')}: {error}")
            continue
        if found:
            problems.append(f"{where}: {found}")
    return Outcome(len(proofs) - len(obstacles), problems, obstacles)


def _problem_on_node(proof: KeyProofRecord, challenge: KeyChallenge, reader: ChainReader) -> str:
    for height, block_hash in ((challenge.height, challenge.block_hash), (proof.height, proof.block_hash)):
        if reader.block_at(height).block_hash != block_hash:
            return f"your node has another block {height}"
    network = network_of(challenge.chain_id)
    if proof.scheme is SignatureScheme.TRANSFER:
        asset = Asset(network.asset_id, "BTC", DECIMALS)
        moved = reader.scan_transfers(challenge.height + 1, proof.block, [proof.address], [asset]).transfers
        problem = transfer_problem(challenge, proof.address, proof.signature, moved)
        return problem.text if problem else ""
    if not hasattr(reader, "coins"):
        raise InvalidValue("the chain's adapter does not tell single coins")
    coins = _coins(proof)
    owners = {address_of_script(network, coin.script) for coin in coins.values()}
    pin = Pin(
        reader.block_at(challenge.height), Finality.parse("latest"), header_checked=False, header_note="by height"
    )
    known = cast("CoinReader", reader).coins(pin, sorted(owner for owner in owners if owner is not None))
    held = {coin.outpoint: Output(coin.value, coin.script) for coin in known}
    missing = sum(held.get(name) != coin for name, coin in coins.items())
    return f"{missing} of {len(coins)} coins were not unspent there as stated" if missing else ""


def _coins(proof: KeyProofRecord) -> dict[bytes, Output]:
    found = {
        outpoint(id_bytes(coin.tx_id), coin.output): Output(coin.base_units, bytes.fromhex(coin.script))
        for coin in proof.coins
        if coin.output < 1 << 32
    }
    if len(found) < len(proof.coins) or any(coin.value < 0 for coin in found.values()):
        raise InvalidValue("a coin of the record stands twice, or is no coin")
    return found
