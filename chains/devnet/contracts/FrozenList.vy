# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title A token whose list of frozen holders is spelt `isBlackListed`, and which cannot be paused
@notice Anyone may freeze: it belongs on no public chain. `broken` makes the list answer with neither yes nor no.
"""

decimals: public(constant(uint8)) = 6
balanceOf: public(HashMap[address, uint256])
listed: HashMap[address, uint256]


@external
@view
def isBlackListed(holder: address) -> uint256:
    assert self.listed[holder] != 3, "broken"
    return self.listed[holder]


@external
def mint(receiver: address, amount: uint256):
    self.balanceOf[receiver] += amount


@external
def setListed(holder: address, answer: uint256):
    """
    @notice 0 no, 1 yes, 2 an answer that is neither, 3 no answer at all.
    """
    self.listed[holder] = answer
