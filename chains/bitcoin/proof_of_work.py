"""Proof of work: the target a header claims, whether its hash meets it, and whether the chain allows that target.

The claimed target is held against the header before it:

- main and signet: within one period of 2016 blocks it never changes; between two it changes to what the time of the
  period gives, which is checked exactly where the first header of the period is known, and to within the factor of four
  that any change is limited to where it is not.
- regtest: it never changes.
- test and testnet4 allow blocks of least work after a pause, so that only the network's limit is checked. Their coins
  are worth nothing, and nothing here claims that their history was costly.

So a history that begins at a block somebody trusts cannot be continued cheaply on main. Pure.
"""

from __future__ import annotations

from typing import Final

from chains.bitcoin.networks import Network
from chains.bitcoin.transaction import id_text
from chains.errors import ProofFailed

PERIOD_BLOCKS: Final = 2016
PERIOD_SECONDS: Final = 14 * 24 * 60 * 60
_FACTOR: Final = 4
"""A period changes the target by at most this factor, whatever its time."""


def target_of(bits: int) -> int | None:
    """The target that compact bits stand for; None when they stand for none (negative, zero, over 256 bits)."""
    exponent, mantissa = bits >> 24, bits & 0x7FFFFF
    if bits & 0x800000 and mantissa:
        return None
    target = mantissa << 8 * (exponent - 3) if exponent > 3 else mantissa >> 8 * (3 - exponent)
    return target if 0 < target < 1 << 256 else None


def bits_of(target: int) -> int:
    """The compact bits of a target; what does not fit into three bytes is cut off, as everybody does."""
    size = (target.bit_length() + 7) // 8
    mantissa = target << 8 * (3 - size) if size <= 3 else target >> 8 * (size - 3)
    if mantissa & 0x800000:  # would be read as a sign
        mantissa >>= 8
        size += 1
    return size << 24 | mantissa


def check_proof_of_work(block_hash: bytes, bits: int, network: Network) -> None:
    """Raise `ProofFailed` unless the hash (in the order of the wire) meets a target that the network allows."""
    target = target_of(bits)
    if target is None or target > network.pow_limit:
        raise ProofFailed(f"block {id_text(block_hash)} claims a target that {network.name} does not allow")
    if int.from_bytes(block_hash, "little") > target:
        raise ProofFailed(f"block {id_text(block_hash)} has no proof of work")


def check_bits(
    network: Network, height: int, bits: int, *, previous_bits: int, previous_time: int, period_start_time: int | None
) -> None:
    """Hold the claimed bits of the block at a height against the header before it; raise `ProofFailed`.

    `period_start_time` is the time of the block at the beginning of the period that the previous block ends, needed
    at every multiple of 2016 only; None when that block is not known.
    """
    if network.name in ("test", "testnet4"):
        return
    if network.name == "regtest" or height % PERIOD_BLOCKS:
        allowed = bits == previous_bits
    elif period_start_time is None:
        allowed = _is_possible_change(network, bits, previous_bits)
    else:
        allowed = bits == next_bits(network, previous_bits, previous_time - period_start_time)
    if not allowed:
        raise ProofFailed(f"block {height} of {network.name} claims bits {bits:08x}, which cannot follow")


def next_bits(network: Network, previous_bits: int, seconds: int) -> int:
    """The bits of the first block of a period, from those of the period before and how long that took."""
    target = _target(network, previous_bits)
    taken = min(max(seconds, PERIOD_SECONDS // _FACTOR), PERIOD_SECONDS * _FACTOR)
    return bits_of(min(target * taken // PERIOD_SECONDS, network.pow_limit))


def _is_possible_change(network: Network, bits: int, previous_bits: int) -> bool:
    easiest = next_bits(network, previous_bits, PERIOD_SECONDS * _FACTOR)
    hardest = next_bits(network, previous_bits, PERIOD_SECONDS // _FACTOR)
    return _target(network, hardest) <= _target(network, bits) <= _target(network, easiest)


def _target(network: Network, bits: int) -> int:
    target = target_of(bits)
    if target is None or target > network.pow_limit:
        raise ProofFailed(f"bits {bits:08x} are no target that {network.name} allows")
    return target
