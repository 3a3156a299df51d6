"""What comes from the firm's own addresses into client wallets: gas for fees, or assets that do not belong there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from chains.types import Transfer, TransferKind
from mapping.types import FirmAddress
from tests.verifier.rules.make import ETH, FIRM, NOON, OUTSIDE, USDC, A, B, around, firm_address, moved, place, wallet
from verifier.records import Finding, FindingKind
from verifier.rules.arrivals import arrival_findings

GAS = replace(firm_address(), tops_up_gas=True)
PLAIN = firm_address()
LIMIT = 100


def arrivals(*transfers: Transfer, firm: tuple[FirmAddress, ...] = (GAS,)) -> list[Finding]:
    return arrival_findings(transfers, firm, around(wallet(A, gas_float_limit=LIMIT)))


@pytest.mark.fault("A48")
@pytest.mark.parametrize(
    ("transfer", "firm", "found"),
    [
        (moved(LIMIT, sender=FIRM, receiver=A, asset=ETH), GAS, False),
        (moved(LIMIT, sender=FIRM, receiver=A, asset=ETH), PLAIN, True),
        (moved(LIMIT + 1, sender=FIRM, receiver=A, asset=ETH), GAS, True),
        (moved(1, sender=FIRM, receiver=A, asset=ETH, kind=TransferKind.INTERNAL), PLAIN, True),
        (moved(1, sender=FIRM, receiver=A, asset=USDC), GAS, True),
        (moved(0, sender=FIRM, receiver=A, asset=USDC), GAS, False),
        (moved(1, sender=OUTSIDE, receiver=A, asset=USDC), GAS, False),
        (moved(1, sender=None, receiver=A, asset=ETH, kind=TransferKind.COINBASE), PLAIN, False),
        (moved(1, sender=FIRM, receiver=OUTSIDE, asset=USDC), GAS, False),
        (moved(1, sender=FIRM, receiver=None, asset=ETH), PLAIN, False),
        (moved(1, sender=A, receiver=FIRM, asset=ETH), PLAIN, False),  # the way out is matched with the approvals
        (moved(1, sender=FIRM, receiver=A, asset=ETH), replace(PLAIN, valid_until=date(2026, 3, 1)), False),
        (moved(1, sender=FIRM, receiver=A, asset=ETH), replace(PLAIN, valid_until=NOON.date()), True),
    ],
)
def test_only_gas_may_come_from_the_firm(transfer: Transfer, firm: FirmAddress, found: bool) -> None:
    findings = arrivals(transfer, firm=(firm,))
    assert bool(findings) is found
    for each in findings:
        assert (each.kind, each.location_id, each.tx_id) == (FindingKind.COMMINGLING, place(A), transfer.tx_id)
        assert (each.base_units, each.subject) == (transfer.base_units, transfer.transfer_id)
        assert "treasury" in each.text


def test_each_arrival_is_a_finding_of_its_own_and_says_why() -> None:
    token, much = moved(1, sender=FIRM, receiver=A), moved(LIMIT + 1, sender=FIRM, receiver=A, asset=ETH)
    first, second = arrivals(token, much)
    assert "only native coin" in first.text
    assert "more gas float than the" in second.text
    assert first.finding_key != second.finding_key


def test_an_address_counts_by_its_line_of_the_day() -> None:
    """The address was for income before, and tops up gas since."""
    before = replace(PLAIN, valid_until=date(2026, 3, 1))
    since = replace(GAS, valid_from=NOON.date())
    top_up = moved(1, sender=FIRM, receiver=A, asset=ETH)
    assert arrivals(top_up, firm=(before, since)) == []
    assert (
        len(
            arrivals(
                top_up, firm=(replace(PLAIN, valid_from=NOON.date()), replace(GAS, valid_until=before.valid_until))
            )
        )
        == 1
    )


def test_a_wallet_without_a_float_takes_no_gas() -> None:
    top_up = moved(1, sender=FIRM, receiver=B, asset=ETH)
    assert len(arrival_findings([top_up], [GAS], around(wallet(B)))) == 1
    assert arrival_findings([top_up], [GAS], around(wallet(B, gas_float_limit=1))) == []
