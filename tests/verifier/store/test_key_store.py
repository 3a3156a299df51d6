"""Challenges and answers in the store, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.verifier.key_signers import (
    ADDRESSES,
    EIP712,
    KEYS,
    NOON,
    FakeWitness,
    answer_to,
    challenge_to,
    signed,
)
from tests.verifier.store.story import everything
from tests.verifier.store.tamper import run_sql, tamper
from verifier.errors import InputError
from verifier.journal import verify_journal
from verifier.key_proof import GivenSignature, KeyChallenge, ProofOutcome
from verifier.rules.key_answers import JudgedSignature, judge_answer
from verifier.store import Store

ASKED = ADDRESSES[:3]
SOON = NOON + timedelta(minutes=10)


def judged_by(challenge: KeyChallenge, *given: GivenSignature) -> list[JudgedSignature]:
    return judge_answer(challenge, ASKED, (), answer_to(challenge, *given), FakeWitness(), SOON)


def asked(store: Store) -> KeyChallenge:
    challenge = challenge_to(ASKED)
    store.add_key_challenge(challenge, ASKED, "ops.maker", NOON)
    return challenge


def test_a_challenge_is_kept_as_it_was_asked(store: Store) -> None:
    challenge = asked(store)
    kept = store.key_challenge(challenge.nonce)
    assert (kept.challenge, kept.addresses, kept.recorded_at) == (challenge, tuple(sorted(ASKED)), NOON)
    assert [each.challenge for each in store.key_challenges(challenge.chain_id)] == [challenge]
    assert verify_journal(store).ok
    with pytest.raises(InputError, match="no challenge"):
        store.key_challenge("ff" * 32)


@pytest.mark.fault("G11")
def test_a_nonce_is_used_once(store: Store) -> None:
    asked(store)
    before = everything(store)
    with pytest.raises(InputError, match="nonce"):
        store.add_key_challenge(challenge_to(ADDRESSES[:2]), ADDRESSES[:2], "ops.maker", SOON)
    assert everything(store) == before


def test_a_challenge_is_to_its_own_addresses(store: Store) -> None:
    with pytest.raises(InputError, match="not those of the challenge"):
        store.add_key_challenge(challenge_to(ASKED), ADDRESSES[:2], "ops.maker", NOON)
    assert store.key_challenges() == []


def test_answers_are_kept_with_their_outcome(store: Store) -> None:
    challenge = asked(store)
    good, other = signed(challenge, KEYS[0], EIP712), signed(challenge, KEYS[4], EIP712, ADDRESSES[1])
    judged = judged_by(challenge, good, other, signed(challenge, KEYS[4]))
    store.add_key_answers(challenge, judged, "ops.maker", SOON)
    kept = store.key_answers(chain_id=challenge.chain_id)
    assert [each.judged for each in kept] == judged
    assert [each.judged.code for each in kept] == ["", "other-key", "not-asked"]
    assert {each.recorded_at for each in kept} == {SOON}
    assert [each.judged.given for each in store.key_answers(outcome=ProofOutcome.ACCEPTED)] == [good]
    assert store.key_answers(nonce="ff" * 32) == []
    assert verify_journal(store).ok


@pytest.mark.fault("G11")
@pytest.mark.fault("G4")
def test_the_store_accepts_an_address_once(store: Store, database_url: str) -> None:
    """Also when two answers were judged at the same time, and when somebody writes rows past the program."""
    challenge = asked(store)
    judged = judged_by(challenge, signed(challenge, KEYS[0]), signed(challenge, KEYS[1]))
    store.add_key_answers(challenge, judged[:1], "ops.maker", SOON)
    before = everything(store)
    with pytest.raises(InputError, match="meanwhile"):
        store.add_key_answers(challenge, judged, "ops.maker", SOON)
    assert everything(store) == before
    columns = "record_id, journal_sequence, recorded_at, challenge_key, address, scheme, signature, outcome, code,"
    columns += " reason, account_kind, node_id, height, block_hash, parent_hash, block_time"
    copy = f"INSERT INTO key_answer ({columns}) SELECT 99, {columns.removeprefix('record_id, ')} FROM key_answer"
    with pytest.raises(sa.exc.DBAPIError):
        run_sql(database_url, copy)
    store.add_key_answers(challenge, judged[1:], "ops.maker", SOON)
    assert len(store.key_answers(nonce=challenge.nonce, outcome=ProofOutcome.ACCEPTED)) == 2


@pytest.mark.fault("C9")
def test_challenges_and_answers_are_never_changed(store: Store, database_url: str) -> None:
    challenge = asked(store)
    store.add_key_answers(challenge, judged_by(challenge, signed(challenge, KEYS[4])), "ops.maker", SOON)
    before = everything(store)
    for statement in (
        "UPDATE key_answer SET outcome = 'accepted', code = ''",
        "DELETE FROM key_answer",
        "UPDATE key_challenge SET nonce = 'x'",
        "DELETE FROM key_challenge",
    ):
        with pytest.raises(sa.exc.DBAPIError, match="never changed"):
            run_sql(database_url, statement)
    assert everything(store) == before


@pytest.mark.fault("C9")
def test_a_forged_acceptance_breaks_the_journal(store: Store, database_url: str) -> None:
    challenge = asked(store)
    store.add_key_answers(challenge, judged_by(challenge, signed(challenge, KEYS[4])), "ops.maker", SOON)
    assert verify_journal(store).ok
    tamper(
        database_url,
        "UPDATE key_answer SET outcome = 'accepted', code = '', block_hash = '0x00', height = 1, parent_hash = '0x00'",
    )
    assert not verify_journal(store).ok
