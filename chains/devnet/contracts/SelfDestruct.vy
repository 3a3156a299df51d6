# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title Sends its ether by the SELFDESTRUCT instruction
@notice The receiver's code does not run and cannot refuse. Since Cancun the contract itself stays.
"""


@deploy
@payable
def __init__():
    pass


@external
@payable
def destroy(receiver: address):
    selfdestruct(receiver)
