"""The one signal with its reasons, each with the page that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from verifier.overview import Overview, Reason, Topic, overview
from verifier.web.views.listing import address
from verifier.web.views.tones import FIRM, Mark

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.web.live import Remembered

PAGES = {
    Topic.INVENTORY: "/inventory",
    Topic.SECURITIES: "/securities",
    Topic.RESERVE: "/reserve",
    Topic.CONTROL: "/control",
    Topic.SETUP: "/chains",
}


@dataclass(frozen=True, slots=True)
class ReasonShown:
    """One reason and where it leads."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Signal:
    """What the firm's status is, over which rails, and why."""

    leading: Mark
    also: tuple[Mark, ...]
    rails: tuple[str, ...]
    reasons: tuple[ReasonShown, ...]


def overview_now(store: Store, settings: Settings, now: datetime, remembered: Remembered) -> Overview:
    """The overview, made once for each state of the journal."""
    return remembered.recall("overview", store, now, lambda: overview(store, settings, now))


def signal(found: Overview) -> Signal:
    """The signal of an overview."""
    leading, *also = (FIRM[status] for status in found.statuses)
    return Signal(leading, tuple(also), tuple(found.rails), tuple(_shown(each) for each in found.why))


def _shown(reason: Reason) -> ReasonShown:
    text = reason.text[:1].upper() + reason.text[1:]
    if reason.topic is Topic.CASES:
        return ReasonShown(text, address("/cases", kind=reason.name))
    if reason.topic is Topic.CHAIN:
        return ReasonShown(text, chain_href(reason.name))
    return ReasonShown(text, PAGES[reason.topic])


def chain_href(chain_id: str) -> str:
    """The page of a chain."""
    return f"/chains/{quote(chain_id, safe=':')}"


def wallet_href(location: str) -> str:
    """The page of a wallet by its CAIP-10 id; empty for what is no wallet on a chain."""
    parts = location.split(":")
    if len(parts) != 3 or parts[0] not in ("eip155", "bip122"):
        return ""
    chain_id, name = f"{parts[0]}:{parts[1]}", parts[2]
    return f"/wallets/{quote(chain_id, safe=':')}/{quote(name, safe='')}"
