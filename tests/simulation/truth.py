"""What is true in a story, kept in plain Python beside the product: books, blocks, cases and what people may do."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from chains.types import Address


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
    paid: set[tuple[str, str]] = field(default_factory=set)
    cases: dict[str, CaseTruth] = field(default_factory=dict)
    """Cases that people did something to."""

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
