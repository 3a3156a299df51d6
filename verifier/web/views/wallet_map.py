"""The wallet map: client to place to chain, those first that did not match, and a few of very many by a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chains.types import LocationId
from exports.audit_report.wallet_map import COLUMNS, Box, Line, WalletMap, drawn
from verifier.mapping_view import MappingRow
from verifier.records import Status
from verifier.web.views.inventory import Known, rail_of
from verifier.web.views.listing import Listing, address, listing
from verifier.web.views.signal import chain_href, wallet_href
from verifier.web.views.tones import STATUS, Mark, Tone

NO_STATUS = Mark("not compared", Tone.IDLE)


@dataclass(frozen=True, slots=True)
class BoxShown:
    """A box with the page it leads to."""

    box: Box
    href: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class LineShown:
    """A line with its tone."""

    line: Line
    tone: Tone


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """The same as text: one place, who owns something there, and on which chain or rail it is."""

    location: str
    href: str
    clients: tuple[str, ...]
    more: int
    chain: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class MapShown:
    """The drawing and its table."""

    drawing: WalletMap | None
    boxes: tuple[BoxShown, ...]
    lines: tuple[LineShown, ...]
    places: Listing[PlaceRow]


CLIENTS_SHOWN = 8


def map_shown(rows: Sequence[MappingRow], known: Known, text: str, number: int) -> MapShown:
    """The map of the rows that mention a text."""
    fit = [row for row in rows if row.base_units > 0 and (not text or row.mentions(text))]
    statuses = _statuses(known)
    owned = sorted({(row.client_id, row.location_id) for row in fit})
    chains = {row.location_id: _place(row) for row in fit}
    drawing = drawn(owned, chains, {place: status.value for place, status in statuses.items()})
    by_place: dict[LocationId, list[str]] = {}
    for client, place in owned:
        by_place.setdefault(place, []).append(client)
    order = [Status.DIVERGED, Status.UNVERIFIED, Status.MATCHED]
    places = sorted(by_place, key=lambda place: (order.index(statuses.get(place, Status.UNVERIFIED)), place))
    page = listing(places, number)
    shown = [
        PlaceRow(
            place,
            wallet_href(place),
            tuple(by_place[place][:CLIENTS_SHOWN]),
            max(0, len(by_place[place]) - CLIENTS_SHOWN),
            chains[place],
            STATUS[statuses[place]] if place in statuses else NO_STATUS,
        )
        for place in page.items
    ]
    return MapShown(
        drawing,
        tuple(_box(box) for box in drawing.boxes) if drawing is not None else (),
        tuple(LineShown(line, _mark(line.status).tone) for line in drawing.lines) if drawing is not None else (),
        Listing(shown, page.number, page.total, page.size),
    )


def _statuses(known: Known) -> dict[LocationId, Status]:
    order = [Status.DIVERGED, Status.UNVERIFIED, Status.MATCHED]
    found: dict[LocationId, Status] = {}
    for (place, _), each in known.items():
        worst = found.get(place, Status.MATCHED)
        found[place] = min(worst, each.status, key=order.index)
    return found


def _place(row: MappingRow) -> str:
    """The chain, or the rail of what lies on none."""
    if rail_of(row.location_id).value != "digital":
        return row.location_id.partition(":")[0]
    chains = {wallet.rpartition(":")[0] for wallet in row.wallets}
    return ", ".join(sorted(chains)) or row.asset.chain_id or "pool"


def _mark(status: str) -> Mark:
    return STATUS[Status(status)] if status else NO_STATUS


def _box(box: Box) -> BoxShown:
    lefts = [left for left, _ in COLUMNS]
    href = ""
    if box.title != box.label or " more " not in box.label:
        if box.left == lefts[0]:
            href = address("/inventory", q=box.title)
        elif box.left == lefts[1]:
            href = wallet_href(box.title) or address("/inventory", q=box.title)
        elif ":" in box.title and "," not in box.title:
            href = chain_href(box.title)
    return BoxShown(box, href, _mark(box.status))
