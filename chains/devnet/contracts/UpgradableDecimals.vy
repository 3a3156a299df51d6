# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title A token that changes its decimals after it was reviewed
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

symbol: public(constant(String[8])) = "MOVING"
decimals: public(uint8)
balanceOf: public(HashMap[address, uint256])


@deploy
def __init__(decimals: uint8):
    self.decimals = decimals


@external
def set_decimals(decimals: uint8):
    self.decimals = decimals


@external
def mint(receiver: address, amount: uint256) -> bool:
    self.balanceOf[receiver] += amount
    log Transfer(sender=empty(address), receiver=receiver, amount=amount)
    return True
