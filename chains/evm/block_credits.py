"""What a block credits to accounts without any transaction of theirs: tips, withdrawals, rewards of mining.

Rewards of mining are paid on chains, and in blocks, with a difficulty: so many coins by the rules of each fork, and a
share for each uncle. They are not computed here. A block or uncle that a watched address mined is counted instead, as
a source of movement that was seen and not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from chains.errors import MalformedAnswer, ProofFailed, ReadError
from chains.evm.addresses import checksum_address
from chains.evm.balances import Transport
from chains.evm.blocks import Block
from chains.evm.header import decode_header
from chains.evm.keccak import keccak256
from chains.evm.quantity import data, encode_quantity, hash32, quantity
from chains.evm.rlp_encoding import wrap_list
from chains.evm.withdrawals import Withdrawal
from chains.jsonrpc import RpcCall
from chains.types import UINT256_MAX, Asset, BlockRef, ChainId, Transfer, TransferKind

WITHDRAWALS_IN_A_TOKEN: Final = frozenset({ChainId("eip155:100"), ChainId("eip155:10200")})
"""Gnosis chains: the withdrawals of a block are claims on a token contract there, and credit no native coin."""


def tip(gas_used: int, gas_price: int, base_fee: int) -> int:
    """What one transaction gives the fee recipient, in base units; before London the base fee is zero.

    Deposits of rollups have a gas price of zero, below the base fee: they give no tip and take none.
    """
    return gas_used * max(0, gas_price - base_fee)


def block_credits(
    block: BlockRef,
    native: Asset,
    watched: frozenset[bytes],
    *,
    recipient: bytes,
    tips: int,
    withdrawals: Iterable[Withdrawal],
) -> Iterator[Transfer]:
    """Tips and withdrawals of watched accounts: named by the block's hash in the place of a transaction's.

    Raises `MalformedAnswer` for tips beyond 2**256 - 1.
    """
    if tips > UINT256_MAX:
        raise MalformedAnswer("the receipts of a block state more tips than there can be")
    if recipient in watched and tips > 0:
        receiver = checksum_address(recipient)
        yield Transfer(block, block.block_hash, 0, native, None, receiver, tips, TransferKind.COINBASE)
    if block.chain_id in WITHDRAWALS_IN_A_TOKEN:
        return
    for each in withdrawals:
        if each.receiver in watched and each.gwei > 0:
            receiver = checksum_address(each.receiver)
            yield Transfer(
                block, block.block_hash, each.index, native, None, receiver, each.wei, TransferKind.WITHDRAWAL
            )


def fee_recipient(block: Block) -> bytes:
    """The account that the tips of a block go to."""
    return data(block[1].get("miner"), length=20)


def mined_by(transport: Transport, blocks: Iterable[Block], watched: frozenset[bytes], header_format: str) -> int:
    """How many blocks and uncles of blocks watched accounts mined for a reward. Uncles are asked for where there are.

    Raises `ProofFailed` when the uncles given are not those that the block names, any `ReadError` when they cannot be
    read.
    """
    count = 0
    for block in blocks:
        header, raw = block
        if raw.get("difficulty") is not None and quantity(raw["difficulty"]) > 0:
            count += fee_recipient(block) in watched
        named = raw.get("uncles")
        if named:
            if not isinstance(named, list):
                raise MalformedAnswer("the uncles of a block are not a list")
            count += sum(miner in watched for miner in _uncle_miners(transport, block, named, header_format))
        elif header.checked and hash32(raw.get("sha3Uncles")) != _NO_UNCLES:
            raise ProofFailed(f"{header.block} has uncles that the node does not name")
    return count


_NO_UNCLES: Final = "0x" + keccak256(wrap_list(b"")).hex()


def _uncle_miners(transport: Transport, block: Block, named: list[object], header_format: str) -> list[bytes]:
    header, raw = block
    calls = [
        RpcCall("eth_getUncleByBlockHashAndIndex", (header.block.block_hash, encode_quantity(place)))
        for place in range(len(named))
    ]
    miners, encoded = [], []
    for answer, name in zip(transport.batch(calls), named, strict=True):
        if isinstance(answer, ReadError):
            raise answer
        uncle = decode_header(answer, header.block.chain_id, header_format)
        assert isinstance(answer, dict)
        if uncle.block.block_hash != hash32(name):
            raise MalformedAnswer("the node gave another uncle than the block names")
        miners.append(data(answer.get("miner"), length=20))
        encoded.append(uncle.encoded)
    known = [each for each in encoded if each is not None]
    if header.checked and len(known) == len(encoded):
        root = "0x" + keccak256(wrap_list(b"".join(known))).hex()
        if root != hash32(raw.get("sha3Uncles")):
            raise ProofFailed(f"{header.block} has other uncles than the node gave")
    return miners
