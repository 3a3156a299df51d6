"""The one text of a whole statement as it was read: kept beside the message, and read back from storage. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from chains.errors import InvalidValue
from chains.types import Asset, AssetId, LocationId, utc_text
from exports.canonical import canonical_json, parse_canonical_object
from exports.errors import BundleError
from mapping.fields import parse_time
from verifier.custodians.assemble import WholeStatement
from verifier.custodians.message import StatementFormat

STATEMENT_FORMAT = "custody-custodian-statement/1"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a holding, in base units."""

    code: str
    available: bool | None
    base_units: int


@dataclass(frozen=True, slots=True)
class Holding:
    """One holding of a statement, in base units."""

    location_id: LocationId
    asset_id: AssetId
    base_units: int
    not_available: int | None
    """None where the statement does not say."""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """A whole statement of a custodian. What it does not list at one of its locations is nothing there."""

    stated_by: str
    statement_id: str
    format: StatementFormat
    as_of: datetime
    locations: tuple[LocationId, ...]
    holdings: tuple[Holding, ...]
    messages: tuple[tuple[str, str, str], ...]
    """File name, SHA-256 of the file and reference of each page, in order."""

    def canonical(self) -> bytes:
        """The one text of the statement."""
        return canonical_json(
            {
                "format": STATEMENT_FORMAT,
                "stated_by": self.stated_by,
                "statement_id": self.statement_id,
                "syntax": self.format.value,
                "as_of": utc_text(self.as_of),
                "locations": list(self.locations),
                "messages": [
                    {"name": name, "sha256": digest, "reference": reference}
                    for name, digest, reference in self.messages
                ],
                "holdings": [
                    {
                        "location": each.location_id,
                        "asset_id": each.asset_id,
                        "base_units": str(each.base_units),
                        "not_available": None if each.not_available is None else str(each.not_available),
                        "parts": [
                            {"code": part.code, "available": part.available, "base_units": str(part.base_units)}
                            for part in each.parts
                        ],
                    }
                    for each in self.holdings
                ],
            }
        )

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the text."""
        return hashlib.sha256(self.canonical()).hexdigest()


def read_statement(document: bytes) -> Statement:
    """The statement of its text; raises `InvalidValue` when it is none."""
    try:
        value = parse_canonical_object(document)
        found = _read(value)
        same = found.canonical() == document
    except (BundleError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidValue("this is no stored statement") from error
    if not same:
        raise InvalidValue("this is no stored statement: it has another text")
    return found


def _read(value: Mapping[str, object]) -> Statement:
    def objects(name: str, of: Mapping[str, object] = value) -> list[dict[str, object]]:
        found = of[name]
        if not isinstance(found, list):
            raise TypeError(name)
        return found

    def units(text: object) -> int | None:
        return None if text is None else int(str(text))

    holdings = tuple(
        Holding(
            LocationId(str(each["location"])),
            AssetId(str(each["asset_id"])),
            int(str(each["base_units"])),
            units(each["not_available"]),
            tuple(
                Part(
                    str(part["code"]),
                    None if part["available"] is None else bool(part["available"]),
                    int(str(part["base_units"])),
                )
                for part in objects("parts", each)
            ),
        )
        for each in objects("holdings")
    )
    places = value["locations"]
    if not isinstance(places, list):
        raise TypeError("locations")
    return Statement(
        str(value["stated_by"]),
        str(value["statement_id"]),
        StatementFormat(str(value["syntax"])),
        parse_time(str(value["as_of"])),
        tuple(LocationId(str(each)) for each in places),
        holdings,
        tuple((str(each["name"]), str(each["sha256"]), str(each["reference"])) for each in objects("messages")),
    )


def plain(quantity: Decimal) -> str:
    """A quantity as plain digits, without zeros that say nothing."""
    text = format(quantity, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def in_base_units(whole: WholeStatement, assets: Mapping[AssetId, Asset]) -> Statement:
    """The statement with every quantity in base units; raises `InvalidValue` for more decimals than an asset has."""

    def units(asset_id: AssetId, quantity: Decimal) -> int:
        return assets[asset_id].parse_quantity(plain(quantity))

    return Statement(
        whole.stated_by,
        whole.statement_id,
        whole.format,
        whole.as_of,
        whole.locations,
        tuple(
            Holding(
                each.location_id,
                each.asset_id,
                units(each.asset_id, each.stated.quantity),
                None if each.stated.not_available is None else units(each.asset_id, each.stated.not_available),
                tuple(
                    Part(part.code, part.available, units(each.asset_id, part.quantity)) for part in each.stated.parts
                ),
            )
            for each in whole.holdings
        ),
        whole.messages,
    )
