"""The wallet map: which client owns something where, and on which chain or rail that is, drawn as one picture.

Three columns, clients, locations, chains and rails, joined by lines. Where there are too many, what diverged or is not
verified comes first, and the rest stands in one box with its number. The drawing is the same for the same records.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chains.types import LocationId
from exports.contents import Contents
from exports.records import Status

SHOWN_MAX: Final = 18
"""Most boxes of a column, the one for the rest included."""
ROW: Final = 26
"""Height of a box with the space below it, in pixels of the drawing."""
BOX_HEIGHT: Final = 20
COLUMNS: Final = ((0, 190), (285, 290), (670, 190))
"""Left edge and width of the boxes of each column."""
WIDTH: Final = 860
TOP: Final = 24
LABEL_MAX: Final = 40
WORST_FIRST: Final = (Status.DIVERGED, Status.UNVERIFIED, Status.MATCHED)


@dataclass(frozen=True, slots=True)
class Box:
    """One client, location or chain, or the rest of them."""

    label: str
    title: str
    """The whole id, or what the rest is."""
    status: str
    """The worst status of what it stands for; empty where nothing was compared."""
    left: int
    top: int
    width: int

    @property
    def middle(self) -> int:
        """Height at which lines meet it."""
        return self.top + BOX_HEIGHT // 2

    @property
    def right(self) -> int:
        """Its right edge."""
        return self.left + self.width


@dataclass(frozen=True, slots=True)
class Line:
    """That something of the left box is in the right one."""

    begin: tuple[int, int]
    end: tuple[int, int]
    status: str

    @property
    def path(self) -> str:
        """The line as an SVG path."""
        (x, y), (to_x, to_y) = self.begin, self.end
        bend = (x + to_x) // 2
        return f"M {x} {y} C {bend} {y}, {bend} {to_y}, {to_x} {to_y}"


@dataclass(frozen=True, slots=True)
class WalletMap:
    """What is drawn."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: int
    height: int
    summary: str
    """The drawing in one sentence, for those who do not see it."""


def wallet_map(contents: Contents) -> WalletMap | None:
    """The drawing for a bundle; None when nobody owns anything in it."""
    owned = sorted({(each.client_id, each.location) for each in contents.allocations if each.base_units > 0})
    return drawn(owned, {location: _place(location, contents) for _, location in owned}, _statuses(contents))


def drawn(
    owned: Sequence[tuple[str, LocationId]], place_of: Mapping[LocationId, str], statuses: Mapping[LocationId, str]
) -> WalletMap | None:
    """The drawing of who owns something at which location, on which chain or rail that is, and how it compared.

    None when nobody owns anything.
    """
    if not owned:
        return None
    locations = _Column(1, {location: statuses.get(location, "") for location in place_of}, "locations")
    clients = _Column(0, _worst_of((client, statuses.get(place, "")) for client, place in owned), "clients")
    places = _Column(2, _worst_of((place, statuses.get(at, "")) for at, place in place_of.items()), "chains and rails")
    lines = {(clients.box(client), locations.box(place), statuses.get(place, "")) for client, place in owned}
    lines |= {(locations.box(at), places.box(place), statuses.get(at, "")) for at, place in place_of.items()}
    ordered = sorted(lines, key=lambda line: (line[0].left, line[0].top, line[1].top, line[2]))
    columns = (clients, locations, places)
    return WalletMap(
        tuple(box for column in columns for box in column.boxes),
        tuple(Line((a.right, a.middle), (b.left, b.middle), status) for a, b, status in ordered),
        WIDTH,
        TOP + ROW * max(len(column.boxes) for column in columns),
        f"{len(clients.statuses)} clients own something at {len(place_of)} locations "
        f"on {len(places.statuses)} chains or rails",
    )


class _Column:
    """The boxes of one column, by what they stand for."""

    def __init__(self, number: int, statuses: dict[str, str] | dict[LocationId, str], many: str) -> None:
        self.statuses = {str(name): status for name, status in statuses.items()}
        left, width = COLUMNS[number]
        ordered = sorted(self.statuses, key=lambda name: (_badness(self.statuses[name]), name))
        shown = ordered if len(ordered) <= SHOWN_MAX else ordered[: SHOWN_MAX - 1]
        rest = ordered[len(shown) :]
        self.boxes = [
            Box(_short(name), name, self.statuses[name], left, TOP + ROW * place, width)
            for place, name in enumerate(shown)
        ]
        self._box_of = dict(zip(shown, self.boxes, strict=True))
        if rest:
            label = f"{len(rest):,} more {many}"
            worst = min((self.statuses[name] for name in rest), key=_badness)
            self.boxes.append(Box(label, label, worst, left, TOP + ROW * len(shown), width))
            self._box_of |= dict.fromkeys(rest, self.boxes[-1])

    def box(self, name: str) -> Box:
        return self._box_of[str(name)]


def _statuses(contents: Contents) -> dict[LocationId, str]:
    return _worst_of((each.location, str(each.status)) for each in contents.reconciliations)  # type: ignore[return-value]


def _worst_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, status in pairs:
        found[str(name)].append(status)
    return {name: min(statuses, key=_badness) for name, statuses in found.items()}


def _badness(status: str) -> int:
    order: Sequence[str] = [str(each) for each in WORST_FIRST]
    return order.index(status) if status in order else len(order)


def _place(location: LocationId, contents: Contents) -> str:
    """The chain of a wallet or pool, or the rail of any other location."""
    chains = sorted({pool.chain_id for pool in contents.pools if f"pool:{pool.pool_id}" == location})
    if chains:
        return ", ".join(chains)
    for sweep in contents.sweeps:
        if location.startswith(f"{sweep.chain_id}:"):
            return sweep.chain_id
    return location.partition(":")[0]


def _short(name: str) -> str:
    return name if len(name) <= LABEL_MAX else f"{name[:26]}…{name[-12:]}"
