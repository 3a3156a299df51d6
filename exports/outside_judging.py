"""What others' evidence is worth: signatures judged again, balances only where our own node said the same. Pure.

A signature shows that the keys of an address signed some words at some time before. Others' messages are constant as a
rule and name no moment, so nothing here says that control stands now; challenges of our own do (`custody key-proof`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from chains.bitcoin.bip127 import ANYONE, commitment_outpoint
from chains.bitcoin.bip322 import check_inputs
from chains.bitcoin.key_proofs import judge_proof, script_kind
from chains.bitcoin.networks import Network, network_of
from chains.bitcoin.proof_types import ProofRefused, ProofState
from chains.bitcoin.psbt import read_finalized_psbt
from chains.bitcoin.script import address_of_script
from chains.bitcoin.script_engine import ScriptEngineMissing
from chains.bitcoin.transaction import NO_OUTPOINT, Output
from chains.errors import ChainError, InvalidValue
from chains.evm.keccak import keccak256
from chains.evm.signatures import SignatureRefused, bytes_digest, signature_bytes, signer
from chains.key_schemes import SignatureScheme
from chains.types import Address, ChainId, chain_namespace
from exports.codec import PlainText, Text
from exports.outside_lists import OutsideLine

FREE: Final = Text(characters_max=8_000_000)
HEIGHT_WITHOUT_ONE: Final = 0
SIGNED: Final = "the keys signed these words at some time before; the words name no moment"


class Control(StrEnum):
    """Whether the keys of an address signed."""

    SHOWN = "shown"
    REFUSED = "refused"
    """What is given for a signature is none, or another's."""
    NOT_JUDGED = "not_judged"
    """There is none, or it cannot be judged here."""


class Holding(StrEnum):
    """What became of the stated amount."""

    READ = "read"
    """A node of our own said the same at that height."""
    DIFFERS = "differs"
    """A node of our own said another amount."""
    STATED = "stated"
    """Nobody of ours was asked, or could say."""
    NONE = "none"
    """No amount is stated."""


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """One line and what it is worth."""

    line: int
    coin: PlainText
    chain_id: PlainText
    network: PlainText
    address: PlainText
    height: int | None
    amount: PlainText
    message: Annotated[str, FREE]
    signatures: tuple[Annotated[str, FREE], ...]
    key: Annotated[str, FREE]
    owners: tuple[PlainText, ...]
    control: Control
    control_reason: PlainText
    holding: Holding
    holding_reason: PlainText
    """Which node said what, or why none was asked."""


Ask = Callable[[OutsideLine], tuple[Holding, str]]
"""Asks a node of our own about a stated amount."""


def nobody_asked(line: OutsideLine) -> tuple[Holding, str]:
    """The answer where no node is configured."""
    if not line.amount:
        return Holding.NONE, "no amount is stated"
    return Holding.STATED, "no node of our own was asked"


def judge_line(line: OutsideLine, ask: Ask = nobody_asked) -> JudgedLine:
    """What a line is worth."""
    control, reason = judge_control(line)
    holding, said = ask(line) if line.amount else nobody_asked(line)
    return JudgedLine(
        line=line.line,
        coin=line.coin,
        chain_id=line.chain_id,
        network=line.network,
        address=line.address,
        height=line.height,
        amount=line.amount,
        message=line.message,
        signatures=line.signatures,
        key=line.key,
        owners=line.owners,
        control=control,
        control_reason=reason,
        holding=holding,
        holding_reason=said,
    )


def judge_control(line: OutsideLine | JudgedLine) -> tuple[Control, str]:
    """Whether the keys of a line's address signed its message, and why it is thought so."""
    if not line.signatures:
        return Control.NOT_JUDGED, "there is no signature"
    if not line.chain_id:
        return Control.NOT_JUDGED, f"the network {line.network or line.coin!r} is not known here"
    try:
        if chain_namespace(ChainId(line.chain_id)) == "bip122":
            return _bitcoin(line, network_of(ChainId(line.chain_id)))
        return _evm(line)
    except ScriptEngineMissing as error:
        return Control.NOT_JUDGED, f"{error.code}: {error}"
    except ProofRefused as error:
        return Control.REFUSED, f"{error.code}: {error}"
    except ChainError as error:
        return Control.REFUSED, str(error)[:500]


def _evm(line: OutsideLine | JudgedLine) -> tuple[Control, str]:
    if line.owners:
        return Control.NOT_JUDGED, "accounts signed for a contract, and whether they may is the contract's to say"
    if len(line.signatures) != 1:
        return Control.REFUSED, "an account signs once"
    words = line.message.encode()
    try:
        signature = signature_bytes(line.signatures[0], SignatureScheme.EIP191)
        for how, digest in (("eip191", bytes_digest(words)), ("eip191 of keccak256", bytes_digest(keccak256(words)))):
            if signer(digest, signature) == line.address:
                return Control.SHOWN, f"{how}: {SIGNED}"
    except SignatureRefused as error:
        return Control.REFUSED, f"{error.code}: {error}"
    return Control.REFUSED, "another key signed, or other words"


def _bitcoin(line: OutsideLine | JudgedLine, network: Network) -> tuple[Control, str]:
    address = Address(line.address)
    if line.key:
        scheme, signature = SignatureScheme.MULTISIG_KEYS, " ".join((line.key, *line.signatures))
    elif len(line.signatures) == 1:
        signature = line.signatures[0]
        scheme = _scheme(script_kind(network, address), signature)
    else:
        return Control.REFUSED, "several signatures, and no script that asks for them"
    height = line.height or HEIGHT_WITHOUT_ONE
    verdict = judge_proof(network, address, line.message, (height, ""), scheme, signature, lambda _: None)
    if verdict.state is ProofState.INCONCLUSIVE:
        return Control.NOT_JUDGED, f"{verdict.code}: {verdict.reason}"
    if verdict.state is ProofState.INVALID:
        return Control.REFUSED, f"{verdict.code}: {verdict.reason}"
    return Control.SHOWN, f"{scheme}: {SIGNED}"


def _scheme(kind: str, signature: str) -> SignatureScheme:
    """65 bytes are a single key's signature; everything else is of BIP-322."""
    try:
        is_single = len(base64.b64decode(signature, validate=True)) == 65
    except ValueError:
        is_single = False
    if kind == "p2pkh" and is_single:
        return SignatureScheme.LEGACY
    if kind in ("p2wpkh", "p2sh") and is_single:
        return SignatureScheme.LEGACY_SEGWIT
    if kind in ("p2wpkh", "p2wsh", "p2tr"):
        return SignatureScheme.BIP322_SIMPLE
    return SignatureScheme.BIP322_FULL


def read_bip127(data: bytes, chain_id: ChainId, message: str) -> list[OutsideLine]:
    """The coins of a finalized PSBT by BIP-127, a line each; what they are worth is the PSBT's word.

    Raises `InvalidValue` for anything that does not prove control of every coin that it spends.
    """
    network = network_of(chain_id)
    try:
        coins = _paper_spend(data, message)
    except ProofRefused as error:
        raise InvalidValue(f"{error.code}: {error}") from None
    found = []
    for number, coin in enumerate(coins, 1):
        address = address_of_script(network, coin.script)
        if address is None:
            raise InvalidValue(f"coin {number} has a script without an address")
        found.append(
            OutsideLine(
                line=number,
                coin="BTC",
                network=network.name,
                chain_id=chain_id,
                address=address,
                height=None,
                amount=f"{coin.value // 10**8}.{coin.value % 10**8:08d}",
                message=message,
                signatures=(base64.b64encode(data).decode(),) if number == 1 else (),
                key="",
                owners=(),
            )
        )
    return found


def _paper_spend(data: bytes, message: str) -> list[Output]:
    """The coins that a proof spends, each with a signature that holds. Raises `ProofRefused`."""
    made = read_finalized_psbt(data)
    transaction = made.transaction
    if transaction.inputs[0].outpoint != commitment_outpoint(message):
        raise ProofRefused("other-words", "the first input does not commit to the message")
    names = [each.outpoint for each in transaction.inputs]
    if len(set(names)) < len(names) or NO_OUTPOINT in names:
        raise ProofRefused("signature-form", "a coin stands in it twice")
    coins = [coin for coin in made.coins[1:] if coin is not None]
    if not coins or len(coins) < len(names) - 1:
        raise ProofRefused("signature-form", "it does not say of every coin what it is")
    if [each.value for each in transaction.outputs] != [sum(coin.value for coin in coins)]:
        raise ProofRefused("signature-form", "the one output is not worth exactly what the coins are")
    check_inputs(transaction, [Output(0, ANYONE), *coins], range(1, len(names)))
    return coins
