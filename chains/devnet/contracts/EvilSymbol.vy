# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title A token whose name and symbol are any bytes at all
@notice Control characters, HTML, broken UTF-8, thousands of bytes. The bytes are answered in the encoding of a string.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

name: public(Bytes[8192])
symbol: public(Bytes[8192])
decimals: public(uint256)
balanceOf: public(HashMap[address, uint256])


@deploy
def __init__(name: Bytes[8192], symbol: Bytes[8192], decimals: uint256):
    self.name = name
    self.symbol = symbol
    self.decimals = decimals


@external
def mint(receiver: address, amount: uint256) -> bool:
    self.balanceOf[receiver] += amount
    log Transfer(sender=empty(address), receiver=receiver, amount=amount)
    return True
