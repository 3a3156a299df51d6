"""From the store to the bundle: who else could move what is there, and whose keys were proven."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chains.bitcoin.proof_types import ProvenCoin
from chains.bitcoin.transaction import id_text, outpoint_parts
from chains.evm.encumbrance_types import ControlState, Grant, Restriction
from chains.types import Address, BalanceObservation, ChainId
from exports.acceptances import AcceptanceKind, AcceptanceRecord
from exports.control_records import (
    ControlReviewRecord,
    ControlStateRecord,
    FactRecord,
    GrantRecord,
    KeyChallengeRecord,
    KeyProofRecord,
    ProvenCoinRecord,
    RestrictionRecord,
    ReviewStatus,
)
from mapping.accepted_control import AcceptedControl
from verifier.key_overview import newest_proofs
from verifier.rules.accepted_exposure import accepted_exposures
from verifier.rules.exposure import Exposure
from verifier.store import Store, SweepStart
from verifier.store.encumbrance_store import SweepEncumbrances
from verifier.store.key_store import RecordedAnswer
from verifier.sweep_encumbrances import accepted_at

NOT_ASKED = "Who else could move what is in the wallets was not asked in this sweep."


@dataclass(frozen=True, slots=True)
class ControlRecords:
    """What one chain's sweep contributes about control."""

    review: ControlReviewRecord
    acceptances: Sequence[AcceptanceRecord] = ()
    grants: Sequence[GrantRecord] = ()
    controls: Sequence[ControlStateRecord] = ()
    restrictions: Sequence[RestrictionRecord] = ()


def control_records(store: Store, start: SweepStart, observations: Iterable[BalanceObservation]) -> ControlRecords:
    """The answers of a sweep as records; a sweep that did not ask, or was told nothing, says so."""
    seen, decided = store.encumbrances(start), accepted_at(store, start)
    acceptances = [_acceptance(decision) for decision in decided.in_force()]
    if seen is None or seen.reading is None:
        return ControlRecords(_without_answers(start, seen), acceptances)
    reading = seen.reading
    by_key = {(each.holding.address, each.holding.asset.asset_id): each for each in observations}
    exposure = Exposure(reading, by_key, {each.holding.asset.asset_id: each.holding.asset for each in by_key.values()})
    second = int(start.block.timestamp.timestamp())
    grants = [_grant(start, grant, exposure, second) for grant in reading.grants]
    controls = [_control(start, state) for state in reading.controls]
    restrictions = [_restriction(start, each) for each in reading.restrictions]
    review = ControlReviewRecord(
        sweep_id=start.sweep_id,
        chain_id=start.chain_id,
        status=ReviewStatus.ANSWERED,
        reason="",
        node_id=reading.node_id,
        permit2=reading.coverage.permit2,
        approvals_first=reading.coverage.first_height,
        approvals_last=reading.coverage.last.height,
        approvals_late=reading.coverage.late_blocks,
        wallets_asked=len(reading.wallets),
        pairs_asked=reading.pairs_asked,
        restrictions_asked=seen.restrictions_asked,
        grants=len(grants),
        controls=len(controls),
        restrictions=len(restrictions),
        accepted=len(accepted_exposures(exposure, decided)),
    )
    return ControlRecords(review, acceptances, grants, controls, restrictions)


def key_records(
    store: Store, wallets: Mapping[ChainId, Collection[Address]]
) -> tuple[list[KeyChallengeRecord], list[KeyProofRecord]]:
    """The newest proof of each mapped wallet, and the challenges they answer."""
    proofs: list[KeyProofRecord] = []
    challenges: dict[str, KeyChallengeRecord] = {}
    for chain_id, mapped in wallets.items():
        for address, answer in newest_proofs(store.key_answers(chain_id=chain_id)).items():
            if address in mapped:
                proofs.append(_proof(answer))
                nonce = answer.challenge.nonce
                challenges[nonce] = KeyChallengeRecord(answer.challenge, store.key_challenge(nonce).addresses)
    return list(challenges.values()), proofs


def _without_answers(start: SweepStart, seen: SweepEncumbrances | None) -> ControlReviewRecord:
    return ControlReviewRecord(
        sweep_id=start.sweep_id,
        chain_id=start.chain_id,
        status=ReviewStatus.NOT_ASKED if seen is None else ReviewStatus.FAILED,
        reason=NOT_ASKED if seen is None else seen.failure,
        node_id="",
        permit2=None,
        approvals_first=None,
        approvals_last=None,
        approvals_late=0,
        wallets_asked=0,
        pairs_asked=0,
        restrictions_asked=0,
        grants=0,
        controls=0,
        restrictions=0,
        accepted=0,
    )


def _acceptance(decision: AcceptedControl) -> AcceptanceRecord:
    return AcceptanceRecord(
        acceptance_id=decision.acceptance_id,
        chain_id=decision.chain_id,
        wallet=decision.wallet,
        kind=AcceptanceKind(decision.kind.value),
        asset_id=decision.asset_id,
        subject=decision.subject,
        base_units_max=decision.base_units_max,
        valid_from=decision.valid_from,
        valid_until=decision.valid_until,
        reason=decision.reason,
        requested_by=decision.requested_by,
        approved_by=decision.approved_by,
        approved_at=decision.approved_at,
    )


def _grant(start: SweepStart, grant: Grant, exposure: Exposure, second: int) -> GrantRecord:
    return GrantRecord(
        sweep_id=start.sweep_id,
        chain_id=start.chain_id,
        kind=grant.kind,
        owner=grant.owner,
        asset_id=grant.asset.asset_id,
        spender=grant.spender,
        base_units=grant.base_units,
        expires_at_seconds=grant.expires_at_seconds,
        exposed=exposure.of_grant(grant) if grant.holds_at(second) else 0,
        reason=grant.reason,
    )


def _control(start: SweepStart, state: ControlState) -> ControlStateRecord:
    return ControlStateRecord(
        sweep_id=start.sweep_id,
        chain_id=start.chain_id,
        address=state.address,
        role=state.role,
        facts=_facts({fact.value: text for fact, text in state.facts.items()}),
        unread=_facts({fact.value: reason for fact, reason in state.unread.items()}),
        nonce=state.nonce,
    )


def _facts(named: Mapping[str, str]) -> tuple[FactRecord, ...]:
    return tuple(FactRecord(name, text) for name, text in sorted(named.items()))


def _restriction(start: SweepStart, each: Restriction) -> RestrictionRecord:
    return RestrictionRecord(
        sweep_id=start.sweep_id,
        asset_id=each.asset.asset_id,
        question=each.question,
        holder=each.holder,
        answer=each.answer,
        reason=each.reason,
    )


def _proof(answer: RecordedAnswer) -> KeyProofRecord:
    judged, block = answer.judged, answer.judged.block
    assert block is not None  # what is accepted was asked at a block
    return KeyProofRecord(
        nonce=answer.challenge.nonce,
        chain_id=answer.challenge.chain_id,
        address=judged.given.address,
        scheme=judged.given.scheme,
        signature=judged.given.signature,
        answered_at=answer.recorded_at,
        account_kind=judged.account_kind,
        node_id=judged.node_id,
        height=block.height,
        block_hash=block.block_hash,
        parent_hash=block.parent_hash,
        block_time=block.timestamp,
        coins=tuple(_proven_coin(coin) for coin in judged.coins),
    )


def _proven_coin(coin: ProvenCoin) -> ProvenCoinRecord:
    txid, output = outpoint_parts(coin.outpoint)
    return ProvenCoinRecord(id_text(txid), output, coin.value, coin.script.hex())
