"""What is true in a story, kept in plain Python beside the product: books, blocks, cases and what people may do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from chains.types import Address


@dataclass(frozen=True)
class EntryTruth:
    """What was posted for a wallet, and from when on it counts."""

    wallet: Address
    base_units: int
    effective_at: datetime


@dataclass(frozen=True)
class SweepTruth:
    """What was known when a sweep began: how many entries, which wallets."""

    entries: int
    wallets: tuple[Address, ...]


@dataclass
class CaseTruth:
    """Where a case stands, and who proposed how it is resolved."""

    state: str = "open"
    maker: str = ""


@dataclass
class Truth:
    """Updated by the story itself, never from what the product says."""

    books: dict[Address, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    """Base units by wallet and client."""
    entries: list[EntryTruth] = field(default_factory=list)
    """In the order in which they were posted."""
    sweeps: dict[str, SweepTruth] = field(default_factory=dict)
    asset_was_another: set[str] = field(default_factory=set)
    """Sweeps that began and ended while the token was not what the books call it."""
    paid: set[tuple[str, str]] = field(default_factory=set)
    cases: dict[str, CaseTruth] = field(default_factory=dict)
    """Cases that people did something to."""

    def post(self, wallet: Address, client: str, base_units: int, effective_at: datetime) -> None:
        """An entry was taken into the books."""
        self.books[wallet][client] += base_units
        self.entries.append(EntryTruth(wallet, base_units, effective_at))

    def note(self, sweep_ids: Iterable[str], wallets: tuple[Address, ...]) -> None:
        """These sweeps are there; those that were not before have begun with what is known now."""
        for sweep_id in sweep_ids:
            self.sweeps.setdefault(sweep_id, SweepTruth(len(self.entries), wallets))

    def claimed_by(self, sweep_id: str, wallet: Address, moment: datetime) -> int:
        """What the books said of a wallet when a sweep began, as of a moment."""
        known = self.entries[: self.sweeps[sweep_id].entries]
        return sum(each.base_units for each in known if each.wallet == wallet and each.effective_at <= moment)

    def claimed(self, wallet: Address) -> int:
        """What the books say of a wallet."""
        return sum(self.books[wallet].values())

    def has_negative(self, wallet: Address) -> bool:
        """Whether a client's figure is below zero there."""
        return any(units < 0 for units in self.books[wallet].values())

    def may(self, act: str, case_id: str, state: str, person: str) -> bool:
        """Whether a person may do it to a case in this state, by the rule of two people."""
        if act == "propose":
            return state == "open"
        if state != "proposed":
            return False
        return act == "send_back" or not _one_person(self.cases[case_id].maker, person)

    def did(self, act: str, case_id: str, person: str) -> None:
        """It was done."""
        case = self.cases.setdefault(case_id, CaseTruth())
        case.state = {"propose": "proposed", "approve": "closed", "send_back": "open"}[act]
        case.maker = person if act == "propose" else "" if act == "send_back" else case.maker


def _one_person(first: str, second: str) -> bool:
    return first.replace(" ", "").lower() == second.replace(" ", "").lower()
