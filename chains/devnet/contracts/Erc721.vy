# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title A collection in which each token has one owner
@notice Anyone may mint and burn: it has no value and belongs on no public chain. Asking for the owner of a token
        that was not minted or is burnt reverts, as ERC-721 demands; while closed, asking uses up all gas.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    token_id: indexed(uint256)

event Approval:
    owner: indexed(address)
    approved: indexed(address)
    token_id: indexed(uint256)

event ApprovalForAll:
    owner: indexed(address)
    operator: indexed(address)
    approved: bool

name: public(constant(String[32])) = "Test collection"
symbol: public(constant(String[8])) = "NFT"
balanceOf: public(HashMap[address, uint256])
owners: HashMap[uint256, address]
closed: public(bool)
approvals: HashMap[uint256, address]
isApprovedForAll: public(HashMap[address, HashMap[address, bool]])


@external
@view
def supportsInterface(id: bytes4) -> bool:
    return id in [0x01ffc9a7, 0x80ac58cd]


@external
@view
def ownerOf(token_id: uint256) -> address:
    if self.closed:
        raise UNREACHABLE
    owner: address = self.owners[token_id]
    assert owner != empty(address), "no such token"
    return owner


@external
def close(closed: bool):
    self.closed = closed


@external
def mint(receiver: address, token_id: uint256):
    assert self.owners[token_id] == empty(address), "minted already"
    self._move(empty(address), receiver, token_id)


@external
def burn(token_id: uint256):
    self._move(msg.sender, empty(address), token_id)


@external
def transferFrom(sender: address, receiver: address, token_id: uint256):
    assert sender == msg.sender and receiver != empty(address), "not yours"
    self._move(sender, receiver, token_id)


@external
@view
def getApproved(token_id: uint256) -> address:
    assert self.owners[token_id] != empty(address), "no such token"
    return self.approvals[token_id]


@external
def approve(spender: address, token_id: uint256):
    assert self.owners[token_id] == msg.sender, "not yours"
    self.approvals[token_id] = spender
    log Approval(owner=msg.sender, approved=spender, token_id=token_id)


@external
def setApprovalForAll(operator: address, approved: bool):
    self.isApprovedForAll[msg.sender][operator] = approved
    log ApprovalForAll(owner=msg.sender, operator=operator, approved=approved)


@external
def seize(receiver: address, token_id: uint256):
    """
    @notice Another owner without any event, as a faulty or hostile collection may do it.
    """
    self.balanceOf[self.owners[token_id]] -= 1
    self.balanceOf[receiver] += 1
    self.owners[token_id] = receiver


@internal
def _move(sender: address, receiver: address, token_id: uint256):
    assert self.owners[token_id] == sender, "not the owner"
    if sender != empty(address):
        self.balanceOf[sender] -= 1
    if receiver != empty(address):
        self.balanceOf[receiver] += 1
    self.owners[token_id] = receiver
    self.approvals[token_id] = empty(address)
    log Transfer(sender=sender, receiver=receiver, token_id=token_id)
