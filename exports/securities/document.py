"""The canonical text of a comparison with custodians' statements, and the comparison of such a text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final

from chains.errors import InvalidValue
from chains.types import Asset, AssetId, LocationId, utc_text
from exports.canonical import canonical_json, parse_canonical_object
from exports.errors import BundleError
from exports.securities.comparison import (
    MissingStatement,
    PositionLine,
    SecuritiesComparison,
    Stated,
    Unplaced,
)
from exports.securities.errors import ComparisonRefused

FORMAT: Final = "custody-securities-comparison/1"


def document(found: SecuritiesComparison) -> bytes:
    """The one text of a comparison: what the books and the statements say, and what follows."""
    expected, matched, diverged, unverified = found.counts
    return canonical_json(
        {
            "format": FORMAT,
            "as_of": found.as_of.isoformat(),
            "known_at": utc_text(found.known_at),
            "lines": [_line_value(each) for each in _ordered(found.lines)],
            "missing": [
                {"location": each.location_id, "custodian": each.custodian, "due_at": utc_text(each.due_at)}
                for each in sorted(found.missing, key=lambda each: each.location_id)
            ],
            "unplaced": [
                {"place": each.place, "asset_id": each.asset_id, "base_units": str(each.base_units)}
                for each in sorted(found.unplaced, key=lambda each: (each.place, each.asset_id))
            ],
            "counts": {"expected": expected, "matched": matched, "diverged": diverged, "unverified": unverified},
        }
    )


def digest(text: bytes) -> str:
    """SHA-256 (hex) of a document."""
    return hashlib.sha256(text).hexdigest()


def read_comparison(text: bytes) -> SecuritiesComparison:
    """The comparison of its text, judged again; raises `ComparisonRefused` when it comes out another."""
    try:
        found = _read(parse_canonical_object(text))
        same = document(found) == text
    except (BundleError, InvalidValue, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ComparisonRefused("this is no stored comparison with custodians' statements") from error
    if not same:
        raise ComparisonRefused("the figures of this comparison give another result")
    return found


def _ordered(lines: tuple[PositionLine, ...]) -> list[PositionLine]:
    return sorted(lines, key=lambda each: (each.location_id, each.asset.asset_id))


def _line_value(line: PositionLine) -> dict[str, object]:
    return {
        "location": line.location_id,
        "asset_id": line.asset.asset_id,
        "symbol": line.asset.symbol,
        "decimals": line.asset.decimals,
        "clients": _text(line.clients),
        "firm": _text(line.firm),
        "owners_below_zero": line.owners_below_zero,
        "recorded": _text(line.recorded),
        "stated": [
            {
                "stated_by": each.stated_by,
                "statement_id": each.statement_id,
                "as_of": utc_text(each.as_of),
                "base_units": str(each.base_units),
                "is_listed": each.is_listed,
            }
            for each in sorted(line.stated, key=lambda each: (each.stated_by, each.statement_id))
        ],
        "gaps": list(line.gaps),
        "status": line.status.value,
        "differences": [
            {"book": book.value, "statement_id": each.statement_id, "base_units": str(difference)}
            for book, each, difference in sorted(
                line.differences(), key=lambda found: (found[0], found[1].stated_by, found[1].statement_id)
            )
        ],
    }


def _read(value: Mapping[str, object]) -> SecuritiesComparison:
    return SecuritiesComparison(
        date.fromisoformat(_words(value["as_of"])),
        _time(value["known_at"]),
        tuple(_read_line(each) for each in _objects(value["lines"])),
        tuple(
            MissingStatement(LocationId(_words(each["location"])), _words(each["custodian"]), _time(each["due_at"]))
            for each in _objects(value["missing"])
        ),
        tuple(
            Unplaced(_words(each["place"]), _words(each["asset_id"]), int(_words(each["base_units"])))
            for each in _objects(value["unplaced"])
        ),
    )


def _read_line(value: Mapping[str, object]) -> PositionLine:
    decimals, below = value["decimals"], value["owners_below_zero"]
    if not isinstance(decimals, int) or not isinstance(below, int) or below < 0:
        raise TypeError("a count is expected")
    gaps = value["gaps"]
    if not isinstance(gaps, list):
        raise TypeError("a list is expected")
    return PositionLine(
        LocationId(_words(value["location"])),
        Asset(AssetId(_words(value["asset_id"])), _words(value["symbol"]), decimals),
        _units(value["clients"]),
        _units(value["firm"]),
        below,
        _units(value["recorded"]),
        tuple(
            Stated(
                _words(each["stated_by"]),
                _words(each["statement_id"]),
                _time(each["as_of"]),
                int(_words(each["base_units"])),
                bool(each["is_listed"]),
            )
            for each in _objects(value["stated"])
        ),
        tuple(_words(each) for each in gaps),
    )


def _text(units: int | None) -> str | None:
    return None if units is None else str(units)


def _units(value: object) -> int | None:
    return None if value is None else int(_words(value))


def _words(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text is expected")
    return value


def _time(value: object) -> datetime:
    return datetime.fromisoformat(_words(value)).astimezone(UTC)


def _objects(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list):
        raise TypeError("a list is expected")
    return value
