"""The one signal over everything compared so far, the worst of what holds leading."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from verifier.records import FindingKind


class FirmStatus(StrEnum):
    """What the rails that are in use say about the firm, worst first in `LEADING`.

    The control rail is not computed yet, and the reserve only of a firm that states it: whoever shows the status names
    the rails beside it.
    """

    COMPLIANT = "compliant"
    SEGREGATION_EXCEPTION = "segregation_exception"
    UNDER_FUNDED = "under_funded"
    """The reserve accounts hold less than is required, or than the figures stated now would require."""
    UNVERIFIED = "unverified"


LEADING = (
    FirmStatus.SEGREGATION_EXCEPTION,
    FirmStatus.UNDER_FUNDED,
    FirmStatus.UNVERIFIED,
    FirmStatus.COMPLIANT,
)

_UNVERIFIED_KINDS = frozenset(
    {
        FindingKind.UNVERIFIED,
        FindingKind.UNPARSED_EVENTS,
        FindingKind.COVERAGE_GAP,
        FindingKind.STALE_OBSERVATION,
        FindingKind.FINALITY_REVERSED,
        FindingKind.APPROVED_NOT_EXECUTED,
    }
)

_UNDER_FUNDED_KINDS = frozenset(
    {FindingKind.RESERVE_DEFICIT, FindingKind.PROJECTED_RESERVE_DEFICIT, FindingKind.MISSED_RESERVE_DEPOSIT}
)


def firm_status(
    open_kinds: Iterable[FindingKind],
    unverified_holdings: int,
    expected_holdings: int,
    stale: bool,
    diverged_holdings: int = 0,
    under_funded: bool = False,
) -> tuple[FirmStatus, ...]:
    """Every status that holds, worst first; `compliant` alone or not at all.

    Compliant takes: something was compared, it is recent, nothing is unverified or diverged and no case is open. A
    closed case does not make right what the newest sweep still saw, or what the reserve accounts still lack.
    """
    kinds = set(open_kinds)
    holds: list[FirmStatus] = []
    if kinds - _UNVERIFIED_KINDS - _UNDER_FUNDED_KINDS or diverged_holdings:
        holds.append(FirmStatus.SEGREGATION_EXCEPTION)
    if kinds & _UNDER_FUNDED_KINDS or under_funded:
        holds.append(FirmStatus.UNDER_FUNDED)
    if kinds & _UNVERIFIED_KINDS or unverified_holdings or not expected_holdings or stale:
        holds.append(FirmStatus.UNVERIFIED)
    return tuple(holds) if holds else (FirmStatus.COMPLIANT,)
