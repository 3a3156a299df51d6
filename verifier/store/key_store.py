"""Challenges to the keys of wallets, and the signatures that were given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from chains.bitcoin.proof_types import ProvenCoin
from chains.types import Address, BlockRef, ChainId
from exports.canonical import canonical_json
from verifier.errors import InputError
from verifier.key_proof import GivenSignature, KeyChallenge, ProofOutcome, addresses_digest
from verifier.rules.key_judgement import JudgedSignature
from verifier.store.engine import Database
from verifier.store.tables import KeyAnswerRow, KeyChallengeRow, table

CHALLENGE, ANSWER = table(KeyChallengeRow), table(KeyAnswerRow)


@dataclass(frozen=True, slots=True)
class AskedChallenge:
    """A challenge that was recorded, with the addresses it asks."""

    challenge: KeyChallenge
    addresses: tuple[Address, ...]
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """A signature that was judged, and when."""

    challenge: KeyChallenge
    judged: JudgedSignature
    recorded_at: datetime


class KeyStore(Database):
    """Proof of control as recorded."""

    def add_key_challenge(
        self, challenge: KeyChallenge, addresses: Sequence[Address], actor: str, now: datetime
    ) -> None:
        """Record a challenge before it is handed out. Raises `InputError` when its nonce was used before."""
        asked = sorted(set(addresses))
        if addresses_digest(challenge.chain_id, asked) != challenge.addresses_sha256:
            raise InputError("the addresses are not those of the challenge")
        payload = {"chain_id": challenge.chain_id, "nonce": challenge.nonce, "sha256": challenge.digest}
        with self.record("key.challenged", actor, payload, now) as unit:
            known = sa.select(CHALLENGE.c.record_id).where(CHALLENGE.c.nonce == challenge.nonce)
            if unit.connection.execute(known).first():
                raise InputError("a challenge with this nonce was made before")
            unit.add(
                KeyChallengeRow,
                chain_id=challenge.chain_id,
                nonce=challenge.nonce,
                document=challenge.to_bytes().decode(),
                addresses=canonical_json(asked).decode(),
            )

    def key_challenge(self, nonce: str) -> AskedChallenge:
        """A challenge by its nonce. Raises `InputError` when none has it."""
        with self.read() as connection:
            row = connection.execute(sa.select(CHALLENGE).where(CHALLENGE.c.nonce == nonce)).first()
        if row is None:
            raise InputError(f"no challenge with nonce {nonce} was made here")
        return _challenge(row)

    def key_challenges(self, chain_id: ChainId | None = None) -> list[AskedChallenge]:
        """All challenges, oldest first."""
        query = sa.select(CHALLENGE).order_by(CHALLENGE.c.record_id)
        if chain_id is not None:
            query = query.where(CHALLENGE.c.chain_id == chain_id)
        with self.read() as connection:
            return [_challenge(row) for row in connection.execute(query)]

    def add_key_answers(
        self, challenge: KeyChallenge, judged: Sequence[JudgedSignature], actor: str, now: datetime
    ) -> None:
        """Record every judged signature of an answer, the refused ones too.

        Raises `InputError` when another answer to the challenge was accepted for one of the addresses meanwhile;
        nothing is recorded then.
        """
        counts = {str(kind): sum(each.outcome is kind for each in judged) for kind in ProofOutcome}
        with self.record("key.answered", actor, {"nonce": challenge.nonce, **counts}, now) as unit:
            key = unit.connection.execute(
                sa.select(CHALLENGE.c.record_id).where(CHALLENGE.c.nonce == challenge.nonce)
            ).scalar_one()
            taken = set(
                unit.connection.execute(
                    sa.select(ANSWER.c.address).where(
                        ANSWER.c.challenge_key == key, ANSWER.c.outcome == ProofOutcome.ACCEPTED
                    )
                ).scalars()
            )
            if any(each.outcome is ProofOutcome.ACCEPTED and each.given.address in taken for each in judged):
                raise InputError("the challenge was answered meanwhile; give the answer again")
            for each in judged:
                block = each.block
                unit.add(
                    KeyAnswerRow,
                    challenge_key=key,
                    address=each.given.address,
                    scheme=each.given.scheme,
                    signature=each.given.signature,
                    outcome=each.outcome,
                    code=each.code,
                    reason=each.reason,
                    account_kind=each.account_kind,
                    coins=_coins_text(each.coins),
                    node_id=each.node_id,
                    height=block.height if block else None,
                    block_hash=block.block_hash if block else None,
                    parent_hash=block.parent_hash if block else None,
                    block_time=block.timestamp if block else None,
                )

    def key_answers(
        self, *, chain_id: ChainId | None = None, nonce: str | None = None, outcome: ProofOutcome | None = None
    ) -> list[RecordedAnswer]:
        """The signatures that were given, oldest first."""
        query = (
            sa.select(ANSWER, CHALLENGE.c.document)
            .join_from(ANSWER, CHALLENGE, ANSWER.c.challenge_key == CHALLENGE.c.record_id)
            .order_by(ANSWER.c.record_id)
        )
        for column, value in (
            (CHALLENGE.c.chain_id, chain_id),
            (CHALLENGE.c.nonce, nonce),
            (ANSWER.c.outcome, outcome),
        ):
            if value is not None:
                query = query.where(column == value)
        challenges: dict[str, KeyChallenge] = {}
        with self.read() as connection:
            return [_answer(row, challenges) for row in connection.execute(query)]


def _challenge(row: Any) -> AskedChallenge:
    addresses = tuple(Address(each) for each in orjson.loads(row.addresses))
    return AskedChallenge(KeyChallenge.from_bytes(row.document.encode()), addresses, row.recorded_at)


def _answer(row: Any, challenges: dict[str, KeyChallenge]) -> RecordedAnswer:
    challenge = challenges.get(row.document)
    if challenge is None:
        challenge = challenges[row.document] = KeyChallenge.from_bytes(row.document.encode())
    block = None
    if row.block_hash is not None:
        block = BlockRef(challenge.chain_id, row.height, row.block_hash, row.parent_hash, row.block_time)
    judged = JudgedSignature(
        GivenSignature(Address(row.address), row.scheme, row.signature),
        row.outcome,
        row.code,
        row.reason,
        row.account_kind,
        block,
        row.node_id,
        _coins(row.coins),
    )
    return RecordedAnswer(challenge, judged, row.recorded_at)


def _coins_text(coins: Sequence[ProvenCoin]) -> str:
    return canonical_json([[coin.outpoint.hex(), str(coin.value), coin.script.hex()] for coin in coins]).decode()


def _coins(text: str) -> tuple[ProvenCoin, ...]:
    return tuple(
        ProvenCoin(bytes.fromhex(name), int(value), bytes.fromhex(script)) for name, value, script in orjson.loads(text)
    )
