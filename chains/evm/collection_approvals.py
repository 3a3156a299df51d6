"""Who may move tokens of collections at the pin: operators of everything an owner holds, and approvals of one token.

Operators (`setApprovalForAll` of ERC-721 and ERC-1155) are named by events and asked for one by one. Which address is
approved for an ERC-721 token is one question a token and needs no event; it counts while the owner is a wallet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from chains.evm import abi
from chains.evm.addresses import Token, TokenStandard, address_bytes, checksum_address, token_of
from chains.evm.balances import Transport
from chains.evm.encumbrance_types import Answer, Grant, GrantKind, PairKey, Restriction
from chains.evm.owners import NOBODY, TOKENS_PER_BATCH, read_owners
from chains.evm.pinned_state import Outcome, PinnedState, reason_of, word_of
from chains.types import UINT256_MAX, Address, Asset, AssetId, BlockRef

OPERATOR_QUESTION: Final = "isApprovedForAll(address,address)"
APPROVED_QUESTION: Final = "getApproved(uint256)"


def collections_of(assets: Iterable[Asset]) -> dict[bytes, list[Asset]]:
    """The tokens of collections among assets, by contract, each list sorted."""
    found: dict[bytes, list[Asset]] = {}
    for asset in sorted(assets, key=lambda asset: asset.asset_id):
        token = token_of(asset.asset_id)
        if token is not None and token.number is not None:
            found.setdefault(token.contract, []).append(asset)
    return found


def read_operators(state: PinnedState, pairs: Sequence[PairKey], assets: Mapping[AssetId, Asset]) -> list[Grant]:
    """One grant for each pair of a collection: everything, nothing, or why it is not known.

    An operator is asked for once, however many tokens of the collection are among the pairs.
    """
    about = [(owner, _token(asset_id).contract, operator) for owner, asset_id, operator in pairs]
    questions = list(dict.fromkeys(about))
    selector, calls = abi.selector(OPERATOR_QUESTION), []
    for owner, contract, operator in questions:
        arguments = abi.address_word(address_bytes(owner)) + abi.address_word(address_bytes(operator))
        calls.append(state.call(contract, selector + arguments))
    answers = dict(zip(questions, map(word_of, state.ask(calls)), strict=True))
    grants = []
    for (owner, asset_id, operator), question in zip(pairs, about, strict=True):
        value, asset = answers[question], assets[asset_id]
        if value in (0, 1):
            grants.append(Grant(GrantKind.OPERATOR, owner, asset, operator, UINT256_MAX if value else 0))
        else:
            reason = reason_of(value, f"operator-malformed: {OPERATOR_QUESTION} answered with neither yes nor no")
            grants.append(Grant(GrantKind.OPERATOR, owner, asset, operator, None, reason=reason))
    return grants


def read_approved(
    transport: Transport, state: PinnedState, block: BlockRef, owners: Iterable[Address], assets: Iterable[Asset]
) -> tuple[list[Grant], list[Restriction]]:
    """A grant for each ERC-721 token that a wallet holds and somebody is approved for, and that each token answered.

    Raises `ChainMoved` when the block is gone, and any `ReadError` that concerns a whole batch.
    """
    tokens = [(asset, token) for asset in assets if (token := _token(asset.asset_id)).standard is TokenStandard.ERC721]
    wallets = {address_bytes(owner): owner for owner in owners}
    held: list[tuple[Asset, Token, Address]] = []
    answers: list[Restriction] = []
    for first in range(0, len(tokens), TOKENS_PER_BATCH):
        some = tokens[first : first + TOKENS_PER_BATCH]
        for (asset, token), owner in zip(
            some, read_owners(transport, block, [token for _, token in some]), strict=True
        ):
            if not isinstance(owner, bytes):
                answers.append(_unread(asset, str(owner)))
            elif owner != NOBODY and owner in wallets:
                held.append((asset, token, wallets[owner]))
    calls = [
        state.call(token.contract, abi.selector(APPROVED_QUESTION) + abi.word(token.number or 0))
        for _, token, _ in held
    ]
    grants = []
    for (asset, _, wallet), outcome in zip(held, state.ask(calls), strict=True):
        approved = _address(outcome)
        if approved is None:
            otherwise = f"approved-malformed: {APPROVED_QUESTION} did not answer with an address"
            answers.append(_unread(asset, reason_of(outcome, otherwise)))
            continue
        answers.append(Restriction(asset, APPROVED_QUESTION, None, Answer.CLEAR))
        if approved != NOBODY:
            grants.append(Grant(GrantKind.APPROVED, wallet, asset, checksum_address(approved), 1))
    return grants, answers


def _token(asset_id: AssetId) -> Token:
    token = token_of(asset_id)
    assert token is not None
    return token


def _address(outcome: Outcome) -> bytes | None:
    return outcome[12:] if isinstance(outcome, bytes) and len(outcome) == 32 and not any(outcome[:12]) else None


def _unread(asset: Asset, reason: str) -> Restriction:
    return Restriction(asset, APPROVED_QUESTION, None, Answer.UNREAD, reason)
