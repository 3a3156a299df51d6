"""What wallets paid to addresses of their own descriptors that nobody watches: beyond the look-ahead.

Such a payment is change, or a deposit given out too far ahead; what it carried is the clients' and in no holding until
the address is mapped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chains.types import Address, Transfer, account_location
from mapping.types import WalletDescriptor
from verifier.records import Finding, FindingKind
from verifier.rules.statements import figure
from verifier.rules.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Sibling:
    """An address that follows from a descriptor."""

    descriptor: WalletDescriptor
    number: int


@dataclass(frozen=True, slots=True)
class DescriptorFacts:
    """What a sweep learnt about the descriptors of its chain."""

    unmapped: Mapping[Address, Sibling]
    """Addresses of movements that follow from a descriptor and are no wallets."""
    not_extended: tuple[tuple[WalletDescriptor, str], ...] = ()
    """Descriptors of which too few addresses are left, and why no more became wallets."""


def sibling_findings(
    transfers: Iterable[Transfer], facts: DescriptorFacts, surroundings: Surroundings
) -> list[Finding]:
    """One finding, with the amount, for each address beyond the look-ahead that a wallet paid in a transaction."""
    paid: dict[tuple[str, Address], list[Transfer]] = {}
    for transfer in transfers:
        receiver = transfer.receiver
        if receiver is not None and receiver in facts.unmapped and transfer.sender in surroundings.wallets:
            paid.setdefault((transfer.tx_id, receiver), []).append(transfer)
    findings = []
    for (tx_id, receiver), parts in paid.items():
        sibling, first = facts.unmapped[receiver], parts[0]
        amount = sum(part.base_units for part in parts)
        what = "Change of" if sibling.descriptor.role == "change" else "A payment of"
        text = (
            f"{what} {figure(amount, first.asset)} went to {receiver} in block {first.block.height}: number "
            f"{sibling.number} of the {sibling.descriptor.role} descriptor that begins with "
            f"{sibling.descriptor.address}, of which only numbers 0 to {sibling.descriptor.derived - 1} are mapped."
        )
        place = account_location(first.block.chain_id, receiver)
        subject = f"sibling:{tx_id}"
        findings.append(
            surroundings.finding(
                FindingKind.UNMAPPED_BALANCE, place, first.asset, amount, subject, text, block=first.block, tx_id=tx_id
            )
        )
    for descriptor, why in facts.not_extended:
        place = account_location(descriptor.chain_id, descriptor.address)
        text = (
            f"The last of the {descriptor.derived} addresses of the descriptor that begins here are in use, and no "
            f"more could be mapped: {why}"
        )
        findings.append(surroundings.finding(FindingKind.COVERAGE_GAP, place, None, None, "descriptor", text))
    return findings
