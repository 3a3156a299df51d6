# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title A beacon (ERC-1967): it names the code of every proxy that asks it
"""

implementation: public(address)


@deploy
def __init__(implementation: address):
    self.implementation = implementation


@external
def upgradeTo(implementation: address):
    self.implementation = implementation
