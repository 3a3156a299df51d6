"""What the rule leaves open, as named and dated policies with their source. Nothing uncertain is a silent constant.

A firm may replace a value from a date on; the computation carries every policy it ran under. Where readings can be
compared, the defaults take the one that requires the larger deposit; `new_firm_average` follows the words of the rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from exports.reserve.errors import PolicyRefused

_ALLOWED: Final = {
    "rounding": r"against_the_firm",
    "pab_monthly_105": r"yes|no",
    "note_e_order": r"exclusions_then_e2_e5_e1_e3",
    "note_e1_collateral": r"each_security_to_140_percent",
    "note_e5_fifty_thousand": r"no_relief|limit_at_least",
    "note_g_determination_days_max": r"[1-9][0-9]{0,3}",
    "new_firm_average": r"none_before_twelve|mean_of_filed",
    "item_15_from": r"\d{4}-\d{2}-\d{2}",
    "reserve_account_securities": r"[a-z_]+( [a-z_]+)*",
    "bank_cap_pab_and_customer": r"together|apart",
    "call_report_age_days_max": r"[1-9][0-9]{0,3}",
    "price_age_days_max": r"[0-9]{1,3}",
    "statement_age_days_max": r"[0-9]{1,3}",
    "allocation_order": r"offsets_then_customers_first|customers_first_then_offsets|offsets_then_firm_first",
    "lien_share": r"up_to_market_value|in_proportion",
    "pab_only_business": r"yes|no",
}
"""Every policy of a computation, with the form of its values."""
_ALLOWED_IN_REVIEWS: Final = {
    "cash_account_debit": r"fully_paid|margin",
    "excess_margin_selection": r"by_security_id|proportional",
    "in_transit_business_days_max": r"[0-9]{1,2}",
    "observation_age_hours_max": r"[1-9][0-9]{0,3}",
    "wallet_key_proof_days_max": r"[0-9]{1,4}",
}
"""Every policy of a review of possession or control, with the form of its values."""
_DAYS: Final = frozenset({"item_15_from"})
"""Those whose value is a date."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One decision on one open question."""

    name: str
    value: str
    effective_from: date
    """First as-of date it applies to."""
    source: str
    """Where the reading comes from, or who decided it."""
    reason: str

    def __post_init__(self) -> None:
        form = (_ALLOWED | _ALLOWED_IN_REVIEWS).get(self.name)
        if form is None:
            raise PolicyRefused(f"there is no policy called {self.name!r}")
        if not re.fullmatch(form, self.value, re.ASCII):
            raise PolicyRefused(f"policy {self.name} cannot be {self.value!r}")
        if self.name in _DAYS:
            try:
                date.fromisoformat(self.value)
            except ValueError:
                raise PolicyRefused(f"policy {self.name} cannot be {self.value!r}: there is no such day") from None
        if not self.source.strip():
            raise PolicyRefused(f"policy {self.name} has no source")


_FIRST: Final = date(2024, 3, 18)

DEFAULT_POLICIES: Final = (
    Policy(
        "rounding",
        "against_the_firm",
        _FIRST,
        "Exhibit A item 16: not less than 105 percent",
        "The rule states no rounding; a part of a cent raises the requirement.",
    ),
    Policy(
        "pab_monthly_105",
        "yes",
        _FIRST,
        "Exhibit A, PAB Note 1 with item 16",
        "Note 1 carries Exhibit A over without an exception for the 105 percent; one published method leaves it out.",
    ),
    Policy(
        "note_e_order",
        "exclusions_then_e2_e5_e1_e3",
        _FIRST,
        "Exhibit A, Note E",
        "The note states no order; whole-account exclusions come first, and the 1 percent is taken of what is left.",
    ),
    Policy(
        "note_e1_collateral",
        "each_security_to_140_percent",
        _FIRST,
        "Exhibit A, Note E(1), last sentence",
        "Read by its words: each security is collateral up to 140 percent of the debit, in the 15 percent and the sum.",
    ),
    Policy(
        "note_e5_fifty_thousand",
        "no_relief",
        _FIRST,
        "Exhibit A, Note E(5)",
        "The words about $50,000 can be read in two ways; without relief the reduction is the larger one.",
    ),
    Policy(
        "note_g_determination_days_max",
        "365",
        _FIRST,
        "Exhibit A, Note G: at least annually",
        "A determination counts for a year from its date.",
    ),
    Policy(
        "new_firm_average",
        "none_before_twelve",
        _FIRST,
        "15c3-3(e)(3): 12 most recently filed month-end Forms X-17A-5",
        "An average of twelve forms does not exist before twelve are filed.",
    ),
    Policy(
        "item_15_from",
        "2024-11-29",
        _FIRST,
        "89 FR 94801, the notice of Note H(b)(3) for FICC",
        "Before a notice was published no Treasury clearing margin could be a debit.",
    ),
    Policy(
        "reserve_account_securities",
        "us_treasury us_guaranteed",
        _FIRST,
        "15c3-3(a)(6), (e)(1)",
        "Qualified securities are the United States' own or guaranteed by it; digital assets and stablecoins are not.",
    ),
    Policy(
        "bank_cap_pab_and_customer",
        "together",
        _FIRST,
        "15c3-3(e)(5)",
        "The 15 percent of a bank's equity is measured against the cash of both accounts together.",
    ),
    Policy(
        "call_report_age_days_max",
        "130",
        _FIRST,
        "15c3-3(e)(5): most recent Call Report",
        "Reports are quarterly and due 30 days after the quarter; an older one is not the most recent.",
    ),
    Policy(
        "price_age_days_max",
        "4",
        _FIRST,
        "Exhibit A, market value; chosen for this program",
        "A long weekend and the day before it; an older price is none.",
    ),
    Policy(
        "statement_age_days_max",
        "4",
        _FIRST,
        "15c3-3(e)(1); chosen for this program",
        "What a bank stated longer ago than a long weekend says nothing of what is on deposit now.",
    ),
    Policy(
        "cash_account_debit",
        "fully_paid",
        _FIRST,
        "15c3-3(a)(3), (a)(4)",
        "The books do not say which purchase is unpaid; all securities of a cash account are kept as fully paid.",
    ),
    Policy(
        "excess_margin_selection",
        "by_security_id",
        _FIRST,
        "15c3-3(a)(5): which the broker or dealer identifies",
        "The firm chooses; one order for all owners gives the same choice for the same books.",
    ),
    Policy(
        "in_transit_business_days_max",
        "5",
        _FIRST,
        "15c3-3(c)(6); the days are practice, not text",
        "What takes longer between two offices of the firm is not in transit but missing.",
    ),
    Policy(
        "observation_age_hours_max",
        "24",
        _FIRST,
        "15c3-3(d): as of the close of the preceding business day",
        "A block older than a day before the close says nothing of the close.",
    ),
    Policy(
        "wallet_key_proof_days_max",
        "0",
        _FIRST,
        "Staff statement of 2025-12-17 on custody of crypto asset securities",
        "Access and ability to transfer are asked for, no signature of some age; 0 asks for no proof of the key.",
    ),
    Policy(
        "allocation_order",
        "offsets_then_customers_first",
        _FIRST,
        "Exhibit A items 2 to 6 and 9, which state no order; FINRA's interpretations were not read",
        "Customers' longs meet customers' shorts, then every place that makes a credit before the firm's longs do.",
    ),
    Policy(
        "lien_share",
        "up_to_market_value",
        _FIRST,
        "Exhibit A item 2, Note B; chosen for this program",
        "A loan on customers' and other securities is customers' up to the market value of theirs.",
    ),
    Policy(
        "pab_only_business",
        "no",
        _FIRST,
        "15c3-3(e)(3)(iii)",
        "That a firm carries no customers' accounts and does no proprietary trading is for the firm to say.",
    ),
)


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The policies in effect on one date, exactly one value for each name."""

    policies: tuple[Policy, ...]
    """Sorted by name."""

    def text(self, name: str) -> str:
        """The value of a policy."""
        for each in self.policies:
            if each.name == name:
                return each.value
        raise PolicyRefused(f"policy {name} has no value on that date")

    def integer(self, name: str) -> int:
        """The value of a policy that is a whole number."""
        return int(self.text(name))

    def day(self, name: str) -> date:
        """The value of a policy that is a date."""
        return date.fromisoformat(self.text(name))

    def words(self, name: str) -> frozenset[str]:
        """The value of a policy that is a set of words."""
        return frozenset(self.text(name).split())


def policies_at(as_of: date, own: Iterable[Policy] = ()) -> PolicySet:
    """The policies of a computation in effect on a date: the firm's own before the defaults, the latest before older.

    Raises `PolicyRefused` when two of the firm's own start on one date, or when a name has no value yet.
    """
    return _in_effect(as_of, own, frozenset(_ALLOWED))


def review_policies_at(as_of: date, own: Iterable[Policy] = ()) -> PolicySet:
    """The same for a review of possession or control."""
    return _in_effect(as_of, own, frozenset(_ALLOWED_IN_REVIEWS))


def _in_effect(as_of: date, own: Iterable[Policy], names: frozenset[str]) -> PolicySet:
    chosen: dict[str, Policy] = {}
    seen: set[tuple[str, date]] = set()
    for each in own:
        if (each.name, each.effective_from) in seen:
            raise PolicyRefused(f"policy {each.name} is given twice from {each.effective_from.isoformat()}")
        seen.add((each.name, each.effective_from))
        if each.effective_from <= as_of:
            current = chosen.get(each.name)
            if current is None or current.effective_from < each.effective_from:
                chosen[each.name] = each
    for default in DEFAULT_POLICIES:
        if default.effective_from <= as_of:
            chosen.setdefault(default.name, default)
    if missing := sorted(names - set(chosen)):
        raise PolicyRefused(f"no policy is in effect on {as_of.isoformat()} for {', '.join(missing)}")
    return PolicySet(tuple(chosen[name] for name in sorted(names)))


def policies_value(policies: PolicySet) -> list[dict[str, str]]:
    """The policies as they stand in a canonical text."""
    return [
        {
            "name": each.name,
            "value": each.value,
            "effective_from": each.effective_from.isoformat(),
            "source": each.source,
            "reason": each.reason,
        }
        for each in policies.policies
    ]


def read_policies(value: object) -> PolicySet:
    """The policies of a canonical text; raises `TypeError`, `KeyError` or `PolicyRefused` for anything else."""
    if not isinstance(value, list):
        raise TypeError("policies are a list")
    return PolicySet(
        tuple(
            Policy(
                each["name"],
                each["value"],
                date.fromisoformat(each["effective_from"]),
                each["source"],
                each["reason"],
            )
            for each in value
        )
    )
