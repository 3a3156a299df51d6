"""Making challenges and taking answers: the part of proof of control that asks a node and writes records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from chains.errors import InvalidValue, ReadError
from chains.key_schemes import SignatureScheme
from chains.reader import ChainConfig, NodeConfig
from chains.registry import plugin_for
from chains.types import Address, ChainId, chain_namespace
from exports.key_challenge import default_schemes
from mapping.types import Wallet
from verifier.errors import InputError
from verifier.key_proof import KeyChallenge, ProofOutcome, make_challenge, parse_answer
from verifier.rules.key_answers import judge_answer
from verifier.rules.key_judgement import ChainWitness, JudgedSignature
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
    is_bitcoin = chain_namespace(config.chain_id) == "bip122"
    with ExitStack() as stack:
        if config.quorum > 1:
            yield stack.enter_context(_quorum(config, now, is_bitcoin=is_bitcoin))
            return
        failure: ReadError | None = None
        for node in config.nodes:
            try:
                witness = stack.enter_context(_one(config, node, now, is_bitcoin=is_bitcoin))
            except ReadError as error:
                failure = error
                continue
            yield witness
            return
        raise failure if failure is not None else InputError("the chain has no node")


def _one(
    config: ChainConfig, node: NodeConfig, now: datetime, *, is_bitcoin: bool
) -> AbstractContextManager[ChainWitness]:
    if is_bitcoin:
        from chains.bitcoin.key_witness import bitcoin_key_witness

        return bitcoin_key_witness(config, node, now)
    from chains.evm.key_witness import evm_key_witness

    return evm_key_witness(config, node, now)


def _quorum(config: ChainConfig, now: datetime, *, is_bitcoin: bool) -> AbstractContextManager[ChainWitness]:
    if is_bitcoin:
        from chains.bitcoin.key_witness import bitcoin_key_quorum

        return bitcoin_key_quorum(config, now)
    from chains.evm.key_quorum import quorum_key_witness

    return quorum_key_witness(config, now)


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
    accept: Sequence[str] = (),
    transfer_to: str = "",
) -> tuple[KeyChallenge, tuple[Address, ...]]:
    """Ask the keys of a chain's open wallets, or of `only` some of them; the challenge is recorded.

    `accept` names schemes beyond the usual ones. `transfer_to` is where an agreed transfer would go: no wallet of the
    firm's, for it would show nothing to be sent around. Raises `InputError` when there is nobody to ask, an address is
    no wallet that is open now, or what is to be accepted is not known on the chain.
    """
    require_proofs(chain_id)
    if not timedelta(0) < valid <= timedelta(hours=VALID_HOURS_MAX):
        raise InputError(f"a challenge is valid for more than 0 and at most {VALID_HOURS_MAX} hours")
    wallets = store.wallets(chain_id, now)
    addresses = _asked(chain_id, wallets, only, now)
    extra = [_scheme(name) for name in accept]
    receiver = _receiver(chain_id, wallets, transfer_to) if transfer_to else None
    if SignatureScheme.TRANSFER in extra and receiver is None:
        raise InputError("say where an agreed transfer goes")
    with open_witness(chain_id) as witness:
        block = witness.block
    try:
        challenge = make_challenge(
            firm=firm,
            asked_by=asked_by,
            block=block,
            addresses=addresses,
            nonce=nonce,
            issued_at=now,
            expires_at=now + valid,
            accept=extra,
            transfer_to=receiver,
        )
    except InvalidValue as error:
        raise InputError(str(error)) from None
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


def require_proofs(chain_id: ChainId) -> None:
    """Raise `InputError` for chains whose proofs are not known here."""
    try:
        default_schemes(chain_id)
    except InvalidValue as error:
        raise InputError(str(error)) from None


def _scheme(name: str) -> SignatureScheme:
    try:
        return SignatureScheme(name)
    except ValueError:
        raise InputError(f"{name!r} is no scheme; they are {', '.join(SignatureScheme)}") from None


def _receiver(chain_id: ChainId, wallets: Sequence[Wallet], text: str) -> Address:
    address = _parsed(chain_id, text)
    if any(wallet.address == address for wallet in wallets):
        raise InputError(f"{address} is a wallet of the firm's; an agreed transfer goes to somebody else")
    return address


def _parsed(chain_id: ChainId, text: str) -> Address:
    try:
        return plugin_for(chain_id).parse_address(chain_id, text)
    except InvalidValue as error:
        raise InputError(str(error)) from None


def _answered(store: Store, nonce: str) -> frozenset[Address]:
    accepted = store.key_answers(nonce=nonce, outcome=ProofOutcome.ACCEPTED)
    return frozenset(each.judged.given.address for each in accepted)


def _asked(chain_id: ChainId, wallets: Sequence[Wallet], only: Sequence[str], now: datetime) -> tuple[Address, ...]:
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
        address = _parsed(chain_id, text)
        if address not in is_open:
            raise InputError(f"{address} is no open wallet of this chain")
        if address in chosen:
            raise InputError(f"{address} is named twice")
        chosen.add(address)
    return tuple(sorted(chosen))
