"""Judging proofs of control of Bitcoin addresses, by the scheme that the signer named."""

from __future__ import annotations

from typing import Final

from chains.bitcoin.bip127 import judge_file
from chains.bitcoin.bip322 import judge_full, judge_funds, judge_simple
from chains.bitcoin.legacy_message import judge_legacy, judge_legacy_segwit, judge_multisig_keys
from chains.bitcoin.networks import Network
from chains.bitcoin.proof_types import LOCK_TIME_IS_TIME, CoinOf, ProofRefused, ProofState, Verdict
from chains.bitcoin.script import script_of_address, witness_program
from chains.errors import InvalidValue
from chains.key_schemes import SignatureScheme
from chains.types import Address

WITH_COINS: Final = (SignatureScheme.BIP322_FUNDS, SignatureScheme.BIP127)
"""Schemes whose proofs spend coins of the wallets on paper."""
SCHEME_KINDS: Final = {
    SignatureScheme.BIP322_SIMPLE: ("p2wpkh", "p2wsh", "p2tr"),
    SignatureScheme.LEGACY: ("p2pkh",),
    SignatureScheme.LEGACY_SEGWIT: ("p2wpkh", "p2sh"),
    SignatureScheme.MULTISIG_KEYS: ("p2wsh", "p2sh"),
}
"""The kinds of addresses (`script_kind`) that a scheme can speak for; the others speak for every kind."""
P2PKH_BYTES: Final = 25
_KINDS: Final = {(0, 20): "p2wpkh", (0, 32): "p2wsh", (1, 32): "p2tr"}


def judge_proof(
    network: Network,
    address: Address,
    words: str,
    block: tuple[int, str],
    scheme: SignatureScheme,
    signature: str,
    coin_of: CoinOf,
) -> Verdict:
    """What a proof for an address shows. `words` is what was to be signed, `block` height and hash of the challenge's.

    A proof that is good only later (a lock time above the block) or for old coins only (a relative lock) is refused:
    control is asked for now. Raises `ScriptEngineMissing` without the optional part `bitcoin`, and `InvalidValue`
    for a scheme that is no signature on Bitcoin.
    """
    script = script_of_address(network, address)
    message = words.encode()
    try:
        if scheme is SignatureScheme.BIP322_SIMPLE:
            verdict = judge_simple(script, message, signature)
        elif scheme is SignatureScheme.BIP322_FULL:
            verdict = judge_full(script, message, signature)
        elif scheme is SignatureScheme.BIP322_FUNDS:
            verdict = judge_funds(script, message, signature, coin_of)
        elif scheme is SignatureScheme.BIP127:
            verdict = judge_file(network, script, words, block[1], signature, coin_of)
        elif scheme is SignatureScheme.LEGACY:
            verdict = judge_legacy(script, message, signature)
        elif scheme is SignatureScheme.LEGACY_SEGWIT:
            verdict = judge_legacy_segwit(script, message, signature)
        elif scheme is SignatureScheme.MULTISIG_KEYS:
            verdict = judge_multisig_keys(script, message, signature)
        else:
            raise InvalidValue(f"{scheme} is no scheme of signatures on Bitcoin")
    except ProofRefused as refusal:
        return Verdict(refusal.state, refusal.code, str(refusal))
    if verdict.age:
        return _locked(f"valid for coins of the relative age {verdict.age:#x} only, and not for every coin now")
    if verdict.lock_time >= LOCK_TIME_IS_TIME or verdict.lock_time > block[0]:
        return _locked(f"valid only from lock time {verdict.lock_time} on, which block {block[0]} has not reached")
    return verdict


def _locked(text: str) -> Verdict:
    return Verdict(ProofState.INVALID, "time-locked", text)


def script_kind(network: Network, address: Address) -> str:
    """How an address locks coins: `p2pkh`, `p2sh`, `p2wpkh`, `p2wsh`, `p2tr` or `witness`."""
    program = witness_program(script := script_of_address(network, address))
    if program is None:
        return "p2pkh" if len(script) == P2PKH_BYTES else "p2sh"
    return _KINDS.get((program[0], len(program[1])), "witness")
