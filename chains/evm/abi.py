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
BALANCE_OF_ID = bytes.fromhex("00fdd58e")
"""balanceOf(address,uint256) of ERC-1155"""
OWNER_OF = bytes.fromhex("6352211e")
"""ownerOf(uint256) of ERC-721"""
SUPPORTS_INTERFACE = bytes.fromhex("01ffc9a7")
"""supportsInterface(bytes4) of ERC-165"""
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
TRANSFER_SINGLE_TOPIC = bytes.fromhex("c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62")
"""TransferSingle(address,address,address,uint256,uint256) of ERC-1155: operator, sender, receiver, id, amount."""
TRANSFER_BATCH_TOPIC = bytes.fromhex("4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb")
"""TransferBatch(address,address,address,uint256[],uint256[]) of ERC-1155."""
DEPOSIT_TOPIC = bytes.fromhex("e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c")
"""Deposit(address,uint256): coins given to a wrapping token."""
WITHDRAWAL_TOPIC = bytes.fromhex("7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65")
"""Withdrawal(address,uint256): coins taken out of a wrapping token."""


def word(value: int) -> bytes:
    """An ABI word: 32 bytes, big-endian."""
    return value.to_bytes(32, "big")


def address_word(address: bytes) -> bytes:
    """An address as an ABI word."""
    return address.rjust(32, b"\0")


def hex_text(data: bytes) -> str:
    """The JSON-RPC spelling of bytes."""
    return "0x" + data.hex()
