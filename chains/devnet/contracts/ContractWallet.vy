# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title A wallet without a key of its own: m of its owners sign (EIP-1271), in the manner of a Safe
@notice Signatures of 65 bytes each, the signers' addresses ascending, so that nobody counts twice. An owner more than
    the threshold is not read. An empty signature is good when the digest was approved on chain.
"""

OWNERS_MAX: constant(uint256) = 10
YES: constant(bytes4) = 0x1626ba7e
NO: constant(bytes4) = 0xffffffff

owners: public(DynArray[address, OWNERS_MAX])
threshold: public(uint256)
approved: public(HashMap[bytes32, bool])


@deploy
@payable
def __init__(owners: DynArray[address, OWNERS_MAX], threshold: uint256):
    assert 1 <= threshold and threshold <= len(owners), "threshold"
    self.owners = owners
    self.threshold = threshold


@external
@payable
def __default__():
    pass


@external
def approve(digest: bytes32):
    assert msg.sender in self.owners, "not an owner"
    self.approved[digest] = True


@external
def swapOwner(position: uint256, owner: address):
    assert msg.sender in self.owners, "not an owner"
    self.owners[position] = owner


@external
@view
def isValidSignature(digest: bytes32, signature: Bytes[650]) -> bytes4:
    if len(signature) == 0:
        return YES if self.approved[digest] else NO
    assert len(signature) >= 65 * self.threshold, "too few signatures"
    last: uint160 = 0
    for position: uint256 in range(OWNERS_MAX):
        if position == self.threshold:
            break
        start: uint256 = 65 * position
        v: uint256 = convert(slice(signature, start + 64, 1), uint256)
        signer: address = ecrecover(digest, v, extract32(signature, start), extract32(signature, start + 32))
        if convert(signer, uint160) <= last or signer not in self.owners:
            return NO
        last = convert(signer, uint160)
    return YES
