# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title A token that its issuer can pause and freeze, and that one spender may always take
@notice As regulated stablecoins do it. The standing spender has its allowance without any Approval event, as some token
    libraries give one to Permit2. Anyone may act as the issuer: it belongs on no public chain.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

event Approval:
    owner: indexed(address)
    spender: indexed(address)
    amount: uint256

decimals: public(constant(uint8)) = 6
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
paused: public(bool)
isBlacklisted: public(HashMap[address, bool])
allowances: HashMap[address, HashMap[address, uint256]]
standing_spender: address


@deploy
def __init__(standing_spender: address):
    self.standing_spender = standing_spender


@external
@view
def allowance(owner: address, spender: address) -> uint256:
    return self._allowance(owner, spender)


@external
def mint(receiver: address, amount: uint256) -> bool:
    self.totalSupply += amount
    self.balanceOf[receiver] += amount
    log Transfer(sender=empty(address), receiver=receiver, amount=amount)
    return True


@external
def pause(paused: bool):
    self.paused = paused


@external
def blacklist(holder: address, listed: bool):
    self.isBlacklisted[holder] = listed


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowances[msg.sender][spender] = amount
    log Approval(owner=msg.sender, spender=spender, amount=amount)
    return True


@external
def transfer(receiver: address, amount: uint256) -> bool:
    self._move(msg.sender, receiver, amount)
    return True


@external
def transferFrom(owner: address, receiver: address, amount: uint256) -> bool:
    if self._allowance(owner, msg.sender) != max_value(uint256):
        self.allowances[owner][msg.sender] -= amount
    self._move(owner, receiver, amount)
    return True


@internal
@view
def _allowance(owner: address, spender: address) -> uint256:
    if spender == self.standing_spender and spender != empty(address):
        return max_value(uint256)
    return self.allowances[owner][spender]


@internal
def _move(owner: address, receiver: address, amount: uint256):
    assert not self.paused, "paused"
    assert not self.isBlacklisted[owner], "blacklisted"
    self.balanceOf[owner] -= amount
    self.balanceOf[receiver] += amount
    log Transfer(sender=owner, receiver=receiver, amount=amount)
