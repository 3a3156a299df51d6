"""Proof files of BIP-127 among others' evidence: what they spend on paper is not in them, and has to be given. Pure.

A proof file has transactions and the message they commit to, and not the coins: without amount and script of a coin no
signature over it can be judged. Whoever gives the coins beside it has every signature judged; what is not given is
said, coin by coin. That a coin exists, and is unspent as of the block the file names, is nowhere judged.
"""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from chains.bitcoin.bip127 import check_transaction, proof_file_for
from chains.bitcoin.networks import Network, network_of
from chains.bitcoin.proof_types import ProofRefused, ProofState
from chains.bitcoin.script import address_of_script, script_of_address
from chains.bitcoin.transaction import MONEY_MAX, Output, Transaction, id_bytes, id_text, outpoint, outpoint_parts
from chains.errors import ChainError, InvalidValue
from chains.types import ChainId
from exports.outside_judging import SIGNED, Control, Holding, JudgedLine

COLUMNS: Final = ["transaction", "output", "satoshis", "address"]
"""Of a list of coins."""
SHOWN: Final = f"bip127: {SIGNED}; that the coin exists is its list's word"
NOT_GIVEN: Final = (
    "coin-not-given: the message is committed to; what this coin is was not given, and its signature not judged"
)
NOT_ALL_GIVEN: Final = (
    "coin-not-given: the message is committed to; not every coin of this transaction was given, and no signature judged"
)
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_AMOUNT: Final = re.compile(r"([0-9]{1,8})\.([0-9]{8})", re.ASCII)
_KEY: Final = re.compile(r"([0-9a-f]{64}):(0|[1-9][0-9]{0,9})", re.ASCII)
_OUTPUT_MAX: Final = 0xFFFF_FFFF

Coins = Mapping[bytes, Output]
"""By outpoint."""


def read_coins(data: bytes, chain_id: ChainId) -> Coins:
    """A list of coins: CSV in UTF-8 with the columns of `COLUMNS`. Raises `InvalidValue` for anything not clear."""
    network = network_of(chain_id)
    found: dict[bytes, Output] = {}
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise InvalidValue("the list of coins is no CSV in UTF-8") from None
    if not rows or rows[0] != COLUMNS:
        raise InvalidValue(f"the list of coins does not have the columns {', '.join(COLUMNS)}")
    for number, row in enumerate(rows[1:], 2):
        try:
            name, coin = _coin(row, network)
        except ChainError as error:
            raise InvalidValue(f"coin of line {number}: {error}") from None
        if name in found:
            raise InvalidValue(f"coin of line {number}: it is given twice")
        found[name] = coin
    return found


def judge_proof_file(data: bytes, chain_id: ChainId, message: str, coins: Coins) -> list[JudgedLine]:
    """Every coin that a proof file spends, a line each, with what of it could be judged.

    Raises `InvalidValue` for a file that is none, for another message or network, with a signature that does not hold,
    and for a coin given that it does not spend.
    """
    network = network_of(chain_id)
    lines: list[JudgedLine] = []
    try:
        for transaction in proof_file_for(network, message, data).transactions:
            control, reason = _control(transaction, message, coins)
            for spent in transaction.inputs[1:]:
                lines.append(_line(len(lines) + 1, spent.outpoint, network, message, coins, control, reason))
    except ProofRefused as error:
        raise InvalidValue(f"{error.code}: {error}") from None
    keys = [line.key for line in lines]
    if len(set(keys)) < len(keys):
        raise InvalidValue("signature-form: a coin stands in it twice")
    if unused := {_name(outpoint) for outpoint in coins} - set(keys):
        raise InvalidValue(f"it does not spend {min(unused)}, which was given")
    lines[0] = replace(lines[0], signatures=(base64.b64encode(data).decode(),))
    return lines


def coins_of_lines(lines: Sequence[JudgedLine], chain_id: ChainId) -> Coins:
    """The coins that were given when these lines were judged. Raises `InvalidValue`."""
    network, found = network_of(chain_id), {}
    for line in lines:
        key, amount = _KEY.fullmatch(line.key), _AMOUNT.fullmatch(line.amount)
        if key is None or bool(line.address) != bool(amount):
            raise InvalidValue(f"line {line.line} names no coin, or half of what it is")
        if amount is not None:
            satoshis = str(int(amount[1] + amount[2]))
            name, found_coin = _coin([key[1], key[2], satoshis, line.address], network)
            found[name] = found_coin
    return found


def _coin(row: Sequence[str], network: Network) -> tuple[bytes, Output]:
    if len(row) != len(COLUMNS):
        raise InvalidValue(f"it has {len(row)} fields, not {len(COLUMNS)}")
    transaction, number, satoshis, address = row
    if not (_NUMBER.fullmatch(number) and _NUMBER.fullmatch(satoshis)):
        raise InvalidValue("output or satoshis is no number")
    if int(number) > _OUTPUT_MAX or not 0 < int(satoshis) <= MONEY_MAX:
        raise InvalidValue("output or satoshis is out of range")
    script = script_of_address(network, address)
    if address_of_script(network, script) != address:
        raise InvalidValue("the address is not in its one spelling")
    return outpoint(id_bytes(transaction.lower()), int(number)), Output(int(satoshis), script)


def _control(transaction: Transaction, message: str, coins: Coins) -> tuple[Control, str]:
    if all(spent.outpoint in coins for spent in transaction.inputs[1:]):
        try:
            check_transaction(transaction, message, coins.get)
        except ProofRefused as error:
            if error.state is not ProofState.INCONCLUSIVE:
                raise
            return Control.NOT_JUDGED, f"{error.code}: {error}"
        return Control.SHOWN, SHOWN
    given = sum(coins[each.outpoint].value for each in transaction.inputs[1:] if each.outpoint in coins)
    if len(transaction.outputs) != 1 or transaction.outputs[0].value < given:
        raise ProofRefused("signature-form", "the one output is not worth exactly what the coins are")
    return Control.NOT_JUDGED, NOT_ALL_GIVEN


def _line(
    number: int, name: bytes, network: Network, message: str, coins: Coins, control: Control, reason: str
) -> JudgedLine:
    coin = coins.get(name)
    return JudgedLine(
        line=number,
        coin="BTC",
        chain_id=network.chain_id,
        network=network.name,
        address="" if coin is None else address_of_script(network, coin.script) or "",
        height=None,
        amount="" if coin is None else f"{coin.value // 10**8}.{coin.value % 10**8:08d}",
        message=message,
        signatures=(),
        key=_name(name),
        owners=(),
        control=control,
        control_reason=NOT_GIVEN if coin is None else reason,
        holding=Holding.NONE if coin is None else Holding.STATED,
        holding_reason="no amount is stated" if coin is None else "no node of our own was asked",
    )


def _name(name: bytes) -> str:
    txid, number = outpoint_parts(name)
    return f"{id_text(txid)}:{number}"
