# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title A token whose balanceOf answers as told
@notice Modes: 0 one word, 1 reverts with a reason, 2 reverts empty, 3 empty answer, 4 two words,
        5 thirty-one bytes, 6 consumes all gas it is given, 7 the largest uint256, 8 thirty-three bytes.
"""

decimals: public(constant(uint8)) = 18
symbol: public(constant(String[8])) = "ODD"
mode: public(uint256)
amount: public(uint256)


@deploy
def __init__(mode: uint256, amount: uint256):
    self.mode = mode
    self.amount = amount


@external
def set_mode(mode: uint256):
    self.mode = mode


@external
@view
@raw_return
def balanceOf(holder: address) -> Bytes[64]:
    word: bytes32 = convert(self.amount, bytes32)
    if self.mode == 1:
        raise "no balance today"
    if self.mode == 2:
        raw_revert(b"")
    if self.mode == 3:
        return b""
    if self.mode == 4:
        return concat(word, word)
    if self.mode == 5:
        return slice(word, 1, 31)
    if self.mode == 6:
        raise UNREACHABLE
    if self.mode == 7:
        return concat(convert(max_value(uint256), bytes32), b"")
    if self.mode == 8:
        return concat(word, b"\x00")
    return concat(word, b"")
