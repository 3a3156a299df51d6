"""The one signal over everything compared so far, the worst of what holds leading."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from verifier.records import FindingKind


class FirmStatus(StrEnum):
    """What the rails that are in use say about the firm, worst first in `LEADING`.

    The reserve is judged only of a firm that states it, and possession or control only of one that keeps its books
    here: whoever shows the status names the rails beside it.
    """

    COMPLIANT = "compliant"
    SEGREGATION_EXCEPTION = "segregation_exception"
    UNDER_FUNDED = "under_funded"
    """The reserve accounts hold less than is required, or than the figures stated now would require."""
    CONTROL_DEFICIT = "control_deficit"
    """Less of an issue is in possession or control than 15c3-3(b) requires, by the last review or by the books now."""
    UNVERIFIED = "unverified"


LEADING = (
    FirmStatus.SEGREGATION_EXCEPTION,
    FirmStatus.UNDER_FUNDED,
    FirmStatus.CONTROL_DEFICIT,
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

_CONTROL_KINDS = frozenset({FindingKind.CONTROL_DEFICIT})


def firm_status(
    open_kinds: Iterable[FindingKind],
    unverified_holdings: int,
    expected_holdings: int,
    stale: bool,
    diverged_holdings: int = 0,
    under_funded: bool = False,
    control_deficit: bool = False,
) -> tuple[FirmStatus, ...]:
    """Every status that holds, worst first; `compliant` alone or not at all.

    Compliant takes: something was compared, it is recent, nothing is unverified or diverged and no case is open. A
    closed case does not make right what the newest sweep still saw, what the reserve accounts still lack, or what is
    still not in possession or control.
    """
    kinds = set(open_kinds)
    holds: list[FirmStatus] = []
    if kinds - _UNVERIFIED_KINDS - _UNDER_FUNDED_KINDS - _CONTROL_KINDS or diverged_holdings:
        holds.append(FirmStatus.SEGREGATION_EXCEPTION)
    if kinds & _UNDER_FUNDED_KINDS or under_funded:
        holds.append(FirmStatus.UNDER_FUNDED)
    if kinds & _CONTROL_KINDS or control_deficit:
        holds.append(FirmStatus.CONTROL_DEFICIT)
    if kinds & _UNVERIFIED_KINDS or unverified_holdings or not expected_holdings or stale:
        holds.append(FirmStatus.UNVERIFIED)
    return tuple(holds) if holds else (FirmStatus.COMPLIANT,)
