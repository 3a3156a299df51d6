"""The few ABI selectors, topics and packed codecs that reading balances and transfers needs.

General ABI work (arbitrary contracts, signing) is web3's and eth-abi's; these are on the hot path and written out.
"""

from __future__ import annotations

from chains.evm.keccak import keccak256


def selector(signature: str) -> bytes:
    """The four-byte selector of a function signature such as `balanceOf(address)`."""
    return keccak256(signature.encode("ascii"))[:4]


BALANCE_OF = bytes.fromhex("70a08231")
"""balanceOf(address)"""
DECIMALS = bytes.fromhex("313ce567")
"""decimals()"""
AGGREGATE3 = bytes.fromhex("82ad56cb")
"""aggregate3((address,bool,bytes)[])"""
GET_ETH_BALANCE = bytes.fromhex("4d2301cc")
"""getEthBalance(address)"""
GET_BLOCK_NUMBER = bytes.fromhex("42cbb15c")
"""getBlockNumber()"""
GET_BLOCK_HASH = bytes.fromhex("ee82ac5e")
"""getBlockHash(uint256)"""
GET_CHAIN_ID = bytes.fromhex("3408e470")
"""getChainId()"""
GET_TIMESTAMP = bytes.fromhex("0f28c97d")
"""getCurrentBlockTimestamp()"""
TRANSFER_TOPIC = bytes.fromhex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")
"""Transfer(address,address,uint256): the event of ERC-20, and of ERC-721 with one topic more."""


def word(value: int) -> bytes:
    """An ABI word: 32 bytes, big-endian."""
    return value.to_bytes(32, "big")


def address_word(address: bytes) -> bytes:
    """An address as an ABI word."""
    return address.rjust(32, b"\0")


def hex_text(data: bytes) -> str:
    """The JSON-RPC spelling of bytes."""
    return "0x" + data.hex()
