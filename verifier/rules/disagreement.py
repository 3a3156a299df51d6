"""From what operators disagree about to findings: who said what, where, and what the quorum said if there was one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from chains.agreement import NODE_SEPARATOR, DisagreementSubject, NodeAnswer, NodeDisagreement
from chains.types import Asset, LocationId, account_location
from verifier.case_book import GROUPED_FROM
from verifier.records import Finding, FindingKind
from verifier.rules.statements import figure
from verifier.rules.surroundings import Surroundings

GROUPED: Final = frozenset({DisagreementSubject.BALANCE, DisagreementSubject.TRANSFER, DisagreementSubject.ENCUMBRANCE})
"""Subjects of which one bad node can disagree thousands of times."""


def disagreement_findings(disagreements: Iterable[NodeDisagreement], surroundings: Surroundings) -> list[Finding]:
    """One finding for each matter that nodes disagree about, with every answer in its text.

    A node that goes on disagreeing stays in its case. Twenty or more balances, or transfers, of one asset about which
    the same nodes dissent share a case at the chain: one bad node cannot flood the queue.
    """
    together: dict[tuple[str, ...], list[NodeDisagreement]] = {}
    for each in dict.fromkeys(disagreements):
        together.setdefault((each.subject, _asset_id(each), _dissenters(each)), []).append(each)
    findings: dict[str, Finding] = {}
    for group in together.values():
        if group[0].subject in GROUPED and len(group) >= GROUPED_FROM:
            found = [_many(group, surroundings)]
        else:
            found = [_one(each, surroundings) for each in group]
        for finding in found:  # of the same matter, the newest is told
            findings[finding.finding_key] = finding
    return list(findings.values())


def _one(disagreement: NodeDisagreement, surroundings: Surroundings) -> Finding:
    transfer = disagreement.transfer
    return surroundings.finding(
        FindingKind.NODE_DISAGREEMENT,
        _place(disagreement, surroundings),
        _asset(disagreement),
        None,
        _matter(disagreement),
        f"Nodes disagree about {_about(disagreement)}: {_told(disagreement)}. {_outcome(disagreement)}",
        block=disagreement.block,
        tx_id=transfer.tx_id if transfer is not None else "",
    )


def _many(group: Sequence[NodeDisagreement], surroundings: Surroundings) -> Finding:
    first = group[0]
    of_asset = " of the asset" if _asset(first) is not None else ""
    text = (
        f"Nodes disagree about {len(group)} {first.subject.value}s{of_asset}. The first is {_about(first)}: "
        f"{_told(first)}. {_outcome(first)} Every answer stands in the journal."
    )
    return surroundings.finding(
        FindingKind.NODE_DISAGREEMENT,
        surroundings.chain_location,
        _asset(first),
        None,
        f"many:{first.subject.value}:{_dissenters(first)}",
        text,
        block=first.block,
    )


def _matter(disagreement: NodeDisagreement) -> str:
    """What tells this disagreement from others at its place, the same in every sweep that it lasts."""
    parts = [disagreement.subject.value, _dissenters(disagreement)]
    if disagreement.transfer is not None:
        parts.append(disagreement.transfer.transfer_id)
    if disagreement.name:
        parts.append(disagreement.name)
    if disagreement.subject is DisagreementSubject.UNPARSED_EVENTS:
        parts.append(str(disagreement.height))
    return ":".join(parts)


def _dissenters(disagreement: NodeDisagreement) -> str:
    """The nodes against which the quorum stands; all of them when there was none."""
    return NODE_SEPARATOR.join(answer.node_id for answer in disagreement.dissenters)


def _asset(disagreement: NodeDisagreement) -> Asset | None:
    if disagreement.holding is not None:
        return disagreement.holding.asset
    return disagreement.transfer.asset if disagreement.transfer is not None else None


def _asset_id(disagreement: NodeDisagreement) -> str:
    if disagreement.subject is DisagreementSubject.ENCUMBRANCE:
        return ""  # the questions are many, the matter is one: who can move what is there
    asset = _asset(disagreement)
    return asset.asset_id if asset is not None else disagreement.name


def _place(disagreement: NodeDisagreement, surroundings: Surroundings) -> LocationId:
    """The wallet it is about, or the chain."""
    chain_id, holding, transfer = disagreement.chain_id, disagreement.holding, disagreement.transfer
    if holding is not None:
        return account_location(chain_id, holding.address)
    if transfer is not None:
        for address in (transfer.sender, transfer.receiver):
            if address is not None and address in surroundings.wallets:
                return account_location(chain_id, address)
    return surroundings.chain_location


def _about(disagreement: NodeDisagreement) -> str:
    height, transfer = disagreement.height, disagreement.transfer
    if disagreement.holding is not None:
        return f"the balance at {disagreement.holding.address} in block {height}"
    if transfer is not None:
        return f"a transfer in transaction {transfer.tx_id}, block {height}"
    return {
        DisagreementSubject.NETWORK: "which network this is",
        DisagreementSubject.BLOCK: f"which block {height} is",
        DisagreementSubject.CANONICAL: f"whether the block known as {height} is canonical",
        DisagreementSubject.UNPARSED_EVENTS: f"events of {disagreement.name} up to block {height}",
        DisagreementSubject.ASSET: f"what {disagreement.name} is at block {height}",
        DisagreementSubject.ENCUMBRANCE: f"who else could move what is there, {disagreement.name}, at block {height}",
    }[disagreement.subject]


def _told(disagreement: NodeDisagreement) -> str:
    """Every answer with the node and its operator; balances as exact figures."""
    return "; ".join(
        f"{answer.node_id} of {answer.operator} says {_words(disagreement, answer)}" for answer in disagreement.answers
    )


def _words(disagreement: NodeDisagreement, answer: NodeAnswer) -> str:
    holding = disagreement.holding
    return answer.said if holding is None else figure(int(answer.said), holding.asset)


def _outcome(disagreement: NodeDisagreement) -> str:
    if disagreement.agreed is None:
        return "No quorum of operators agrees, so that it is not verified."
    against = ", ".join(answer.node_id for answer in disagreement.dissenters)
    return f"A quorum of operators agrees against {against}."
