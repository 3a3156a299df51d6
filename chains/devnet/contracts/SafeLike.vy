# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version cancun
"""
@title A Safe, as far as a reader sees it
@notice Owners, threshold and modules are listed as Safe does, in either paging that Safes have had. Anyone may change
    them: it has no owners' signatures and belongs on no public chain.
"""

SENTINEL: constant(address) = 0x0000000000000000000000000000000000000001

# In storage word 0, where Safe keeps it; before Cancun the compiler takes that word for itself.
singleton: public(address)
owners: DynArray[address, 32]
threshold: uint256
modules: HashMap[address, address]
# Up to version 1.3 `next` is the first module after the page, since 1.4 the last one on it.
next_is_beyond_page: bool


@deploy
@payable
def __init__(singleton: address, owners: DynArray[address, 32], threshold: uint256, next_is_beyond_page: bool):
    self.singleton = singleton
    self.owners = owners
    self.threshold = threshold
    self.modules[SENTINEL] = SENTINEL
    self.next_is_beyond_page = next_is_beyond_page


@external
@payable
def __default__():
    pass


@external
@view
def getOwners() -> DynArray[address, 32]:
    return self.owners


@external
@view
def getThreshold() -> uint256:
    return self.threshold


@external
@view
def getModulesPaginated(start: address, page_size: uint256) -> (DynArray[address, 64], address):
    found: DynArray[address, 64] = []
    current: address = self.modules[start]
    for _: uint256 in range(64):
        if current == empty(address) or current == SENTINEL or len(found) >= page_size:
            break
        found.append(current)
        current = self.modules[current]
    if current != SENTINEL and not self.next_is_beyond_page:
        current = found[len(found) - 1]
    return found, current


@external
def setOwners(owners: DynArray[address, 32], threshold: uint256):
    self.owners = owners
    self.threshold = threshold


@external
def enableModule(module: address):
    self.modules[module] = self.modules[SENTINEL]
    self.modules[SENTINEL] = module


@external
def setNextModule(module: address, following: address):
    """
    @notice Break the list of modules, for example into a ring.
    """
    self.modules[module] = following


@external
def execTransactionFromModule(receiver: address, amount: uint256):
    assert self.modules[msg.sender] != empty(address), "not a module"
    raw_call(receiver, b"", value=amount)
