"""The versions of the rule by the date they took effect. The one used is written into each computation.

A date before the oldest version known here is refused: computing an old week by today's text would be wrong without
anybody noticing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from exports.reserve.errors import RuleSetUnknown


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Exhibit A and the paragraphs around it, as they stood from one date."""

    rule_set_id: str
    """Name that computations carry."""
    effective_from: date
    """First as-of date it applies to."""
    sources: tuple[str, ...]
    item_10_percent: int = 1
    """Basic method: reduction of item 10, Exhibit A Note E(3)."""
    aggregate_percent: int = 3
    """Alternative method: reduction of aggregate debit items, 15c3-1(a)(1)(ii)(A)."""
    aggregate_percent_daily: int | None = None
    """The same for a firm that must compute daily, or does so after notice; None before there was such a rule."""
    monthly_percent: int = 105
    """Exhibit A item 16: the least deposit where the computation is made monthly."""
    daily_threshold_cents: int | None = None
    """Average total credits from which daily computations are due, (e)(3)(i)(B); None before there was such a rule."""
    daily_first_window_ends: date | None = None
    """The first twelve month-ends that count end on this date."""
    daily_required_from: date | None = None
    """Compliance date of the daily requirement."""


RULE_SETS: Final = (
    RuleSet(
        "15c3-3 of 2024-03-18",
        date(2024, 3, 18),
        ("89 FR 2714, 89 FR 2826 (Treasury clearing: item 15, Note H, Note B last sentence, PAB Note 9)",),
    ),
    RuleSet(
        "15c3-3 of 2025-03-14",
        date(2025, 3, 14),
        (
            "90 FR 2790, Rel. 34-102022 (daily computation; 2 percent in 15c3-1(a)(1)(ii)(A))",
            "90 FR 27990, Rel. 34-103320 (compliance date 2026-06-30 on the month-ends of 2025)",
        ),
        aggregate_percent_daily=2,
        daily_threshold_cents=500_000_000_00,
        daily_first_window_ends=date(2025, 12, 31),
        daily_required_from=date(2026, 6, 30),
    ),
)
"""All versions known here, oldest first."""

FAIL_AGED_DAYS: Final = 30
"""Calendar days: items 6, 7, 8 and Note D count what is older, item 12 what is not."""
TRANSFER_AGED_DAYS: Final = 40
"""Calendar days: item 9 counts transfers that are older and not confirmed."""
ALTERNATIVE_AGED_BUSINESS_DAYS: Final = 7
"""Business days: the limit of items 7 and 8 for the alternative method, 15c3-1(a)(1)(ii)(B)."""


def rule_set_at(as_of: date) -> RuleSet:
    """The version in effect on a date; raises `RuleSetUnknown` before the oldest."""
    for each in reversed(RULE_SETS):
        if each.effective_from <= as_of:
            return each
    oldest = RULE_SETS[0].effective_from.isoformat()
    raise RuleSetUnknown(f"no rule set is known for {as_of.isoformat()}; the oldest takes effect on {oldest}")
