"""Challenges and answers through the store, with a chain that says what it is told: who is asked, what is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from chains.errors import NodeUnavailable
from chains.evm.addresses import parse_address
from chains.types import Address, ChainId
from exports.codec import to_object
from mapping.types import Record
from tests.verifier.key_signers import ADDRESSES, BLOCK, CHAIN, KEYS, NOON, FakeWitness, answer_to, signed
from tests.verifier.store.story import imported, wallet
from verifier.errors import InputError
from verifier.key_overview import key_overview
from verifier.key_proof import KeyChallenge
from verifier.key_proving import AnswerResult, challenge_wallets, take_answer
from verifier.store import Store

DAY = timedelta(days=1)


@pytest.fixture(params=["sqlite"])
def dialect(request: pytest.FixtureRequest) -> str:
    """One database is enough here: tests/verifier/store has both."""
    return str(request.param)


def map_wallets(store: Store, *records: Record) -> None:
    store.apply_import(imported(("wallets", records)), "ops.maker", NOON)


def ask(
    store: Store,
    now: datetime = NOON,
    *,
    nonce: int = 1,
    only: Sequence[str] = (),
    valid: timedelta = DAY,
    chain_id: ChainId = CHAIN,
) -> KeyChallenge:
    """A challenge, made at a block that is given."""

    @contextmanager
    def opened(_: ChainId) -> Iterator[FakeWitness]:
        yield FakeWitness(block=BLOCK)

    challenge, _ = challenge_wallets(
        store,
        firm="Example Securities",
        asked_by="Example Audit",
        chain_id=chain_id,
        only=only,
        nonce=bytes([nonce]) * 32,
        valid=valid,
        open_witness=opened,
        actor="ops.maker",
        now=now,
    )
    return challenge


def give(
    store: Store, challenge: KeyChallenge, *keys: bytes, now: datetime, witness: FakeWitness | None = None
) -> AnswerResult:
    """An answer by keys."""

    @contextmanager
    def opened(_: ChainId) -> Iterator[FakeWitness]:
        yield witness or FakeWitness()

    answer = answer_to(challenge, *(signed(challenge, key) for key in keys))
    data = json.dumps(to_object(answer)).encode()
    return take_answer(store, data, open_witness=opened, actor="ops.maker", now=now)


def test_open_wallets_are_asked(store: Store) -> None:
    closed = wallet(ADDRESSES[1], closed_on=NOON.date() - DAY)
    last_day = wallet(ADDRESSES[2], closed_on=NOON.date())
    map_wallets(store, wallet(ADDRESSES[0]), closed, last_day)
    challenge = ask(store)
    assert store.key_challenge(challenge.nonce).addresses == tuple(sorted([ADDRESSES[0], ADDRESSES[2]]))
    assert (challenge.block_hash, challenge.expires_at) == (BLOCK.block_hash, NOON + DAY)
    one = ask(store, nonce=2, only=[ADDRESSES[2]])
    assert store.key_challenge(one.nonce).addresses == (ADDRESSES[2],)


def test_nobody_else_is_asked(store: Store) -> None:
    with pytest.raises(InputError, match="no wallet of this chain is open"):
        ask(store)
    map_wallets(store, wallet(ADDRESSES[0]), wallet(ADDRESSES[1], closed_on=date(2026, 2, 1)))
    cases: list[tuple[list[str], str]] = [
        ([ADDRESSES[1]], "no open wallet"),
        ([ADDRESSES[3]], "no open wallet"),
        ([ADDRESSES[0], ADDRESSES[0]], "named twice"),
        ([ADDRESSES[0].lower()], "checksum"),
    ]
    for only, words in cases:
        with pytest.raises(InputError, match=words):
            ask(store, only=only)
    with pytest.raises(InputError, match="EVM and Bitcoin chains"):
        ask(store, chain_id=ChainId("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"))
    for valid in (timedelta(0), timedelta(days=90, seconds=1)):
        with pytest.raises(InputError, match="valid for"):
            ask(store, valid=valid)
    assert store.key_challenges() == []
    assert ask(store, valid=timedelta(days=90)).expires_at == NOON + timedelta(days=90)


def test_an_answer_in_two_files(store: Store) -> None:
    map_wallets(store, *(wallet(address) for address in ADDRESSES[:3]))
    challenge = ask(store)
    first = give(store, challenge, KEYS[0], now=NOON + timedelta(hours=1))
    assert (first.exit_code, first.addresses_left) == (0, 2)
    second = give(store, challenge, KEYS[0], KEYS[1], now=NOON + timedelta(hours=2))
    assert [each.code for each in second.judged] == ["already-answered", ""]
    assert (second.exit_code, second.addresses_left) == (1, 1)


@pytest.mark.fault("G12")
def test_a_silent_node_leaves_it_open(store: Store) -> None:
    map_wallets(store, wallet(ADDRESSES[0]))
    challenge = ask(store)
    silent = FakeWitness(special={ADDRESSES[0]: NodeUnavailable("no answer in time")})
    result = give(store, challenge, KEYS[0], now=NOON, witness=silent)
    assert (result.exit_code, result.addresses_left) == (2, 1)
    (chain,) = key_overview(store, [CHAIN], NOON).chains
    assert (chain.challenges[0].accepted, chain.challenges[0].unverified, chain.proofs) == (0, 1, [])
    assert give(store, challenge, KEYS[0], now=NOON).exit_code == 0


def test_an_unknown_challenge_is_not_answered(store: Store) -> None:
    map_wallets(store, wallet(ADDRESSES[0]))
    challenge = ask(store)
    with pytest.raises(InputError, match="no challenge"):
        give(store, replace(challenge, nonce="ee" * 32), KEYS[0], now=NOON)
    assert store.key_answers() == []


def test_the_newest_proof_of_an_address_is_shown(store: Store) -> None:
    """Newest by when it was asked: an old challenge that is answered late is an old proof."""
    map_wallets(store, wallet(ADDRESSES[0]))
    old = ask(store, NOON, nonce=1, valid=30 * DAY)
    new = ask(store, NOON + 5 * DAY, nonce=2)
    give(store, new, KEYS[0], now=NOON + 5 * DAY)
    give(store, old, KEYS[0], now=NOON + 9 * DAY)
    view = key_overview(store, [CHAIN], NOON + 10 * DAY)
    (chain,) = view.chains
    (proof,) = chain.proofs
    assert proof.challenge == new
    assert [each.state(view.moment) for each in chain.challenges] == ["answered", "answered"]
    shown = view.to_dict()["chains"]
    assert isinstance(shown, list)
    assert [each["age_days"] for each in shown[0]["proofs"]] == [5]


def test_a_challenge_is_open_until_it_expires(store: Store) -> None:
    map_wallets(store, wallet(ADDRESSES[0]), wallet(ADDRESSES[1]))
    challenge = ask(store)
    give(store, challenge, KEYS[0], KEYS[4], now=NOON)

    def state(moment: datetime) -> str:
        (chain,) = key_overview(store, [CHAIN], moment).chains
        (only,) = chain.challenges
        assert (only.accepted, only.refused) == (1, 1)
        return only.state(moment)

    assert state(challenge.expires_at - timedelta(seconds=1)) == "open"
    assert state(challenge.expires_at) == "expired"
    assert key_overview(store, [CHAIN], NOON).exit_code == 2, "there is no sweep yet"
    assert key_overview(store, [], NOON).exit_code == 2


def test_the_test_addresses_are_spelt_right() -> None:
    assert [parse_address(address) for address in ADDRESSES] == [Address(address) for address in ADDRESSES]
