"""Lists of addresses as others publish them beside their reserves: read strictly, in the layouts that are known.

`signed-snapshot`    coin, network, height, address, amount, message and signatures; as OKX publishes its snapshots
                     (github.com/okx/proof-of-reserves, example/okx_por_example.csv), with its head of totals
`signed-addresses`   asset, network, address, message and signatures, without amounts (same place, example/test.csv)
`signed-messages`    address, message, signature: what wallets and BIP-322 tools write; the chain is said beside it

An unknown column, a line with more cells than the header, a doubled address, no line at all: problems, and nothing is
taken. Only what stands in the file is here; what it is worth is `exports.outside_judging`'s. Pure.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chains.bitcoin.networks import NETWORKS, network_of
from chains.bitcoin.script import canonical_address
from chains.errors import InvalidValue
from chains.evm.addresses import checksum_address, parse_address
from chains.types import ChainId, chain_namespace

BYTES_MAX: Final = 64 * 1024 * 1024
LINES_MAX: Final = 100_000
TEXT_MAX: Final = 4_000
COLUMNS: Final[Mapping[str, str]] = {
    "coin": "coin", "digitalasset": "coin", "network": "network", "snapshot height": "height", "address": "address",
    "amount": "amount", "balance": "amount", "message": "message", "signature": "signature", "signature1": "signature",
    "signedmessage": "signature", "signature2": "second_signature", "signedmessage2": "second_signature",
    "redeem script": "key", "redeem script/ public key": "key", "publickey": "key", "eoa1": "owner", "owner1": "owner",
    "eoa2": "second_owner", "owner2": "second_owner",
}  # fmt: skip
"""Columns of the layouts, in small letters, and what they are."""
CHAINS: Final[Mapping[str, str]] = {
    "btc": "bip122:000000000019d6689c085ae165831e93",
    "eth": "eip155:1", "erc20": "eip155:1", "optimism": "eip155:10", "bsc": "eip155:56", "polygon": "eip155:137",
    "base": "eip155:8453", "arbitrum": "eip155:42161", "avaxc": "eip155:43114",
}  # fmt: skip
"""Networks as such files call them. Others are kept as they are called, and nothing of them is checked."""
_AMOUNT: Final = re.compile(r"(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?", re.ASCII)
_HEIGHT: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_NO_CHECKSUM: Final = re.compile(r"0x[0-9a-f]{40}", re.ASCII)
_PLAIN: Final = re.compile(r"[!-~]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class OutsideLine:
    """One line, as the file says it. Texts are empty where it says nothing."""

    line: int
    coin: str
    network: str
    chain_id: str
    """CAIP-2 id; empty for a network that is not known here."""
    address: str
    height: int | None
    amount: str
    """Of the coin, in decimals."""
    message: str
    signatures: tuple[str, ...]
    key: str
    """Redeem script or public key."""
    owners: tuple[str, ...]
    """Of a contract wallet: the accounts that signed for it."""


@dataclass(frozen=True, slots=True)
class ListProblem:
    """What is wrong with one field."""

    line: int
    """From 1; 0 for the file."""
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class OutsideList:
    """What a file says; no lines when there is any problem."""

    layout: str
    lines: tuple[OutsideLine, ...]
    problems: tuple[ListProblem, ...]


def read_outside_list(data: bytes, chain_id: ChainId | None = None) -> OutsideList:
    """Read a file. `chain_id` says of which chain the addresses are, where the file does not."""
    problems: list[ListProblem] = []
    lines: list[OutsideLine] = []
    layout = ""
    try:
        rows = list(_rows(data))
        layout, columns, body = _header(rows)
        for number, cells in body:
            found = _line(number, cells, columns, chain_id, problems)
            if found is not None:
                lines.append(found)
        problems += _doubles(lines)
        if not lines and not problems:
            raise InvalidValue("it has no line with an address")
    except InvalidValue as error:
        problems.append(ListProblem(0, "", "", str(error)))
    return OutsideList(layout, () if problems else tuple(lines), tuple(problems))


def _rows(data: bytes) -> Iterator[tuple[int, list[str]]]:
    if len(data) > BYTES_MAX:
        raise InvalidValue(f"the file is larger than {BYTES_MAX} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidValue("the file is not UTF-8") from None
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        for cells in reader:
            if reader.line_num > LINES_MAX:
                raise InvalidValue(f"the file has more than {LINES_MAX} lines")
            plain = [cell.strip() for cell in cells]
            yield reader.line_num, ["" if cell == "null" else cell for cell in plain]
    except csv.Error as error:
        raise InvalidValue(f"line {reader.line_num} is no CSV: {error}") from None


def _header(
    rows: Sequence[tuple[int, list[str]]],
) -> tuple[str, list[str], list[tuple[int, list[str]]]]:
    """The layout, what its columns are, and the lines below. A head of totals above it is passed over."""
    for at, (number, cells) in enumerate(rows):
        names = [cell.lower() for cell in cells]
        if "address" not in names:
            continue
        unknown = [name for name in names if name not in COLUMNS]
        if unknown:
            raise InvalidValue(f"line {number} has columns that no known layout has: {', '.join(unknown)[:200]}")
        columns = [COLUMNS[name] for name in names]
        if len(set(columns)) != len(columns) or not {"message", "signature"} <= set(columns):
            raise InvalidValue(f"line {number} names a column twice, or has no message or signature")
        layout = "signed-messages" if "coin" not in columns else "signed-snapshot"
        if "coin" in columns and "amount" not in columns:
            layout = "signed-addresses"
        return layout, columns, [(line, row) for line, row in rows[at + 1 :] if any(row)]
    raise InvalidValue("no line names the columns of a known layout: address, message and signature at least")


def _line(
    number: int, cells: list[str], columns: list[str], chain_id: ChainId | None, problems: list[ListProblem]
) -> OutsideLine | None:
    before = len(problems)

    def bad(column: str, reason: str) -> None:
        problems.append(ListProblem(number, column, values.get(column, "")[:80], reason))

    values = dict(zip(columns, cells, strict=False))
    if len(cells) > len(columns):
        bad("", f"the line has {len(cells)} cells, the header {len(columns)}")
    for column, value in values.items():
        if len(value) > TEXT_MAX or not value.isprintable():
            bad(column, f"longer than {TEXT_MAX} characters, or not printable")
    coin, network = values.get("coin", ""), values.get("network", "")
    place = str(chain_id) if chain_id is not None else _chain(coin, network)
    if "coin" not in columns and chain_id is None:
        bad("address", "the file does not say of which chain it is: give --chain")
    elif "coin" in columns and not coin:
        bad("coin", "is missing")
    address = values.get("address", "")
    try:
        address = _address(place, address)
    except InvalidValue as error:
        bad("address", str(error)[:200])
    height, amount = values.get("height", ""), values.get("amount", "")
    if height and not _HEIGHT.fullmatch(height):
        bad("height", "not the height of a block")
    if amount and not _AMOUNT.fullmatch(amount):
        bad("amount", "not an amount of zero or more in decimals")
    if ("amount" in columns and not amount) or ("height" in columns and not height):
        bad("amount" if not amount else "height", "is missing")
    if len(problems) > before:
        return None
    return OutsideLine(
        line=number,
        coin=coin,
        network=network,
        chain_id=place,
        address=address,
        height=int(height) if height else None,
        amount=amount,
        message=values.get("message", ""),
        signatures=tuple(each for name in ("signature", "second_signature") if (each := values.get(name, ""))),
        key=values.get("key", ""),
        owners=tuple(each for name in ("owner", "second_owner") if (each := values.get(name, ""))),
    )


def _chain(coin: str, network: str) -> str:
    name = network or (coin.partition("-")[2] or coin)
    return CHAINS.get(name.lower(), "")


def _address(chain_id: str, text: str) -> str:
    namespace = chain_namespace(ChainId(chain_id)) if chain_id else ""
    if namespace == "bip122":
        return canonical_address(network_of(ChainId(chain_id)), text)
    if namespace == "eip155":
        if _NO_CHECKSUM.fullmatch(text):  # as such files write them; capitals, where there are some, must be right
            return checksum_address(bytes.fromhex(text[2:]))
        return parse_address(text)
    if not _PLAIN.fullmatch(text):
        raise InvalidValue("no address")
    return text


def _doubles(lines: Sequence[OutsideLine]) -> list[ListProblem]:
    seen: dict[tuple[str, str, str], int] = {}
    problems = []
    for each in lines:
        key = (each.coin, each.chain_id or each.network, each.address)
        if key in seen:
            problems.append(ListProblem(each.line, "address", each.address[:80], f"stands in line {seen[key]} already"))
        seen.setdefault(key, each.line)
    return problems


assert all(chain_namespace(ChainId(each)) in ("bip122", "eip155") for each in CHAINS.values())
assert CHAINS["btc"] in {network.chain_id for network in NETWORKS}
