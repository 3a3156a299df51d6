# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title A collection of balances by id
@notice Anyone may mint: it has no value and belongs on no public chain. Contracts are not asked whether they accept.
"""

event TransferSingle:
    operator: indexed(address)
    sender: indexed(address)
    receiver: indexed(address)
    token_id: uint256
    amount: uint256

event TransferBatch:
    operator: indexed(address)
    sender: indexed(address)
    receiver: indexed(address)
    token_ids: DynArray[uint256, 16]
    amounts: DynArray[uint256, 16]

event ApprovalForAll:
    owner: indexed(address)
    operator: indexed(address)
    approved: bool

isApprovedForAll: public(HashMap[address, HashMap[address, bool]])
balanceOf: public(HashMap[address, HashMap[uint256, uint256]])


@external
@view
def supportsInterface(id: bytes4) -> bool:
    return id in [0x01ffc9a7, 0xd9b67a26]


@external
def mint(receiver: address, token_id: uint256, amount: uint256):
    self.balanceOf[receiver][token_id] += amount
    log TransferSingle(
        operator=msg.sender, sender=empty(address), receiver=receiver, token_id=token_id, amount=amount
    )


@external
def burn(token_id: uint256, amount: uint256):
    self.balanceOf[msg.sender][token_id] -= amount
    log TransferSingle(
        operator=msg.sender, sender=msg.sender, receiver=empty(address), token_id=token_id, amount=amount
    )


@external
def setApprovalForAll(operator: address, approved: bool):
    self.isApprovedForAll[msg.sender][operator] = approved
    log ApprovalForAll(owner=msg.sender, operator=operator, approved=approved)


@external
def safeTransferFrom(sender: address, receiver: address, token_id: uint256, amount: uint256, data: Bytes[64]):
    assert sender == msg.sender, "not yours"
    self.balanceOf[sender][token_id] -= amount
    self.balanceOf[receiver][token_id] += amount
    log TransferSingle(operator=msg.sender, sender=sender, receiver=receiver, token_id=token_id, amount=amount)


@external
def safeBatchTransferFrom(
    sender: address,
    receiver: address,
    token_ids: DynArray[uint256, 16],
    amounts: DynArray[uint256, 16],
    data: Bytes[64],
):
    assert sender == msg.sender, "not yours"
    assert len(token_ids) == len(amounts), "as many amounts as ids"
    for place: uint256 in range(len(token_ids), bound=16):
        self.balanceOf[sender][token_ids[place]] -= amounts[place]
        self.balanceOf[receiver][token_ids[place]] += amounts[place]
    log TransferBatch(
        operator=msg.sender, sender=sender, receiver=receiver, token_ids=token_ids, amounts=amounts
    )
