# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title Wrapped ether as WETH9 does it
@notice Deposits and withdrawals change balances with Deposit and Withdrawal events, and without a Transfer.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

event Deposit:
    receiver: indexed(address)
    amount: uint256

event Withdrawal:
    sender: indexed(address)
    amount: uint256

name: public(constant(String[16])) = "Wrapped Ether"
symbol: public(constant(String[4])) = "WETH"
decimals: public(constant(uint8)) = 18
balanceOf: public(HashMap[address, uint256])


@external
@payable
def __default__():
    self._deposit()


@external
@payable
def deposit():
    self._deposit()


@internal
@payable
def _deposit():
    self.balanceOf[msg.sender] += msg.value
    log Deposit(receiver=msg.sender, amount=msg.value)


@external
def withdraw(amount: uint256):
    self.balanceOf[msg.sender] -= amount
    log Withdrawal(sender=msg.sender, amount=amount)
    raw_call(msg.sender, b"", value=amount)


@external
@view
def totalSupply() -> uint256:
    return self.balance


@external
def transfer(receiver: address, amount: uint256) -> bool:
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[receiver] += amount
    log Transfer(sender=msg.sender, receiver=receiver, amount=amount)
    return True
