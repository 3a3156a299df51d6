"""Single fields: what is read, and what is refused rather than repaired."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidValue
from chains.types import EXACT, UINT256_MAX, Asset, AssetId
from mapping.fields import (
    one_of,
    parse_count,
    parse_currency,
    parse_date,
    parse_entry_id,
    parse_id,
    parse_name,
    parse_new_entry_id,
    parse_person,
    parse_price,
    parse_share_holders,
    parse_time,
    parse_yes_no,
    shown,
)
from mapping.tables.shared import parse_quantity
from mapping.types import Structure

ETHER = Asset(AssetId("eip155:1/slip44:60"), "ETH", 18)
DOLLAR_COIN = Asset(AssetId("eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"), "USDC", 6)

BIDI = "\u202e"
ZERO_WIDTH_SPACE = "\u200b"


@pytest.mark.parametrize("text", ["C-1", "0042", "a", "A.b_c:d/e-f", "x" * 64])
def test_ids_are_read_as_they_are(text: str) -> None:
    assert parse_id(text) == text


@pytest.mark.fault("B3")
@pytest.mark.parametrize(
    "text",
    [
        "",
        " C-1",
        "C-1 ",
        "С1",  # the first letter is Cyrillic
        "C-1" + ZERO_WIDTH_SPACE,
        BIDI + "C-1",
        "C\x001",
        "C\n1",
        "C١",  # an Arabic digit
        "Ｃ1",  # a full-width letter
        "-C1",
        "=C1",
        "x" * 65,
        "\ud800",
    ],
)
def test_ids_with_anything_else_are_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_id(text)


@pytest.mark.fault("B3")
@given(st.text(max_size=70))
def test_an_accepted_id_is_plain_ascii(text: str) -> None:
    try:
        assert parse_id(text) == text
    except InvalidValue:
        return
    assert text.isascii()
    assert text.isprintable()
    assert " " not in text


def test_person_ids_have_one_spelling() -> None:
    assert parse_person("ops.maker") == "ops.maker"
    for text in ("Ops.Maker", "ops maker", "opѕ.maker", ""):
        with pytest.raises(InvalidValue):
            parse_person(text)


def test_ids_of_snapshot_entries_can_be_named_but_not_given() -> None:
    made = f"snapshot:{'a' * 64}:12"
    assert parse_entry_id(made) == made
    assert parse_entry_id("E-1") == parse_new_entry_id("E-1") == "E-1"
    for text in (made, "snapshot:1"):
        with pytest.raises(InvalidValue):
            parse_new_entry_id(text)


@pytest.mark.fault("B4")
def test_names_are_compared_in_one_unicode_form() -> None:
    composed, decomposed = "Zoë Trust", unicodedata.normalize("NFD", "Zoë Trust")
    assert composed != decomposed
    assert parse_name(composed) == parse_name(decomposed) == composed


@pytest.mark.parametrize("text", ["O'Brien & Sons, LP", "日本 信託", "Łódź", "=SUM(A1)"])
def test_names_of_people_and_firms_are_read(text: str) -> None:
    assert parse_name(text) == text


@pytest.mark.fault("B3")
@pytest.mark.parametrize(
    "text",
    [
        "",
        " Client",
        "Client ",
        "Cli" + ZERO_WIDTH_SPACE + "ent",
        "Cli" + BIDI + "ent",
        "Cli\tent",
        "Cli\x1b[31ment",
        "Cli\u00a0ent",
        "Cli\ufeffent",
        "Cli\u2028ent",
        "Cli\ue000ent",
        "Cli\ud800ent",
        "x" * 201,
    ],
)
def test_names_with_invisible_characters_are_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_name(text)


@given(st.text(max_size=210))
def test_an_accepted_name_is_stable_and_visible(text: str) -> None:
    try:
        name = parse_name(text)
    except InvalidValue:
        return
    assert unicodedata.is_normalized("NFC", name)
    assert parse_name(name) == name
    assert all(character.isprintable() for character in name)


@pytest.mark.fault("B6", "B7")
@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1e3",
        "1E3",
        "1,000.00",
        "1.000,00",
        "+1",
        ".5",
        "1.",
        "01",
        "-1",
        "--1",
        "NaN",
        "Infinity",
        "0x10",
        "1_000",
        "١",
        "½",
        "1\u00a0000",
        "0.30000000000000004",  # what a spreadsheet makes of 0.1 + 0.2; 17 decimals, the coin has 6
        "0.1234567",
        "1.0000000",
        str(UINT256_MAX),
        "9" * 5000,
    ],
)
def test_quantities_in_another_form_are_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_quantity(DOLLAR_COIN.parse_quantity, text)


@pytest.mark.fault("B6", "C12")
@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("0", 0),
        ("0.000000", 0),
        ("1", 1_000_000),
        ("1000.5", 1_000_500_000),
        ("0.000001", 1),
        (f"{UINT256_MAX // 10**6}.{UINT256_MAX % 10**6:06d}", UINT256_MAX),
    ],
)
def test_quantities_are_exact(text: str, units: int) -> None:
    assert parse_quantity(DOLLAR_COIN.parse_quantity, text) == units


@pytest.mark.fault("C12")
def test_one_unit_more_than_256_bits_is_refused() -> None:
    text = DOLLAR_COIN.format_quantity(UINT256_MAX + 1)
    with pytest.raises(InvalidValue):
        parse_quantity(DOLLAR_COIN.parse_quantity, text)
    assert parse_quantity(DOLLAR_COIN.parse_quantity, DOLLAR_COIN.format_quantity(UINT256_MAX)) == UINT256_MAX


@pytest.mark.fault("B6", "C12")
@given(st.integers(-UINT256_MAX, UINT256_MAX), st.integers(0, 77))
def test_every_amount_survives_text(units: int, decimals: int) -> None:
    asset = Asset(AssetId("eip155:1/slip44:60"), "X", decimals)
    assert parse_quantity(asset.parse_quantity, asset.format_quantity(units), signed=True) == units


@pytest.mark.fault("B6")
@given(st.text(alphabet="0123456789.,-+eE _", max_size=40))
def test_an_accepted_quantity_says_what_was_written(text: str) -> None:
    try:
        units = parse_quantity(ETHER.parse_quantity, text, signed=True)
    except InvalidValue:
        return
    assert EXACT.scaleb(Decimal(units), -18) == Decimal(text)
    assert not set(text) & set(",+eE _")


@pytest.mark.fault("B7")
@pytest.mark.parametrize(
    "text",
    ["3/4/26", "2026-1-31", "20260131", "2026-02-30", "26-01-31", "2026-01-31T00:00:00Z", "31.01.2026", "46053", ""],
)
def test_dates_of_spreadsheets_are_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_date(text)


def test_iso_dates_are_read() -> None:
    assert parse_date("2028-02-29") == date(2028, 2, 29)


@pytest.mark.fault("B7")
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T23:59:59Z", datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-01-31T23:59:59.5Z", datetime(2026, 1, 31, 23, 59, 59, 500_000, tzinfo=UTC)),
        ("2026-01-31T18:59:59-05:00", datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-02-01T00:00:00.000001+00:00", datetime(2026, 2, 1, 0, 0, 0, 1, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_utc(text: str, moment: datetime) -> None:
    assert parse_time(text) == moment
    assert parse_time(text).tzinfo is UTC


@pytest.mark.fault("B7")
@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31",
        "2026-01-31T23:59:59",
        "2026-01-31 23:59:59Z",
        "2026-01-31T23:59:59z",
        "2026-01-31T23:59:59-00:00",
        "2026-01-31T24:00:00Z",
        "2026-01-31T23:59:60Z",
        "2026-02-30T00:00:00Z",
        "2026-01-31T23:59:59+99:00",
        "2026-01-31T23:59:59.1234567Z",
        "2026-01-31T23:59:59EST",
        "0001-01-01T00:00:00+14:00",
        "1769903999",
        "",
    ],
)
def test_times_without_a_clear_moment_are_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_time(text)


@pytest.mark.parametrize("text", ["Yes", "y", "true", "1", ""])
def test_yes_and_no_are_written_so(text: str) -> None:
    assert parse_yes_no("yes") is True
    assert parse_yes_no("no") is False
    with pytest.raises(InvalidValue):
        parse_yes_no(text)


def test_words_outside_an_enumeration_are_refused_with_the_allowed_ones() -> None:
    assert one_of(Structure)("omnibus") is Structure.OMNIBUS
    with pytest.raises(InvalidValue, match="omnibus, fully_segregated"):
        one_of(Structure)("Omnibus")


def test_share_holders() -> None:
    assert parse_share_holders("firm:2;custodian:1") == (("firm", 2), ("custodian", 1))
    for text in ("firm:2,custodian:1", "firm", "firm:0", "firm:2;", "firm:1;firm:1", "Firm:1", ""):
        with pytest.raises(InvalidValue):
            parse_share_holders(text)


def test_prices_are_exact_decimals() -> None:
    assert parse_price("3120.55") == Decimal("3120.55")
    assert parse_price("0." + "0" * 29 + "1") == Decimal("1e-30")
    for text in ("-1", "1e3", "NaN", "1,000", "", ".5", "0." + "1" * 31):
        with pytest.raises(InvalidValue):
            parse_price(text)


def test_counts_and_currencies() -> None:
    assert parse_count("0") == 0
    assert parse_currency("USD") == "USD"
    for text in ("-1", "1.0", "01", "1000000", ""):
        with pytest.raises(InvalidValue):
            parse_count(text)
    for text in ("usd", "US", "US$", "USDX"):
        with pytest.raises(InvalidValue):
            parse_currency(text)


@given(st.text(max_size=300))
def test_what_is_shown_is_short_and_printable(text: str) -> None:
    safe = shown(text)
    assert len(safe) <= 80
    assert safe.isprintable()


def test_what_is_shown_is_the_value_where_it_can_be() -> None:
    assert shown("C-1, Zoë") == "C-1, Zoë"
    assert shown("a\x1b[31mb") == "a\\x1b[31mb"


@pytest.mark.parametrize("parse", [parse_name, parse_id])
@pytest.mark.parametrize("text", ["https://desk.example/wd/1", "wd-1:https://desk.example/1", "ftp://host"])
def test_no_name_or_id_holds_a_url(parse: Callable[[str], str], text: str) -> None:
    """A bundle holds no URL, since one can carry a secret: what could never be exported is refused at the door."""
    with pytest.raises(InvalidValue, match="URL"):
        parse(text)
    assert parse("wd:1/2026") == "wd:1/2026"
