# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title A token whose receiver gets less than the Transfer event says
@notice The fee disappears from the supply without an event of its own.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

symbol: public(constant(String[8])) = "FEE"
decimals: public(constant(uint8)) = 18
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
fee_basis_points: public(uint256)


@deploy
def __init__(fee_basis_points: uint256):
    assert fee_basis_points <= 10_000, "more than everything"
    self.fee_basis_points = fee_basis_points


@external
def mint(receiver: address, amount: uint256) -> bool:
    self.totalSupply += amount
    self.balanceOf[receiver] += amount
    log Transfer(sender=empty(address), receiver=receiver, amount=amount)
    return True


@external
def transfer(receiver: address, amount: uint256) -> bool:
    fee: uint256 = amount * self.fee_basis_points // 10_000
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[receiver] += amount - fee
    self.totalSupply -= fee
    log Transfer(sender=msg.sender, receiver=receiver, amount=amount)
    return True
