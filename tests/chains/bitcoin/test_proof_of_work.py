"""Targets, work, and which target may follow which."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.bitcoin.block import read_header
from chains.bitcoin.networks import MAIN, REGTEST, SIGNET, TEST, TESTNET4
from chains.bitcoin.proof_of_work import (
    PERIOD_SECONDS,
    bits_of,
    check_bits,
    check_proof_of_work,
    next_bits,
    target_of,
)
from chains.bitcoin.transaction import id_bytes
from chains.errors import ProofFailed

MAIN_GENESIS = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51"
    "323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)


def test_the_first_block_of_main_has_its_work() -> None:
    header = read_header(MAIN_GENESIS)
    assert header.block_hash == MAIN.genesis_hash
    check_proof_of_work(header.hash, header.bits, MAIN)
    altered = read_header(MAIN_GENESIS[:-1] + b"\x7d")
    with pytest.raises(ProofFailed, match="no proof of work"):
        check_proof_of_work(altered.hash, altered.bits, MAIN)


@pytest.mark.parametrize(
    ("bits", "target"),
    [
        (0x1D00FFFF, 0xFFFF << 208),
        (0x207FFFFF, 0x7FFFFF << 232),
        (0x03123456, 0x123456),
        (0x02123456, 0x1234),
        (0x01003456, None),  # zero
        (0x04923456, None),  # negative
        (0, None),
        (0x23000100, None),  # over 256 bits
        (0xFF123456, None),
    ],
)
def test_targets_of_compact_bits(bits: int, target: int | None) -> None:
    assert target_of(bits) == target


@given(target=st.integers(1, 2**256 - 1))
def test_bits_stand_for_a_target_not_above_and_hardly_below(target: int) -> None:
    found = target_of(bits_of(target))
    assert found is not None
    assert found <= target < found + max(1, 1 << max(0, target.bit_length() - 15))


def test_a_target_above_the_limit_of_the_network_is_refused() -> None:
    easy = id_bytes("0" * 63 + "1")
    check_proof_of_work(easy, 0x207FFFFF, REGTEST)
    for network in (MAIN, TEST, TESTNET4, SIGNET):
        with pytest.raises(ProofFailed, match="does not allow"):
            check_proof_of_work(easy, 0x207FFFFF, network)
    with pytest.raises(ProofFailed, match="does not allow"):
        check_proof_of_work(easy, 0, REGTEST)


@pytest.mark.parametrize(
    ("previous", "first", "last", "bits"),
    [
        # Blocks 30240 and 32255, 0 and 2015, 66528 and 68543, 46368 and 48383 of main, as Bitcoin Core tests them.
        (0x1D00FFFF, 1261130161, 1262152739, 0x1D00D86A),
        (0x1D00FFFF, 1231006505, 1233061996, 0x1D00FFFF),
        (0x1C05A3F4, 1279008237, 1279297671, 0x1C0168FD),
        (0x1C387F6F, 1263163443, 1269211443, 0x1D00E1FD),
    ],
)
def test_what_follows_a_period_on_main(previous: int, first: int, last: int, bits: int) -> None:
    assert next_bits(MAIN, previous, last - first) == bits
    check_bits(MAIN, 32256, bits, previous_bits=previous, previous_time=last, period_start_time=first)
    check_bits(MAIN, 32256, bits, previous_bits=previous, previous_time=last, period_start_time=None)
    with pytest.raises(ProofFailed, match="cannot follow"):
        check_bits(MAIN, 32256, bits - 1, previous_bits=previous, previous_time=last, period_start_time=first)


def test_within_a_period_the_target_stays() -> None:
    known = {"previous_bits": 0x1C0168FD, "previous_time": 0, "period_start_time": None}
    for network in (MAIN, SIGNET, REGTEST):
        check_bits(network, 2017, 0x1C0168FD, **known)  # type: ignore[arg-type]
        with pytest.raises(ProofFailed, match="cannot follow"):
            check_bits(network, 2017, 0x1C0168FE, **known)  # type: ignore[arg-type]
    check_bits(TEST, 2017, 0x1D00FFFF, **known)  # type: ignore[arg-type]


def test_without_the_period_a_change_beyond_the_factor_is_still_refused() -> None:
    previous = 0x1C0168FD
    easiest, hardest = (next_bits(MAIN, previous, seconds) for seconds in (PERIOD_SECONDS * 9, 1))
    for bits, allowed in ((easiest, True), (hardest, True), (easiest + 1, False), (hardest - 1, False)):
        if allowed:
            check_bits(MAIN, 4032, bits, previous_bits=previous, previous_time=0, period_start_time=None)
        else:
            with pytest.raises(ProofFailed, match="cannot follow"):
                check_bits(MAIN, 4032, bits, previous_bits=previous, previous_time=0, period_start_time=None)


def test_regtest_never_changes() -> None:
    check_bits(REGTEST, 2016, 0x207FFFFF, previous_bits=0x207FFFFF, previous_time=9, period_start_time=0)
    with pytest.raises(ProofFailed, match="cannot follow"):
        check_bits(REGTEST, 2016, 0x1F7FFFFF, previous_bits=0x207FFFFF, previous_time=9, period_start_time=0)


def test_limits_hold_for_what_follows() -> None:
    tight = replace(MAIN, pow_limit=target_of(0x1C0168FD) or 0)
    assert next_bits(tight, 0x1C0168FD, PERIOD_SECONDS * 4) == 0x1C0168FD
    with pytest.raises(ProofFailed, match="no target"):
        next_bits(tight, 0x1D00FFFF, PERIOD_SECONDS)
