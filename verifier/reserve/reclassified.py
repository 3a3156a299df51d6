"""Accounts that the books put into another class than before: what moves a requirement without any money moving.

Who is a customer decides what Exhibit A counts, and the kind of an account what is locked up for it. The firm may be
right to change either; it is no matter for one person, so each change is a case of its own. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise

from exports.reserve.money import dollars
from mapping.books_types import AccountType, HolderClass
from verifier.rules.wording import some_of

"""Accounts that a text names; it counts the rest."""


@dataclass(frozen=True, slots=True)
class AccountVersion:
    """One row of the books about an account, with who brought it."""

    account_id: str
    as_of: date
    holder_class: HolderClass
    account_type: AccountType
    cents: int
    """Its credit or debit balance, in US cents."""
    actor: str

    @property
    def kind(self) -> str:
        """Its class and type, in words."""
        return f"{self.holder_class} {self.account_type}"


@dataclass(frozen=True, slots=True)
class Reclassification:
    """Accounts that one person moved from one class to another on one day of the books."""

    as_of: date
    before: str
    after: str
    actor: str
    accounts: tuple[tuple[str, int], ...]
    """Account and balance in US cents, by account."""

    @property
    def subject(self) -> str:
        """The same for the same accounts and classes, so that a further account is not covered by a closed case."""
        text = "\t".join((self.as_of.isoformat(), self.before, self.after, *(account for account, _ in self.accounts)))
        return f"reclassified:{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def text(self) -> str:
        """What was changed, by whom, and what to do."""
        named = some_of([f"{account} ({dollars(cents)})" for account, cents in self.accounts])
        total = dollars(sum(cents for _, cents in self.accounts))
        return (
            f"By the books of {self.as_of.isoformat()}, brought by {self.actor}, {named} changed from "
            f"{self.before} to {self.after}: {total} US dollars in all. It counts as the books say; "
            "a second person confirms it by closing this case."
        )


def reclassifications(versions: Iterable[AccountVersion]) -> list[Reclassification]:
    """Every change of class between one row of an account and the next; `versions` are by account, oldest first."""
    found: dict[tuple[date, str, str, str], list[tuple[str, int]]] = {}
    for account_id, own in groupby(versions, key=lambda each: each.account_id):
        for before, after in pairwise(own):
            if before.kind != after.kind:
                key = (after.as_of, before.kind, after.kind, after.actor)
                found.setdefault(key, []).append((account_id, after.cents))
    return [Reclassification(*key, tuple(sorted(set(accounts)))) for key, accounts in sorted(found.items())]
