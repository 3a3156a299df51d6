# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title A token whose every balance moves without any event
@notice Balances are shares times an index in units of 10**18; `rebase` sets the index and logs nothing.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

ONE: constant(uint256) = 10 ** 18
symbol: public(constant(String[8])) = "REBASE"
decimals: public(constant(uint8)) = 18
index: public(uint256)
shares: public(HashMap[address, uint256])
total_shares: uint256


@deploy
def __init__():
    self.index = ONE


@external
@view
def balanceOf(holder: address) -> uint256:
    return self.shares[holder] * self.index // ONE


@external
@view
def totalSupply() -> uint256:
    return self.total_shares * self.index // ONE


@external
def rebase(index: uint256):
    assert index > 0, "an index of zero cannot be undone"
    self.index = index


@external
def mint(receiver: address, amount: uint256) -> bool:
    shares: uint256 = amount * ONE // self.index
    self.total_shares += shares
    self.shares[receiver] += shares
    log Transfer(sender=empty(address), receiver=receiver, amount=amount)
    return True


@external
def transfer(receiver: address, amount: uint256) -> bool:
    shares: uint256 = amount * ONE // self.index
    self.shares[msg.sender] -= shares
    self.shares[receiver] += shares
    log Transfer(sender=msg.sender, receiver=receiver, amount=amount)
    return True
