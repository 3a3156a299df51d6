"""Quantities and data: the exact forms, and nothing beside them."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chains.errors import MalformedAnswer
from chains.evm.quantity import data, encode_quantity, hash32, quantity
from chains.types import UINT256_MAX


@pytest.mark.fault("A11")
@given(st.integers(min_value=0, max_value=UINT256_MAX))
@example(0)
@example(UINT256_MAX)
def test_a_quantity_survives_the_wire(number: int) -> None:
    assert quantity(encode_quantity(number)) == number


@pytest.mark.parametrize(("text", "number"), [("0x0", 0), ("0x1", 1), ("0xfF", 255), ("0x400", 1024)])
def test_quantities_of_the_specification(text: str, number: int) -> None:
    assert quantity(text) == number


@pytest.mark.fault("A11")
@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        1,
        1.0,
        -1,
        [],
        {},
        b"0x1",
        "",
        "0",
        "1",
        "0x",
        "0x00",
        "0x01",
        "0X1",
        "-0x1",
        "+0x1",
        "0x-1",
        "0x1 ",
        " 0x1",
        "0x1\n",
        "0x1_0",
        "0xg",
        "0x١",
        "0x１",  # full-width digit
        hex(UINT256_MAX + 1),
        "0x1" + "0" * 5000,
    ],
)
def test_what_is_no_quantity(value: object) -> None:
    with pytest.raises(MalformedAnswer):
        quantity(value)


@pytest.mark.fault("A11")
@given(st.one_of(st.text(max_size=12), st.from_regex(r"0x\w{0,66}", fullmatch=True)))
def test_any_text_is_its_own_canonical_form_or_refused(text: str) -> None:
    try:
        number = quantity(text)
    except MalformedAnswer:
        assert re.fullmatch(r"0x(0|[1-9a-f][0-9a-f]{0,63})", text, re.ASCII | re.IGNORECASE) is None or text[1] == "X"
    else:
        assert encode_quantity(number) == text.lower()


@pytest.mark.parametrize("number", [-1, UINT256_MAX + 1])
def test_only_uint256_is_encoded(number: int) -> None:
    with pytest.raises(ValueError, match=r"2\*\*256"):
        encode_quantity(number)


@given(st.binary(max_size=100))
def test_data_survives_the_wire(payload: bytes) -> None:
    assert data("0x" + payload.hex()) == payload
    assert data("0x" + payload.hex().upper(), len(payload)) == payload
    with pytest.raises(MalformedAnswer, match="bytes of data"):
        data("0x" + payload.hex(), len(payload) + 1)


@pytest.mark.fault("A11")
@pytest.mark.parametrize(
    "value", [None, True, 7, b"0x", "", "00", "0X00", "0x0", "0x000", "0x 00", "0x0 0", "0x00\n", "0x0g", "0x٠٠"]
)
def test_what_is_no_data(value: object) -> None:
    with pytest.raises(MalformedAnswer):
        data(value)


@pytest.mark.fault("A11")
@given(st.text(alphabet="0123456789abcdefABCDEFxX \t\n\x0b\x0c_g٠", max_size=10))
def test_data_of_any_text_is_its_own_form_or_refused(text: str) -> None:
    try:
        decoded = data("0x" + text)
    except MalformedAnswer:
        assert re.fullmatch(r"([0-9a-fA-F]{2})*", text, re.ASCII) is None
    else:
        assert decoded.hex() == text.lower()


def test_a_hash_is_lowered() -> None:
    assert hash32("0x" + "Ab" * 32) == "0x" + "ab" * 32


@pytest.mark.fault("A11")
@pytest.mark.parametrize(
    "value", [None, "0x" + "a" * 63, "0x" + "a" * 65, "a" * 64, "0x" + "g" * 64, "0x" + "a" * 64 + "\n"]
)
def test_what_is_no_hash(value: object) -> None:
    with pytest.raises(MalformedAnswer):
        hash32(value)


def test_an_error_shows_little_of_a_long_value_and_nothing_unescaped() -> None:
    with pytest.raises(MalformedAnswer) as caught:
        quantity("\x1b[31m" + "9" * 10_000)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 200
