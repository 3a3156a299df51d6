"""What a bundle discloses: everything, everything but who the clients are, or what concerns one client alone.

The manifest says of every kind of record how many are here, committed to and withheld. A check that rests on what is
not here is not made, and says so: nothing of it may be read from the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from chains.errors import InvalidValue
from chains.types import StateEvidence
from exports.codec import Code, Digest

if TYPE_CHECKING:
    from exports.contents import Contents


class Profile(StrEnum):
    """For whom a bundle is."""

    FULL = "full"
    """For the auditor: every record as it is."""
    PSEUDONYMOUS = "pseudonymous"
    """For somebody who need not know who the clients are."""
    CLIENT = "client"
    """For one client: what concerns them alone."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """How much of one kind of record the bundle has, beside the full bundle it was made from."""

    kind: Code
    published: int
    """How many are in the file."""
    committed: int
    """How many are not, and stand behind `commitment`."""
    withheld: int | None
    """How many are not, without a commitment; null where the number would tell of other clients."""
    commitment: Digest | None
    """HMAC-SHA256 over the full bundle's member, under a key of the firm's for this bundle and kind."""
    replaced: tuple[Code, ...]
    """Fields whose content is not that of the full bundle: a pseudonym, a sum, `withheld`, or nothing."""

    def __post_init__(self) -> None:
        if bool(self.committed) != (self.commitment is not None):
            raise InvalidValue(f"{self.kind}: a commitment stands for one record or more, and records have one")
        if list(self.replaced) != sorted(set(self.replaced)):
            raise InvalidValue(f"{self.kind}: the replaced fields are not ascending, each once")

    @property
    def is_whole(self) -> bool:
        """Whether no record of the kind is left out; fields of them may be replaced."""
        return not self.committed and self.withheld == 0


def full_disclosure(counts: Mapping[str, int]) -> tuple[Disclosure, ...]:
    """That of a bundle with every record, in the order given."""
    return tuple(Disclosure(kind, count, 0, 0, None, ()) for kind, count in counts.items())


def require_profile(
    profile: Profile, subject: str, full_digest: str | None, disclosure: Iterable[Disclosure], kinds: list[str]
) -> None:
    """Raise `InvalidValue` where what the manifest says of its disclosure does not fit its profile."""
    told = list(disclosure)
    if [each.kind for each in told] != kinds:
        raise InvalidValue("what is disclosed is not told for exactly the members, in their order")
    if (profile is Profile.FULL) == (full_digest is not None):
        raise InvalidValue("a full bundle is made from no other; every other names the full one by its digest")
    if (profile is Profile.CLIENT) != bool(subject):
        raise InvalidValue("a client's own bundle, and no other, says whose it is")
    if profile is Profile.FULL:
        for each in told:
            if not each.is_whole or each.replaced:
                raise InvalidValue(f"a full bundle in which something of {each.kind} is missing or replaced")
    elif profile is Profile.PSEUDONYMOUS and any(each.withheld != 0 for each in told):
        raise InvalidValue("what a pseudonymous bundle leaves out stands behind a commitment")


RESTS_ON: Final[Mapping[int, frozenset[str]]] = {
    7: frozenset({"allocations", "reconciliations"}),
    10: frozenset({"reconciliations", "sweeps"}),
    11: frozenset({"allocations", "assets", "cases", "reconciliations", "transfers"}),
    14: frozenset({"allocations", "authorizations", "pools", "transfers", "wallets"}),
    18: frozenset({"acceptances", "balances", "cases", "control_reviews", "controls", "grants", "restrictions"}),
    19: frozenset({"controls", "key_challenges", "key_proofs", "wallets"}),
    20: frozenset({"key_challenges", "key_proofs", "wallets"}),
    21: frozenset({"control_reviews", "controls", "grants", "restrictions", "wallets"}),
    23: frozenset({"cases", "reserve_computations", "reserve_positions"}),
    24: frozenset({"balances", "proof_headers", "proof_nodes", "token_layouts"}),
    26: frozenset({"transaction_proofs", "transfers"}),
    27: frozenset({"cases", "possession_reviews"}),
    28: frozenset({"cases", "securities_runs"}),
    29: frozenset({"balances", "bitcoin_headers", "bitcoin_inclusions", "bitcoin_outputs", "bitcoin_transactions"}),
    30: frozenset({"imported_evidence"}),
    32: frozenset({"balances", "node_answers"}),
}
"""Checks that say something only of all records of these kinds. The others are made of what is here.

22 is no such check: of a client's own bundle it is that the client's statement leads to the root.
"""
OF_EACH: Final[Mapping[int, str]] = {
    8: "reconciliations",
    9: "reconciliations",
    12: "balances",
    13: "balances",
    17: "balances",
}
"""Checks of each record of a kind by itself: made of those that are here, and withheld where none is."""

ABOUT: Final[Mapping[int, frozenset[str]]] = {
    19: frozenset({"key_challenges", "key_proofs"}),
    20: frozenset({"key_challenges", "key_proofs"}),
    23: frozenset({"reserve_computations", "reserve_positions"}),
    24: frozenset({"proof_headers", "proof_nodes"}),
    26: frozenset({"transaction_proofs"}),
    27: frozenset({"possession_reviews"}),
    28: frozenset({"securities_runs"}),
    29: frozenset({"bitcoin_headers", "bitcoin_inclusions", "bitcoin_outputs", "bitcoin_transactions"}),
    30: frozenset({"imported_evidence"}),
    32: frozenset({"node_answers"}),
}
"""Checks of what a firm may have nothing of."""


def left_out(disclosure: Iterable[Disclosure]) -> frozenset[str]:
    """The kinds of which some record is not in the bundle."""
    return frozenset(each.kind for each in disclosure if not each.is_whole)


def withheld_reason(number: int, contents: Contents) -> str:
    """Why a check cannot be made of what is here; empty when it can."""
    missing = left_out(contents.manifest.disclosure).difference(contents.opened)
    if (about := ABOUT.get(number)) and not about & missing and not any(getattr(contents, kind) for kind in about):
        return ""  # the full bundle has nothing of it either
    if number == 24 and _claims_proofs(contents):
        return ""  # each proof stands for itself, and none that is claimed goes unchecked
    names = sorted(RESTS_ON.get(number, frozenset()) & missing)
    each = OF_EACH.get(number)
    if each in missing and not getattr(contents, each):
        names = [each]
    return f"withheld: not checked, for it rests on {', '.join(names)}" if names else ""


def _claims_proofs(contents: Contents) -> bool:
    """Whether something of a state proof is here, or claimed of a balance."""
    claimed = any(balance.state is StateEvidence.PROVEN for balance in contents.balances)
    return claimed or bool(contents.proof_headers or contents.proof_nodes)


def disclosure_lines(profile: Profile, subject: str, disclosure: Iterable[Disclosure]) -> list[str]:
    """What a bundle does not show, a line each; nothing for a full one."""
    if profile is Profile.FULL:
        return []
    whose = f" of {subject}" if subject else ""
    lines = [f"This is a {profile} bundle{whose}, made from a full one: what it leaves out was not checked."]
    for each in disclosure:
        parts = []
        if each.committed:
            parts.append(f"{each.committed} committed to, not shown")
        if each.withheld is None:
            parts.append("others withheld, their number too")
        elif each.withheld:
            parts.append(f"{each.withheld} withheld")
        if each.replaced:
            parts.append(f"{', '.join(each.replaced)} replaced")
        if parts:
            lines.append(f"  {each.kind}: {each.published} shown, {', '.join(parts)}.")
    return lines
