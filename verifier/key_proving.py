"""Making challenges and taking answers: the part of proof of control that asks a node and writes records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from chains.errors import InvalidValue, ReadError
from chains.evm.addresses import parse_address
from chains.reader import ChainConfig
from chains.types import Address, ChainId, chain_namespace
from mapping.types import Wallet
from verifier.errors import InputError
from verifier.key_proof import KeyChallenge, ProofOutcome, make_challenge, parse_answer
from verifier.rules.key_answers import ChainWitness, JudgedSignature, judge_answer
from verifier.store import Store

VALID_HOURS_MAX = 90 * 24

OpenWitness = Callable[[ChainId], AbstractContextManager[ChainWitness]]
"""Opens a witness of a chain at the block of the moment."""


@dataclass(frozen=True, slots=True)
class AnswerResult:
    """What became of an answer."""

    challenge: KeyChallenge
    judged: Sequence[JudgedSignature]
    addresses_left: int
    """Addresses of the challenge for which no signature was accepted so far."""

    def count(self, outcome: ProofOutcome) -> int:
        """How many signatures have this outcome."""
        return sum(each.outcome is outcome for each in self.judged)

    @property
    def exit_code(self) -> int:
        """0 all accepted, 1 when one was refused, 2 when the chain could not be asked about one."""
        if self.count(ProofOutcome.REFUSED):
            return 1
        return 2 if self.count(ProofOutcome.UNVERIFIED) else 0


@contextmanager
def first_witness(config: ChainConfig, now: datetime) -> Iterator[ChainWitness]:
    """The first of a chain's nodes that proves who it is and gives a block. Raises the last one's `ReadError`.

    Where a quorum is configured, the operators together: no single node's word counts then.
    """
    from contextlib import ExitStack

    from chains.evm.key_witness import evm_key_witness

    if config.quorum > 1:
        from chains.evm.key_quorum import quorum_key_witness

        with quorum_key_witness(config, now) as together:
            yield together
        return
    with ExitStack() as stack:
        failure: ReadError | None = None
        for node in config.nodes:
            try:
                witness = stack.enter_context(evm_key_witness(config, node, now))
            except ReadError as error:
                failure = error
                continue
            yield witness
            return
        raise failure if failure is not None else InputError("the chain has no node")


def challenge_wallets(
    store: Store,
    *,
    firm: str,
    asked_by: str,
    chain_id: ChainId,
    only: Sequence[str],
    nonce: bytes,
    valid: timedelta,
    open_witness: OpenWitness,
    actor: str,
    now: datetime,
) -> tuple[KeyChallenge, tuple[Address, ...]]:
    """Ask the keys of a chain's open wallets, or of `only` some of them; the challenge is recorded.

    Raises `InputError` when there is nobody to ask, or an address is no wallet that is open now.
    """
    require_evm(chain_id)
    if not timedelta(0) < valid <= timedelta(hours=VALID_HOURS_MAX):
        raise InputError(f"a challenge is valid for more than 0 and at most {VALID_HOURS_MAX} hours")
    addresses = _asked(store.wallets(chain_id, now), only, now)
    with open_witness(chain_id) as witness:
        block = witness.block
    challenge = make_challenge(
        firm=firm,
        asked_by=asked_by,
        block=block,
        addresses=addresses,
        nonce=nonce,
        issued_at=now,
        expires_at=now + valid,
    )
    store.add_key_challenge(challenge, addresses, actor, now)
    return challenge, addresses


def take_answer(store: Store, data: bytes, *, open_witness: OpenWitness, actor: str, now: datetime) -> AnswerResult:
    """Judge the signatures of an answer file and record each with its outcome.

    Raises `InputError` for a file that cannot be read or a challenge that was not made here, `ReadError` when no
    node can be asked at all; nothing is recorded then.
    """
    answer = parse_answer(data)
    asked = store.key_challenge(answer.nonce)
    before = _answered(store, answer.nonce)
    with open_witness(asked.challenge.chain_id) as witness:
        judged = judge_answer(asked.challenge, frozenset(asked.addresses), before, answer, witness, now)
    store.add_key_answers(asked.challenge, judged, actor, now)
    accepted = {each.given.address for each in judged if each.outcome is ProofOutcome.ACCEPTED}
    return AnswerResult(asked.challenge, judged, len(set(asked.addresses) - before - accepted))


def require_evm(chain_id: ChainId) -> None:
    """Raise `InputError` for chains whose signatures are not known here."""
    if chain_namespace(chain_id) != "eip155":
        raise InputError(f"key proofs are made on EVM chains (eip155:…), not on {chain_id}")


def _answered(store: Store, nonce: str) -> frozenset[Address]:
    accepted = store.key_answers(nonce=nonce, outcome=ProofOutcome.ACCEPTED)
    return frozenset(each.judged.given.address for each in accepted)


def _asked(wallets: Sequence[Wallet], only: Sequence[str], now: datetime) -> tuple[Address, ...]:
    today = now.date()
    is_open = {
        wallet.address
        for wallet in wallets
        if wallet.opened_on <= today and (wallet.closed_on is None or today <= wallet.closed_on)
    }
    if not only:
        if not is_open:
            raise InputError("no wallet of this chain is open; import wallets.csv first")
        return tuple(sorted(is_open))
    chosen: set[Address] = set()
    for text in only:
        try:
            address = parse_address(text)
        except InvalidValue as error:
            raise InputError(str(error)) from None
        if address not in is_open:
            raise InputError(f"{address} is no open wallet of this chain")
        if address in chosen:
            raise InputError(f"{address} is named twice")
        chosen.add(address)
    return tuple(sorted(chosen))
