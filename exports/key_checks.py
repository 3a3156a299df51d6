"""Checks 19 and 20: the proofs of wallets' keys, judged again from what was signed; and how much they cover."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, cast

from chains.errors import ChainError, InvalidValue, ReadError
from chains.evm.accounts import ContractQuestion
from chains.evm.signatures import SignatureRefused, signature_bytes, signer
from chains.key_schemes import BY_CHAIN, SignatureScheme
from chains.reader import ChainReader
from chains.types import Address, AssetId, BlockRef, ChainId, chain_namespace
from exports.bitcoin_key_checks import Judged, check_on_node, judge_record, rests_on_chain
from exports.contents import Contents
from exports.control_records import KeyChallengeRecord, KeyProofRecord
from exports.key_challenge import KeyChallenge, addresses_digest, signed_digest
from exports.records import BalanceRecord
from exports.verdict import Outcome

AGE_DAYS: Final = (30, 90, 365)


class SignatureReader(Protocol):
    """A reader that can ask contract wallets about signatures (EIP-1271)."""

    def contracts_accept(self, block: BlockRef, questions: Sequence[ContractQuestion]) -> list[bool | ReadError]:
        """Whether each contract accepts its signature at the block."""


def check_key_proofs(contents: Contents) -> Outcome | None:
    """19: each proof is the newest of its wallet, answers its challenge in time, and its key signed.

    None when the bundle has no proof and no challenge: nothing compared is nothing shown.

    What a contract wallet accepts, which coins were unspent and what moved is the firm's reading of a node; check 20
    asks the reader's own. A Bitcoin proof that cannot be judged without the optional part `bitcoin` is an obstacle.
    """
    if not contents.key_challenges and not contents.key_proofs:
        return None
    challenges = {record.challenge.nonce: record for record in contents.key_challenges}
    problems: list[str] = []
    for record in contents.key_challenges:
        problems.extend(_challenge_problems(record))
    if len(challenges) != len(contents.key_challenges):
        problems.append("two challenges have one nonce")
    used = {proof.nonce for proof in contents.key_proofs}
    problems.extend(f"challenge {nonce}: no proof rests on it" for nonce in challenges if nonce not in used)
    wallets = {(wallet.chain_id, wallet.address) for wallet in contents.wallets}
    for key, count in Counter((proof.chain_id, proof.address) for proof in contents.key_proofs).items():
        if count > 1:
            problems.append(f"proof of {key[1]} stands {count} times")
        if key not in wallets:
            problems.append(f"proof of {key[1]}: no mapped wallet")
    obstacles: list[str] = []
    asked = {(nonce, address) for nonce, record in challenges.items() for address in record.addresses}
    for proof in contents.key_proofs:
        where = f"proof of {proof.address}"
        if proof.nonce not in challenges:
            problems.append(f"{where}: its challenge {proof.nonce} is not in the bundle")
            continue
        challenge = challenges[proof.nonce].challenge
        if (proof.nonce, proof.address) not in asked:
            problems.append(f"{where}: the challenge does not ask this address")
        judged = _judge(proof, challenge)
        wrong = [*_proof_problems(proof, challenge, contents.manifest.created_at), *judged.problems]
        problems.extend(f"{where}: {problem}" for problem in wrong)
        if judged.obstacle:
            obstacles.append(f"{where}: {judged.obstacle}")
    schemes = Counter(proof.scheme for proof in contents.key_proofs)
    counted = ", ".join(f"{count} by {scheme}" for scheme, count in sorted(schemes.items())) or "none"
    compared = len(contents.wallets) + len(contents.key_challenges) + len(contents.key_proofs)
    by_chain = sum(proof.scheme in BY_CHAIN for proof in contents.key_proofs)
    note = f"proofs: {counted}; wallets: {len(contents.wallets)}"
    if by_chain:
        note += f"; {by_chain} rest on what the firm read on a chain"
    return Outcome(compared - len(obstacles), problems, obstacles, note)


def _challenge_problems(record: KeyChallengeRecord) -> Iterator[str]:
    challenge = record.challenge
    where = f"challenge {challenge.nonce}"
    if challenge.address_count != len(record.addresses):
        yield f"{where}: asks {challenge.address_count} addresses, {len(record.addresses)} are listed"
    if challenge.addresses_sha256 != addresses_digest(challenge.chain_id, record.addresses):
        yield f"{where}: the list of addresses is not the one that was signed"


def _proof_problems(proof: KeyProofRecord, challenge: KeyChallenge, created_at: datetime) -> Iterator[str]:
    """What does not fit about when and how a proof answers its challenge."""
    if proof.chain_id != challenge.chain_id:
        yield f"the challenge is of {challenge.chain_id}"
    if not challenge.issued_at <= proof.answered_at < challenge.expires_at:
        yield "answered outside the time of its challenge"
    if proof.answered_at > created_at:
        yield "answered after the bundle was made"
    if proof.height < challenge.height:
        yield "the chain was asked below the block of the challenge"
    if proof.scheme not in challenge.schemes:
        yield f"the challenge does not accept {proof.scheme}"


def _judge(proof: KeyProofRecord, challenge: KeyChallenge) -> Judged:
    """What the proof itself shows, by the kind of its chain."""
    if chain_namespace(challenge.chain_id) == "bip122":
        return judge_record(proof, challenge)
    return Judged(list(_evm_problems(proof, challenge)))


def _evm_problems(proof: KeyProofRecord, challenge: KeyChallenge) -> Iterator[str]:
    if proof.account_kind not in ("key", "delegated", "contract"):
        yield f"{proof.account_kind!r} is no kind of account"
    if (proof.scheme is SignatureScheme.EIP1271) != (proof.account_kind == "contract"):
        yield f"scheme {proof.scheme} for an account of kind {proof.account_kind}"
    if proof.coins:
        yield "accounts have no coins of their own"
    try:
        raw = signature_bytes(proof.signature, proof.scheme)
        if proof.scheme is SignatureScheme.EIP1271:
            return
        found = signer(signed_digest(challenge, proof.address, proof.scheme), raw)
    except (SignatureRefused, InvalidValue) as error:
        yield str(error)
        return
    if found != proof.address:
        yield f"another key signed, or other words: the signature leads to {found}"


@dataclass(frozen=True, slots=True)
class KeyCoverage:
    """How much of an asset stands at wallets whose keys were proven. Amounts in base units."""

    asset_id: AssetId
    total: int
    """Sum of the balances that were read."""
    proven: int
    proven_within_days: tuple[int, ...]
    """The part with a proof at most so old, for each limit of `AGE_DAYS`."""
    unread: int
    """Balances that could not be read: with any, the total is not known."""


def key_coverage(contents: Contents) -> list[KeyCoverage]:
    """Coverage of each asset, by asset id, when the bundle was made.

    A proof's age counts from its challenge, in whole days: the signature cannot be older, and may be as old.
    """
    challenges = {record.challenge.nonce: record.challenge for record in contents.key_challenges}
    ages = {
        (proof.chain_id, proof.address): max(0, (contents.manifest.created_at - challenges[proof.nonce].issued_at).days)
        for proof in contents.key_proofs
        if proof.nonce in challenges
    }
    by_asset: dict[AssetId, list[BalanceRecord]] = {}
    for balance in contents.balances:
        by_asset.setdefault(balance.asset_id, []).append(balance)
    return [_coverage_of(asset_id, by_asset[asset_id], ages) for asset_id in sorted(by_asset)]


def _coverage_of(
    asset_id: AssetId, balances: Sequence[BalanceRecord], ages: Mapping[tuple[ChainId, Address], int]
) -> KeyCoverage:
    held = {(each.chain_id, each.address): each.base_units for each in balances if each.base_units}
    proven = {key: ages[key] for key in held if key in ages}
    return KeyCoverage(
        asset_id=asset_id,
        total=sum(held.values()),
        proven=sum(held[key] for key in proven),
        proven_within_days=tuple(sum(held[key] for key, age in proven.items() if age <= limit) for limit in AGE_DAYS),
        unread=sum(each.base_units is None for each in balances),
    )


def proofs_by_chain(contents: Contents, chain_id: ChainId) -> list[KeyProofRecord]:
    """The proofs that rest on what the chain says: what a contract accepts, which coins are there, what moved."""
    return [
        proof
        for proof in contents.key_proofs
        if proof.chain_id == chain_id and (proof.scheme in BY_CHAIN or rests_on_chain(proof))
    ]


def check_proofs_on_node(contents: Contents, chain_id: ChainId, reader: ChainReader) -> Outcome:
    """20: the reader's own node bears out each proof that rests on what the chain says."""
    challenges = {record.challenge.nonce: record.challenge for record in contents.key_challenges}
    proofs = [proof for proof in proofs_by_chain(contents, chain_id) if proof.nonce in challenges]
    if chain_namespace(chain_id) == "bip122":
        return check_on_node(proofs, challenges, reader)
    return _check_contracts(proofs, challenges, reader)


def _check_contracts(
    proofs: Sequence[KeyProofRecord], challenges: Mapping[str, KeyChallenge], reader: ChainReader
) -> Outcome:
    """Each contract wallet accepts its signature at the recorded block."""
    if not hasattr(reader, "contracts_accept"):
        return Outcome(0, obstacles=["the chain's adapter does not ask contracts about signatures"])
    asked = cast("SignatureReader", reader)
    problems: list[str] = []
    obstacles: list[str] = []
    for proof in proofs:
        where = f"proof of {proof.address} at block {proof.height}"
        try:
            digest = signed_digest(challenges[proof.nonce], proof.address, proof.scheme)
            question = ContractQuestion(proof.address, digest, signature_bytes(proof.signature, proof.scheme))
            if reader.block_at(proof.height).block_hash != proof.block_hash:
                problems.append(f"{where}: your node has another block there")
                continue
            (answer,) = asked.contracts_accept(proof.block, [question])
        except (ChainError, InvalidValue) as error:
            obstacles.append(f"{where}: {getattr(error, 'code', 'invalid')}: {error}")
            continue
        if isinstance(answer, ReadError):
            obstacles.append(f"{where}: {answer.code}: {answer}")
        elif not answer:
            problems.append(f"{where}: the contract does not accept the signature")
    return Outcome(len(proofs) - len(obstacles), problems, obstacles)
