"""Others' evidence for tests: files in each layout, signed by keys that are made here."""

from __future__ import annotations

import base64
from dataclasses import replace
from hashlib import sha256
from typing import Final

from eth_account import Account
from eth_account.messages import encode_defunct

from chains.bitcoin.networks import MAIN, REGTEST
from chains.bitcoin.script import address_of_script
from chains.bitcoin.transaction import id_text, outpoint_parts
from chains.types import ChainId
from exports.bundle import Bundle
from exports.outside_evidence import OutsideDocument, take_bip127, take_list
from exports.outside_records import ImportedEvidenceRecord
from tests.chains.bitcoin.proof_makers import coin_of, legacy, lock_of, proof_file, psbt, reserves
from tests.exports.sample import CREATED, sample_bundle

WORDS: Final = "I am an example address"
FIRST, SECOND = (Account.from_key(bytes([number]) * 32) for number in (1, 2))
SNAPSHOT: Final = (
    "coin,Network,Snapshot Height,address,amount,message,signature1,signature2,redeem script/ public key,eoa1,eoa2"
)
HEAD: Final = "coin,snapshot height,amount\nETH,20914735,0.2\nBTC,763861,449.5140\n\n"


def signed(account: object, words: str = WORDS) -> str:
    """A signature by EIP-191."""
    return "0x" + account.sign_message(encode_defunct(text=words)).signature.hex()  # type: ignore[attr-defined, no-any-return]


def row(address: str = FIRST.address, amount: str = "0.05", signature: str = "", **changes: str) -> str:
    """A line of a snapshot, signed by the first key unless told otherwise."""
    cells = {
        "coin": "ETH", "network": "ETH", "height": "20914735", "address": address, "amount": amount, "message": WORDS,
        "signature": signature or signed(FIRST), "second": "", "key": "", "owner": "", "second_owner": "",
    } | changes  # fmt: skip
    return ",".join(cells.values())


def snapshot(*rows: str, head: str = HEAD) -> bytes:
    """A file with these lines below its head of totals."""
    return (head + "\n".join((SNAPSHOT, *rows)) + "\n").encode()


def taken(data: bytes, chain_id: ChainId | None = None) -> OutsideDocument:
    """What was taken of a list without a problem."""
    found = take_list(data, "an example exchange", chain_id)
    assert isinstance(found, OutsideDocument), found
    return found


def bitcoin_row() -> str:
    """A line of a P2PKH address of the main network with a wallet's signature."""
    lock = lock_of("p2pkh")
    address = address_of_script(MAIN, lock.script)
    assert address is not None
    signature = legacy(lock.keys[0], 31, WORDS)
    return row(address, "449.5140", signature, coin="BTC", network="BTC", height="763861")


def paper_spend(words: str = WORDS) -> bytes:
    """A finalized PSBT by BIP-127 over two coins."""
    locks = [lock_of("p2wpkh"), lock_of("p2tr")]
    coins = [coin_of(lock, number, 5_000 + number) for number, lock in enumerate(locks)]
    made, spent = reserves(coins, words)
    text = psbt(made, spent, "")
    return base64.b64decode(text)


def record(document: OutsideDocument, number: int = 1) -> ImportedEvidenceRecord:
    """As the bundle has it."""
    text = document.to_bytes()
    return ImportedEvidenceRecord(f"OE-{number:06d}", document.kind, text.decode(), sha256(text).hexdigest(), CREATED)


def with_evidence(*documents: OutsideDocument) -> Bundle:
    """The sample bundle with others' evidence."""
    return replace(sample_bundle(), imported_evidence=[record(each, at) for at, each in enumerate(documents, 1)])


def paper_document() -> OutsideDocument:
    """The paper spend as it was taken."""
    return take_bip127(paper_spend(), "an example custodian", REGTEST.chain_id, WORDS)


RESERVES = [coin_of(lock_of("p2wpkh"), 0, 5_000), coin_of(lock_of("p2tr"), 1, 5_001), coin_of(lock_of("p2pkh"), 2, 7)]
"""Coins of the proof file: the first two in one transaction, the third in another."""


def bip127_file(words: str = WORDS, **changes: object) -> bytes:
    """A proof file by BIP-127 of two transactions."""
    first, second = reserves(RESERVES[:2], words)[0], reserves(RESERVES[2:], words)[0]
    return base64.b64decode(proof_file(first, second, words=words, **changes))  # type: ignore[arg-type]


def coin_rows(*places: int) -> list[str]:
    """Rows of a list of coins."""
    rows = []
    for place in places:
        name, coin, lock = RESERVES[place]
        txid, number = outpoint_parts(name)
        rows.append(f"{id_text(txid)},{number},{coin.value},{lock.address}")
    return rows


def coin_list(*rows: str) -> bytes:
    """A list of coins."""
    return "\n".join(["transaction,output,satoshis,address", *rows, ""]).encode()


def proof_document(*places: int) -> OutsideDocument:
    """The proof file as it was taken with these coins given."""
    given = coin_list(*coin_rows(*places)) if places else None
    return take_bip127(bip127_file(), "an example custodian", REGTEST.chain_id, WORDS, given)
