"""Whether those who decide over a wallet or token are the same as before, and as the mapping says.

A fact that was not read at one of two times is not compared; `last_known` carries the earlier one on, so that a
change cannot pass behind a failed read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from chains.evm.encumbrance_types import NONE, AccountRole, ControlState, Fact
from chains.types import Address, Asset, AssetId, BlockRef, account_location
from mapping.types import Wallet
from verifier.records import Finding, FindingKind
from verifier.rules.encumbrance import exposing_all
from verifier.rules.exposure import Exposure
from verifier.rules.statements import figure
from verifier.rules.surroundings import Surroundings

Balances = Mapping[tuple[Address, AssetId], int]
"""Balances in base units that were read; what failed is left out."""


def changed_facts(previous: ControlState, current: ControlState) -> dict[Fact, tuple[str, str]]:
    """The facts that both states know and that differ, each before and after. What does not apply is `none`."""
    changes = {}
    for fact in Fact:
        if not (_is_unknown(previous, fact) or _is_unknown(current, fact)):
            before, after = previous.facts.get(fact, NONE), current.facts.get(fact, NONE)
            if before != after:
                changes[fact] = (before, after)
    return changes


def last_known(previous: ControlState, current: ControlState) -> ControlState:
    """The current state, with the previous facts where the current ones could not be read: to compare the next with."""
    carried = {fact: text for fact, text in previous.facts.items() if _is_unknown(current, fact)}
    return ControlState(
        current.address,
        current.role,
        {**current.facts, **carried},
        {fact: reason for fact, reason in current.unread.items() if fact not in carried},
        current.nonce if current.nonce is not None else previous.nonce,
    )


def control_change_findings(
    previous: Iterable[ControlState], previous_block: BlockRef, exposure: Exposure, surroundings: Surroundings
) -> list[Finding]:
    """One change of control per account, with both states; for a wallet each asset that stands there is exposed.

    An account that was not read before has nothing to compare with. The finding is about what happened between the
    two blocks: the next reading, compared with this one, does not see it again.
    """
    before = {state.address: state for state in previous}
    findings: list[Finding] = []
    for state in exposure.reading.controls:
        changes = changed_facts(before[state.address], state) if state.address in before else {}
        if not changes:
            continue
        told = "; ".join(f"{fact} was {old}, is {new}" for fact, (old, new) in changes.items())
        subject = f"change:{previous_block.height}:{_digest(told)}"
        sentence = f"Since block {previous_block.height:,} the control of {state.address} changed: {told}"
        if state.role is AccountRole.WALLET:
            findings += exposing_all(
                FindingKind.CONTROL_CHANGE, state.address, subject, sentence, exposure, surroundings
            )
        else:
            findings.append(_of_token(state, subject, sentence, exposure, surroundings))
    return findings


def mapping_findings(exposure: Exposure, surroundings: Surroundings) -> list[Finding]:
    """Safes whose owners or threshold are not what the mapping says of the wallet."""
    findings: list[Finding] = []
    for state in exposure.reading.controls:
        wallet = surroundings.wallets.get(state.address)
        if wallet is None or state.role is not AccountRole.WALLET or surroundings.is_closed(state.address):
            continue
        if difference := _differs(state, wallet):
            subject = f"mapping:{_digest(difference)}"
            findings += exposing_all(
                FindingKind.CONTROL_CHANGE, state.address, subject, difference, exposure, surroundings
            )
    return findings


def unsigned_departures(
    previous: Iterable[ControlState],
    previous_block: BlockRef,
    balances_before: Balances,
    exposure: Exposure,
    surroundings: Surroundings,
) -> list[Finding]:
    """Balances that fell while the account of a key sent no transaction: somebody else moved them.

    A delegation, an allowance, a signed permit or the token's issuer can do that. What came and went between the two
    blocks is not seen here, and contracts have no nonce that would say.
    """
    before = {state.address: state for state in previous}
    findings: list[Finding] = []
    for state in exposure.reading.controls:
        earlier = before.get(state.address)
        if earlier is None or not (_is_key(earlier) and _is_key(state)) or state.nonce != earlier.nonce:
            continue
        for asset, fallen in _falls(state.address, balances_before, exposure):
            text = (
                f"{figure(fallen, asset)} less than at block {previous_block.height:,}, and the account sent no "
                f"transaction since (its nonce is still {state.nonce}): somebody else moved it."
            )
            place = account_location(surroundings.block.chain_id, state.address)
            subject = f"unsigned:{previous_block.height}-{surroundings.block.height}"
            kind = FindingKind.CONTROL_CHANGE
            findings.append(surroundings.finding(kind, place, asset, -fallen, subject, text))
    return findings


def _is_unknown(state: ControlState, fact: Fact) -> bool:
    """Whether a fact was not read, or cannot be judged because it is not known what kind of account it is."""
    return fact in state.unread or (Fact.ACCOUNT_KIND in state.unread and fact not in state.facts)


def _is_key(state: ControlState) -> bool:
    kind = state.facts.get(Fact.ACCOUNT_KIND)
    return state.role is AccountRole.WALLET and state.nonce is not None and kind in ("key", "delegated")


def _falls(address: Address, balances_before: Balances, exposure: Exposure) -> Iterator[tuple[Asset, int]]:
    for asset_id, asset in sorted(exposure.assets.items()):
        before, now = balances_before.get((address, asset_id)), exposure.balance(address, asset_id)
        if before is not None and now is not None and now < before:
            yield asset, before - now


def _of_token(
    state: ControlState, subject: str, sentence: str, exposure: Exposure, surroundings: Surroundings
) -> Finding:
    place = account_location(surroundings.block.chain_id, state.address)
    asset = next((a for a in exposure.reading.assets if a.asset_id.endswith(f":{state.address}")), None)
    total = exposure.total(asset) if asset is not None else None
    return surroundings.finding(FindingKind.CONTROL_CHANGE, place, asset, total, subject, f"{sentence}.")


def _differs(state: ControlState, wallet: Wallet) -> str:
    """How a Safe's rule differs from the mapping's; empty when it does not, or is not known."""
    if state.facts.get(Fact.ACCOUNT_KIND) != "safe" or not {Fact.OWNERS, Fact.THRESHOLD} <= state.facts.keys():
        return ""
    owners, threshold = len(state.items(Fact.OWNERS)), int(state.facts[Fact.THRESHOLD])
    if (threshold, owners) == (wallet.threshold, wallet.share_count):
        return ""
    return (
        f"The Safe moves with {threshold} of {owners} owners, the mapping says {wallet.threshold} of "
        f"{wallet.share_count}"
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
