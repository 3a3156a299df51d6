"""What `custody key-proof show` shows: coverage by value and age, the proofs, and the challenges. Nothing is read
from a chain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chains.types import Address, ChainId, utc_text
from verifier.key_proof import MEANING, KeyChallenge, ProofOutcome
from verifier.records import SweepSummary
from verifier.rules.key_coverage import AGE_DAYS, AssetCoverage, age_days, coverage
from verifier.store import Store
from verifier.store.key_store import AskedChallenge, RecordedAnswer


@dataclass(frozen=True, slots=True)
class ChallengeState:
    """A challenge and how far it was answered."""

    asked: AskedChallenge
    accepted: int
    """Addresses for which a signature was accepted."""
    refused: int
    """Signatures that were refused."""
    unverified: int
    """Signatures about which the chain could not be asked."""

    def state(self, moment: datetime) -> str:
        """`answered`, `open` or `expired`."""
        challenge = self.asked.challenge
        if self.accepted == challenge.address_count:
            return "answered"
        return "expired" if moment >= challenge.expires_at else "open"


@dataclass(frozen=True, slots=True)
class ChainKeys:
    """Proof of control on one chain."""

    chain_id: ChainId
    sweep: SweepSummary | None
    """The sweep whose balances are covered."""
    assets: Sequence[AssetCoverage]
    proofs: Sequence[RecordedAnswer]
    """The newest accepted one of each address, by address."""
    unproven: Sequence[Address]
    """Addresses of the sweep that hold something and have no proof."""
    challenges: Sequence[ChallengeState]

    @property
    def is_known(self) -> bool:
        """Whether there was something to cover, and all of it was read."""
        return bool(self.assets) and not any(asset.unread for asset in self.assets)


@dataclass(frozen=True, slots=True)
class KeyOverview:
    """Everything the command shows."""

    chains: Sequence[ChainKeys]
    moment: datetime

    @property
    def exit_code(self) -> int:
        """0 when the coverage of every chain is known, whatever it is; else 2."""
        return 0 if self.chains and all(chain.is_known for chain in self.chains) else 2

    def to_dict(self) -> dict[str, object]:
        """For `--json`. Amounts are strings of base units."""
        return {
            "at": utc_text(self.moment),
            "meaning": MEANING,
            "exit_code": self.exit_code,
            "chains": [_chain_dict(chain, self.moment) for chain in self.chains],
        }


def key_overview(store: Store, chain_ids: Sequence[ChainId], moment: datetime) -> KeyOverview:
    """The state of proof of control as recorded."""
    return KeyOverview([chain_keys(store, chain_id, moment) for chain_id in chain_ids], moment)


def proven_at(challenge: KeyChallenge) -> datetime:
    """The time from which a proof's age counts: its signature cannot be older, and may be as old."""
    return challenge.issued_at


def newest_proofs(answers: Iterable[RecordedAnswer]) -> dict[Address, RecordedAnswer]:
    """The accepted answer of each address whose challenge is newest."""
    newest: dict[Address, RecordedAnswer] = {}
    for answer in answers:
        address = answer.judged.given.address
        if answer.judged.outcome is ProofOutcome.ACCEPTED and (
            address not in newest or proven_at(newest[address].challenge) <= proven_at(answer.challenge)
        ):
            newest[address] = answer
    return newest


def chain_keys(store: Store, chain_id: ChainId, moment: datetime) -> ChainKeys:
    """Proof of control on one chain, over the balances of the sweep that stands."""
    answers = store.key_answers(chain_id=chain_id)
    newest = newest_proofs(answers)
    summary = store.standing_summary(chain_id)
    start = store.sweep(summary.sweep_id) if summary is not None else None
    observations = store.observations(start) if start is not None else []
    times = {address: proven_at(answer.challenge) for address, answer in newest.items()}
    holding = {seen.holding.address for seen in observations if seen.base_units}
    outcomes = Counter((each.challenge.nonce, each.judged.outcome) for each in answers)
    return ChainKeys(
        chain_id=chain_id,
        sweep=summary,
        assets=coverage(observations, times, moment),
        proofs=[newest[address] for address in sorted(newest)],
        unproven=sorted(holding - newest.keys()),
        challenges=[_state(asked, outcomes) for asked in store.key_challenges(chain_id)],
    )


def _state(asked: AskedChallenge, outcomes: Mapping[tuple[str, ProofOutcome], int]) -> ChallengeState:
    accepted, refused, unverified = (outcomes.get((asked.challenge.nonce, outcome), 0) for outcome in ProofOutcome)
    return ChallengeState(asked, accepted, refused, unverified)


def _chain_dict(chain: ChainKeys, moment: datetime) -> dict[str, object]:
    sweep = chain.sweep
    return {
        "chain_id": chain.chain_id,
        "sweep_id": sweep.sweep_id if sweep is not None else None,
        "height": sweep.block.height if sweep is not None else None,
        "block_hash": sweep.block.block_hash if sweep is not None else None,
        "block_time": utc_text(sweep.block.timestamp) if sweep is not None else None,
        "assets": [asset_json(asset) for asset in chain.assets],
        "proofs": [_proof_dict(proof, moment) for proof in chain.proofs],
        "unproven": list(chain.unproven),
        "challenges": [_challenge_dict(each, moment) for each in chain.challenges],
    }


def asset_json(asset: AssetCoverage) -> dict[str, object]:
    """Coverage of one asset for `--json`; amounts are strings of base units."""
    return {
        "asset_id": asset.asset.asset_id,
        "symbol": asset.asset.symbol,
        "total": str(asset.total),
        "proven": str(asset.proven),
        "share_basis_points": asset.share_basis_points,
        "proven_within_days": {
            str(days): str(amount) for days, amount in zip(AGE_DAYS, asset.proven_within_days, strict=True)
        },
        "holders": asset.holders,
        "holders_proven": asset.holders_proven,
        "unread": asset.unread,
        "oldest_days": asset.oldest_days,
    }


def _proof_dict(proof: RecordedAnswer, moment: datetime) -> dict[str, object]:
    judged, block = proof.judged, proof.judged.block
    return {
        "address": judged.given.address,
        "scheme": judged.given.scheme.value,
        "account_kind": judged.account_kind,
        "nonce": proof.challenge.nonce,
        "asked_by": proof.challenge.asked_by,
        "issued_at": utc_text(proof.challenge.issued_at),
        "answered_at": utc_text(proof.recorded_at),
        "age_days": age_days(proven_at(proof.challenge), moment),
        "height": block.height if block is not None else None,
        "block_hash": block.block_hash if block is not None else None,
        "node_id": judged.node_id,
        "coins": len(judged.coins),
        "coins_base_units": str(sum(coin.value for coin in judged.coins)),
    }


def _challenge_dict(each: ChallengeState, moment: datetime) -> dict[str, object]:
    challenge = each.asked.challenge
    return {
        "nonce": challenge.nonce,
        "challenge_sha256": challenge.digest,
        "state": each.state(moment),
        "asked_by": challenge.asked_by,
        "height": challenge.height,
        "block_hash": challenge.block_hash,
        "issued_at": utc_text(challenge.issued_at),
        "expires_at": utc_text(challenge.expires_at),
        "addresses": challenge.address_count,
        "accepted": each.accepted,
        "refused": each.refused,
        "unverified": each.unverified,
    }
