"""The assembler, the scanner program's output, and what is made of answers that cannot be its output."""

from __future__ import annotations

import pytest

from chains.errors import MalformedAnswer
from chains.evm.abi import word
from chains.evm.assembler import assemble
from chains.evm.multicall3 import _multicall_results
from chains.evm.scanner import HEADER_BYTES, Echo, decode_output, record_bytes, scanner_program, scanner_source

HOLDERS, TOKENS = 3, 2


def output(done: int = HOLDERS, *, gas_start: int = 1_000, gas_end: int = 400) -> bytes:
    """What the program returns for three holders of two tokens."""
    header = [31337, 9, 1_700_000_000, 0xABC, gas_start, gas_end, done]
    records = b"".join(
        b"\x11" + word(100 + holder) + b"\x01" + word(200 + holder) + b"\xe0" + word(0) for holder in range(done)
    )
    return b"".join(map(word, header)) + records


def test_output_is_decoded_by_column() -> None:
    result = decode_output(output(), HOLDERS, TOKENS)
    assert result.echo == Echo(31337, 9, 1_700_000_000, f"0x{0xABC:064x}")
    assert (result.gas_start, result.gas_used, result.done) == (1_000, 600, 3)
    assert result.columns == (
        (b"\x11" * 3, [100, 101, 102]),
        (b"\x01" * 3, [200, 201, 202]),
        (b"\xe0" * 3, [0, 0, 0]),
    )


def test_output_of_fewer_holders_is_good() -> None:
    assert decode_output(output(1), HOLDERS, TOKENS).columns[1] == (b"\x01", [200])
    assert decode_output(output(0), HOLDERS, TOKENS).columns[1] == (b"", [])


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        output()[: HEADER_BYTES - 1],
        output()[:-1],
        output() + b"\0",
        output(4),
        output(gas_end=1_001),
        output()[:HEADER_BYTES],
        word(2**256 - 1) * 7,
    ],
)
def test_anything_else_is_refused(broken: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        decode_output(broken, HOLDERS, TOKENS)


def test_the_assembler_knows_pushes_labels_and_comments() -> None:
    assert assemble("PUSH 0 PUSH 256 ADD ; a sum\nSTOP") == bytes.fromhex("6000 610100 01 00")
    assert assemble("PUSH 0x0001") == bytes.fromhex("61 0001")
    assert assemble("@start PUSH @start JUMP") == bytes.fromhex("5b 610000 56")
    assert assemble("PUSH @later JUMP @later STOP PUSH @@end") == bytes.fromhex("610004 56 5b 00 610009")


@pytest.mark.parametrize(
    "source", ["ADDD", "PUSH", "PUSH @nowhere", "@a @a", "PUSH -1", "PUSH 0x" + "11" * 33, f"PUSH {2**256}", "PUSH x"]
)
def test_the_assembler_refuses_what_it_does_not_know(source: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        assemble(source)


def test_a_program_for_each_set_of_tokens() -> None:
    one, two = (b"\x11" * 20,), (b"\x11" * 20, b"\x22" * 20)
    assert scanner_program(one).count(one[0]) == 2  # the call, and the question whether there is code
    assert len(scanner_program(two)) > len(scanner_program(one))
    assert scanner_program(one) != scanner_program(one, creation=True)
    assert "%" not in scanner_source(two, creation=True)
    assert len(scanner_program(tuple(bytes([n]) * 20 for n in range(64)), creation=True)) < 10_000
    for wrong in ((b"\x11" * 19,), tuple(bytes([n]) * 20 for n in range(65))):
        with pytest.raises(ValueError, match="20 bytes"):
            scanner_program(wrong)
    assert record_bytes(2) == 99
    by_id = b"\x33" * 20 + word(7)
    assert scanner_program((by_id,)).count(word(7)) == 1
    assert scanner_program((by_id, *two)) != scanner_program((b"\x33" * 20, *two))
    assert b"\x00\xfd\xd5\x8e" not in scanner_program(two)
    assert "%" not in scanner_source((by_id, *two), creation=True)
    with pytest.raises(ValueError, match="an id of 32"):
        scanner_program((by_id[:-1],))


def aggregate3(*results: bytes, count: int | None = None) -> bytes:
    """The answer of aggregate3 with these encoded results."""
    offsets, place = [], 32 * len(results)
    for result in results:
        offsets.append(word(place))
        place += len(result)
    return word(32) + word(len(results) if count is None else count) + b"".join(offsets) + b"".join(results)


def result(returned: bytes, *, success: int = 1, offset: int = 64, length: int | None = None) -> bytes:
    padded = returned + bytes(-len(returned) % 32)
    return word(success) + word(offset) + word(len(returned) if length is None else length) + padded


def test_results_of_aggregate3() -> None:
    answer = aggregate3(result(word(5)), result(b"", success=0), result(b""), result(b"\x01" * 33))
    assert _multicall_results(answer, 4) == [word(5), None, b"", b"\x01" * 33]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        word(32),
        aggregate3(),
        aggregate3(result(word(5)), count=2),
        aggregate3(result(word(5)), result(word(5))),
        aggregate3(result(word(5), success=2)),
        aggregate3(result(word(5), offset=32)),
        aggregate3(result(word(5), length=33)),
        aggregate3(result(word(5), length=2**255)),
        aggregate3(result(word(5)))[:-1],
        word(32) + word(1) + word(2**255),
        word(64) + aggregate3(result(word(5)))[32:],
    ],
)
def test_other_answers_of_aggregate3_are_refused(answer: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        _multicall_results(answer, 1)
