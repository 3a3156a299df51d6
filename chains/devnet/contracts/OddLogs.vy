# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title Emits any log, and moves balances with or without one
@notice For Transfer logs of odd shape: unindexed addresses, an ERC-721 token id as fourth topic, short data.
"""

decimals: public(constant(uint8)) = 18
balanceOf: public(HashMap[address, uint256])


@external
def emit(topics: DynArray[bytes32, 4], data: Bytes[1024]):
    if len(topics) == 0:
        raw_log([], data)
    elif len(topics) == 1:
        raw_log([topics[0]], data)
    elif len(topics) == 2:
        raw_log([topics[0], topics[1]], data)
    elif len(topics) == 3:
        raw_log([topics[0], topics[1], topics[2]], data)
    else:
        raw_log([topics[0], topics[1], topics[2], topics[3]], data)


@external
def set_balance(holder: address, amount: uint256):
    self.balanceOf[holder] = amount
