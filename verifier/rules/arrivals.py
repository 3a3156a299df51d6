"""What comes into custody from the firm itself: gas for fees, or the firm's assets beside its clients'.

A firm address that is named for it (`tops_up_gas`) may send native coin up to the wallet's limit: that is gas float,
and the books say how much of it there is (decision 0006). Everything else that the firm sends into a client wallet is
a finding, also where the sums are right afterwards: the firm's own assets stand beside its clients', or they cover
for a moment what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable

from chains.types import Transfer, TransferKind, account_location
from mapping.types import FirmAddress
from verifier.records import Finding, FindingKind
from verifier.rules.firm import firm_lines, firm_lines_on
from verifier.rules.statements import figure
from verifier.rules.surroundings import Surroundings


def arrival_findings(
    transfers: Iterable[Transfer], firm_addresses: Iterable[FirmAddress], surroundings: Surroundings
) -> list[Finding]:
    """One finding for each transfer from the firm into a mapped wallet that is no gas float."""
    firm = firm_lines(firm_addresses, surroundings.block.chain_id)
    findings = []
    for transfer in transfers:
        wallet = surroundings.wallets.get(transfer.receiver) if transfer.receiver is not None else None
        if wallet is None or transfer.sender is None or not transfer.base_units or transfer.kind is TransferKind.FEE:
            continue
        lines = firm_lines_on(firm, transfer.sender, transfer.block.timestamp.date())
        if not lines:
            continue
        tops_up_gas = any(line.tops_up_gas for line in lines)
        if not tops_up_gas or not transfer.asset.is_native:
            why = "only native coin from an address that tops up gas is gas float"
        elif transfer.base_units > wallet.gas_float_limit:
            limit = figure(wallet.gas_float_limit, transfer.asset)
            why = f"that is more gas float than the {limit} that the wallet may hold"
        else:
            continue
        came = f"{figure(transfer.base_units, transfer.asset)} came from the firm's own address {transfer.sender}"
        findings.append(
            surroundings.finding(
                FindingKind.COMMINGLING,
                account_location(transfer.block.chain_id, wallet.address),
                transfer.asset,
                transfer.base_units,
                transfer.transfer_id,
                f"{came} ({lines[0].label}) in block {transfer.block.height}: {why}.",
                block=transfer.block,
                tx_id=transfer.tx_id,
            )
        )
    return findings
