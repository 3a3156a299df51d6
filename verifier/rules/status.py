"""The one signal over everything compared so far, the worst of what holds leading."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from verifier.records import FindingKind


class FirmStatus(StrEnum):
    """What the digital rail says about the firm, worst first in `LEADING`.

    Reserve and control rails are not computed yet, so the best this status can say is `compliant` for the
    digital rail; whoever shows it names the rail beside it.
    """

    COMPLIANT = "compliant"
    SEGREGATION_EXCEPTION = "segregation_exception"
    UNVERIFIED = "unverified"


LEADING = (FirmStatus.SEGREGATION_EXCEPTION, FirmStatus.UNVERIFIED, FirmStatus.COMPLIANT)

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


def firm_status(
    open_kinds: Iterable[FindingKind],
    unverified_holdings: int,
    expected_holdings: int,
    stale: bool,
    diverged_holdings: int = 0,
) -> tuple[FirmStatus, ...]:
    """Every status that holds, worst first; `compliant` alone or not at all.

    Compliant takes: something was compared, it is recent, nothing is unverified or diverged and no case is open. A
    closed case does not make right what the newest sweep still saw.
    """
    kinds = set(open_kinds)
    holds: list[FirmStatus] = []
    if kinds - _UNVERIFIED_KINDS or diverged_holdings:
        holds.append(FirmStatus.SEGREGATION_EXCEPTION)
    if kinds & _UNVERIFIED_KINDS or unverified_holdings or not expected_holdings or stale:
        holds.append(FirmStatus.UNVERIFIED)
    return tuple(holds) if holds else (FirmStatus.COMPLIANT,)
