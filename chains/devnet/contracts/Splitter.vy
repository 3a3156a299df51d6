# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title Forwards ether inside a transaction
@notice What the receivers get is neither a log nor the value of a transaction.
"""


@external
@payable
def split(receivers: DynArray[address, 64]):
    assert len(receivers) > 0, "nobody to pay"
    share: uint256 = msg.value // len(receivers)
    for receiver: address in receivers:
        raw_call(receiver, b"", value=share)
    raw_call(msg.sender, b"", value=self.balance)


@external
@payable
def __default__():
    pass


@external
def sweep(receiver: address):
    raw_call(receiver, b"", value=self.balance)
