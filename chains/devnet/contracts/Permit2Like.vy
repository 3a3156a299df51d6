# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title The allowances of Permit2, as far as a reader sees them
@notice Storage, events and expiry behave as Permit2's do; `permit` takes no signature, so it belongs on no public chain.
"""

interface Token:
    def transferFrom(owner: address, receiver: address, amount: uint256) -> bool: nonpayable

struct Packed:
    amount: uint160
    expiration: uint48
    nonce: uint48

struct Pair:
    token: address
    spender: address

event Approval:
    owner: indexed(address)
    token: indexed(address)
    spender: indexed(address)
    amount: uint160
    expiration: uint48

event Permit:
    owner: indexed(address)
    token: indexed(address)
    spender: indexed(address)
    amount: uint160
    expiration: uint48
    nonce: uint48

event Lockdown:
    owner: indexed(address)
    token: address
    spender: address

packed: HashMap[address, HashMap[address, HashMap[address, Packed]]]


@external
@view
def allowance(owner: address, token: address, spender: address) -> (uint160, uint48, uint48):
    found: Packed = self.packed[owner][token][spender]
    return found.amount, found.expiration, found.nonce


@external
def approve(token: address, spender: address, amount: uint160, expiration: uint48):
    self._grant(msg.sender, token, spender, amount, expiration)
    log Approval(owner=msg.sender, token=token, spender=spender, amount=amount, expiration=expiration)


@external
def permit(owner: address, token: address, spender: address, amount: uint160, expiration: uint48):
    nonce: uint48 = self.packed[owner][token][spender].nonce
    self._grant(owner, token, spender, amount, expiration)
    self.packed[owner][token][spender].nonce = nonce + 1
    log Permit(owner=owner, token=token, spender=spender, amount=amount, expiration=expiration, nonce=nonce)


@external
def lockdown(pairs: DynArray[Pair, 16]):
    for pair: Pair in pairs:
        self.packed[msg.sender][pair.token][pair.spender].amount = 0
        log Lockdown(owner=msg.sender, token=pair.token, spender=pair.spender)


@external
def transferFrom(owner: address, receiver: address, amount: uint160, token: address):
    assert block.timestamp <= convert(self.packed[owner][token][msg.sender].expiration, uint256), "expired"
    if self.packed[owner][token][msg.sender].amount != max_value(uint160):
        self.packed[owner][token][msg.sender].amount -= amount
    extcall Token(token).transferFrom(owner, receiver, convert(amount, uint256))


@internal
def _grant(owner: address, token: address, spender: address, amount: uint160, expiration: uint48):
    self.packed[owner][token][spender].amount = amount
    # An expiry of zero means this block alone.
    self.packed[owner][token][spender].expiration = (
        expiration if expiration != 0 else convert(block.timestamp, uint48)
    )
