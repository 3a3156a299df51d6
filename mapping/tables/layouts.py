"""token_layouts: where ERC-20 tokens keep their balances, found by a command and reviewed by two people."""

from __future__ import annotations

import re
from collections.abc import Callable

from chains.errors import InvalidValue
from chains.evm.token_layout import SlotOrder, TokenLayout
from chains.types import asset_chain_id
from mapping.columns import Column, ColumnProblem, OnChange, Row, Table
from mapping.fields import one_of, parse_count, parse_name, parse_person, parse_time
from mapping.tables.shared import NAME_RULE, PERSON_RULE, TIME_RULE, asset_column, plain
from mapping.token_layouts import ReviewedLayout

_SLOT = re.compile(r"0|[1-9][0-9]{0,77}|0x[0-9a-f]{1,64}", re.ASCII)
_HASH = re.compile(r"0x[0-9a-f]{64}", re.ASCII)
_NOT_UNPROVABLE = "; empty when unprovable"


def _slot(text: str) -> int:
    if not _SLOT.fullmatch(text) or int(text, 0) >= 1 << 256:
        raise InvalidValue("a slot is a whole number in plain digits, or 0x and at most 64 lower-case hex digits")
    return int(text, 0)


def _hash(text: str) -> str:
    if not _HASH.fullmatch(text):
        raise InvalidValue("a code hash is 0x and 64 lower-case hex digits")
    return text


def _provable(parse: Callable[[str], object]) -> Callable[[str, Row], object]:
    """A value that only a layout with a rule has."""

    def read(text: str, row: Row) -> object:
        if row["order"] is SlotOrder.UNPROVABLE:
            raise InvalidValue("leave it empty: what is unprovable has no rule")
        return parse(text)

    return read


def _token(text: str, row: Row) -> object:
    asset_id = row.context.asset_id(text)
    if "/erc20:" not in asset_id:
        raise InvalidValue("a layout is about an ERC-20 token; the native coin needs none")
    return asset_id


def _implementation(text: str, row: Row) -> object:
    chain_id = asset_chain_id(row["asset_id"])
    assert chain_id is not None
    return row.context.address(chain_id, text)


def _build(row: Row) -> ReviewedLayout:
    unprovable = row["order"] is SlotOrder.UNPROVABLE
    if unprovable != bool(row["reason"]):
        raise ColumnProblem("reason", "say why exactly when the order is unprovable")
    if not unprovable:
        for name in ("mapping_slot", "code_hash"):
            if row[name] is None:
                raise ColumnProblem(name, "a layout with a rule names its slot and the code hash it was found for")
    if (row["implementation"] is None) != (row["implementation_code_hash"] is None):
        raise ColumnProblem("implementation_code_hash", "an implementation has a code hash, and nothing else does")
    if row["requested_by"] == row["approved_by"]:
        raise ColumnProblem("approved_by", "the person who asks cannot be the one who approves")
    layout = TokenLayout(
        asset_id=row["asset_id"],
        order=row["order"],
        mapping_slot=row["mapping_slot"] or 0,
        first_bit=row["first_bit"],
        bits=row["bits"],
        code_hash=row["code_hash"] or "",
        implementation=row["implementation"],
        implementation_slot=row["implementation_slot"],
        implementation_code_hash=row["implementation_code_hash"] or "",
        reason=row["reason"],
    )
    return ReviewedLayout(layout, row["requested_by"], row["approved_by"], row["approved_at"])


_asset_column = asset_column("The token.")
_SLOT_RULE = "plain digits, or `0x` and hex digits" + _NOT_UNPROVABLE
_HASH_RULE = "`0x` and 64 lower-case hex digits" + _NOT_UNPROVABLE

TOKEN_LAYOUTS = Table(
    name="token_layouts",
    meaning="Where ERC-20 tokens keep their balances in storage, for one code each: what state proofs rest on.",
    record_type=ReviewedLayout,
    columns=(
        Column(_asset_column.name, _asset_column.meaning, "CAIP-19", "an ERC-20 asset of assets.csv", _token),
        Column(
            "order",
            "How a holder's slot follows from the mapping's.",
            "word",
            "one of " + ", ".join(f"`{order}`" for order in SlotOrder),
            plain(one_of(SlotOrder)),
        ),
        Column(
            "mapping_slot",
            "Number of the mapping of balances; the seed where the order is `seeded`.",
            "slot",
            _SLOT_RULE,
            _provable(_slot),
            required=False,
        ),
        Column(
            "first_bit",
            "Lowest bit of the balance within its word; 0 when empty.",
            "bit",
            "0 to 255",
            _provable(parse_count),
            required=False,
            default=0,
        ),
        Column(
            "bits",
            "Bits of the balance within its word; 256 when empty.",
            "bits",
            "1 to 256, within the word",
            _provable(parse_count),
            required=False,
            default=256,
        ),
        Column("code_hash", "keccak256 of the token's code.", "hash", _HASH_RULE, _provable(_hash), required=False),
        Column(
            "implementation",
            "The contract whose code a proxy runs; empty for a token that is no proxy.",
            "address",
            "the chain's strict spelling",
            _implementation,
            required=False,
        ),
        Column(
            "implementation_slot",
            "Where the proxy keeps that address; empty for a minimal proxy (EIP-1167), in whose code it stands.",
            "slot",
            _SLOT_RULE,
            _provable(_slot),
            required=False,
        ),
        Column(
            "implementation_code_hash",
            "keccak256 of the implementation's code.",
            "hash",
            "`0x` and 64 lower-case hex digits; for a proxy alone",
            _provable(_hash),
            required=False,
        ),
        Column("reason", "Why it is unprovable.", "text", NAME_RULE, plain(parse_name), required=False, default=""),
        Column("requested_by", "Who found it (maker).", "person", PERSON_RULE, plain(parse_person)),
        Column(
            "approved_by", "Who reviewed it (checker).", "person", PERSON_RULE + "; not the maker", plain(parse_person)
        ),
        Column("approved_at", "Moment of the review.", "time", TIME_RULE, plain(parse_time)),
    ),
    build=_build,
    key_columns=("asset_id",),
    key=lambda record: (record.layout.asset_id,),
    on_change=OnChange.NEW_VERSION,
    examples=(
        (
            "eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
            "solidity",
            "9",
            "0",
            "255",
            "0x" + "11" * 32,
            "0x43506849D7C04F9138D1A2050bbF3A0c054402dd",
            "0x7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3",
            "0x" + "22" * 32,
            "",
            "ops.maker",
            "ops.checker",
            "2026-02-02T13:55:00Z",
        ),
    ),
    notes=(
        "The code hashes of the example are none: `custody chain layout` prints those of a token.",
        "A layout holds for the code hash it names. When the token's code is another, balances are read, not proven.",
        "A token whose balances follow an index or come from elsewhere is `unprovable`, with the reason.",
        "A new version is approved anew: its approved_at is later.",
    ),
)
