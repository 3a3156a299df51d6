"""wallet_descriptors: wallets of many addresses, told by one line from which all of their scripts follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chains.errors import InvalidValue
from mapping.columns import Column, ColumnProblem, OnChange, Row, Table
from mapping.fields import one_of, parse_count
from mapping.tables.shared import address_column, chain_column, plain
from mapping.types import DescriptorRole, WalletDescriptor

LOOK_AHEAD_USUAL: Final = 20
LOOK_AHEAD_MAX: Final = 1_000
DERIVED_MAX: Final = 100_000


def _descriptor(text: str, row: Row) -> object:
    branch = row.context.descriptor(row["chain_id"], text)
    if not branch.is_ranged:
        raise InvalidValue("this descriptor stands for one address only: a row of wallets.csv is enough for it")
    return branch.text


def _count(least: int, most: int) -> Callable[[str], object]:
    def parse(text: str) -> object:
        count = parse_count(text)
        if not least <= count <= most:
            raise InvalidValue(f"this is a whole number from {least} to {most}")
        return count

    return parse


def _height(text: str) -> object:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InvalidValue("a height is a whole number of at most 9 digits")
    return int(text)


def _build(row: Row) -> WalletDescriptor:
    first = row.context.descriptor(row["chain_id"], row["descriptor"]).address(0)
    if first != row["address"]:
        raise ColumnProblem("address", f"the descriptor's address of number 0 is {first}, not this one")
    look_ahead = row["look_ahead"]
    derived = look_ahead if row["derived"] is None else row["derived"]
    if derived < look_ahead:
        raise ColumnProblem("derived", f"at least the look_ahead of {look_ahead} addresses are derived")
    return WalletDescriptor(
        row["chain_id"], row["address"], row["descriptor"], row["role"], row["birth_height"], look_ahead, derived
    )


WALLET_DESCRIPTORS: Final = Table(
    name="wallet_descriptors",
    meaning="Output descriptors: each stands for the addresses of a whole wallet, which become wallets of their own.",
    record_type=WalletDescriptor,
    columns=(
        chain_column("Chain of the wallet, one whose adapter reads descriptors (Bitcoin)."),
        address_column("Address of number 0; a row of wallets.csv says how it and all others are governed."),
        Column(
            "descriptor",
            "Output descriptor with public keys and a last step `/*`.",
            "descriptor",
            "BIP-380 with its checksum; xpub or tpub of the network; private keys are refused",
            _descriptor,
        ),
        Column(
            "role",
            "Whether its addresses are given out for deposits or take change.",
            "word",
            "`external` or `change`",
            plain(one_of(DescriptorRole)),
        ),
        Column(
            "birth_height",
            "First block that could have paid one of its addresses; empty when it is not known.",
            "height",
            "up to 9 digits",
            plain(_height),
            required=False,
        ),
        Column(
            "look_ahead",
            "How many addresses behind the last one in use are watched.",
            "addresses",
            f"1 to {LOOK_AHEAD_MAX}; {LOOK_AHEAD_USUAL} when empty",
            plain(_count(1, LOOK_AHEAD_MAX)),
            required=False,
            default=LOOK_AHEAD_USUAL,
        ),
        Column(
            "derived",
            "How many addresses are wallets by now, numbers 0 and up; sweeps write newer versions as they are used.",
            "addresses",
            f"look_ahead to {DERIVED_MAX}, never fewer than before; the look_ahead when empty",
            plain(_count(1, DERIVED_MAX)),
            required=False,
        ),
    ),
    build=_build,
    key_columns=("chain_id", "address"),
    key=lambda record: (record.chain_id, record.address),
    on_change=OnChange.NEW_VERSION,
    examples=(
        (
            "bip122:000000000019d6689c085ae165831e93",
            "bc1qxf4jyj0r5fw4m3sfxhcyfm5rt5ysh2zej5q0n2",
            (
                "wpkh([ffffffff/13h]xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZ"
                "b7ap6r1D3tgFxHmwMkQTPH/1/2/*)#0htvdtvj"
            ),
            "external",
            "880000",
            "",
            "",
        ),
    ),
    notes=(
        (
            "Every derived address becomes a wallet like that of number 0, in the same pools; rows of wallets.csv and "
            "pools.csv that name one of them go before. A newer row of the wallet of number 0 is one for all of them."
        ),
        "For change and for deposits two rows with a descriptor each; `<0;1>` is not read.",
        "An address beyond the look-ahead that a wallet pays to is a finding.",
    ),
)
