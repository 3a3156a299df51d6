"""Who else could move what stands in the wallets, read at one pinned block.

1. the node has the pin, by hash and on its canonical chain
2. approvals in the events of tokens and of Permit2: where to look
3. the allowance of every pair found, and of every spender that is always asked for, at the pin; operators and
   approvals of tokens of collections (`collection_approvals`)
4. code, nonce, proxy and Safe of every wallet and token at the pin
5. what every token says of paused and frozen
6. the node still has the pin: otherwise all of it is void

Not seen: approvals before the first block, signed permits that nobody used yet, tokens that keep an allowance
without any event for a spender that is not always asked for, and what code of an unknown kind allows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from chains.errors import InvalidValue
from chains.evm.abi import address_word, selector
from chains.evm.addresses import address_bytes, token_address, token_of
from chains.evm.approval_events import ApprovalEvents
from chains.evm.balances import Transport
from chains.evm.blocks import BlockSource
from chains.evm.collection_approvals import collections_of, read_approved, read_operators
from chains.evm.control import read_controls
from chains.evm.encumbrance_types import (
    UINT160_MAX,
    Answer,
    ApprovalCoverage,
    EncumbranceReading,
    EncumbranceSettings,
    Grant,
    GrantKind,
    PairKey,
    Restriction,
)
from chains.evm.pinned_state import PinnedState, Refusal, reason_of, word_of
from chains.evm.token_restrictions import read_restrictions
from chains.reader import ChainConfig, Pin, Progress
from chains.types import Address, Asset, AssetId, BlockRef


def read_encumbrances(
    transport: Transport,
    config: ChainConfig,
    node_id: str,
    pin: Pin,
    wallets: Iterable[Address],
    assets: Iterable[Asset],
    *,
    first_height: int,
    settings: EncumbranceSettings | None = None,
    progress: Progress | None = None,
) -> EncumbranceReading:
    """Read everything at the pin; events from `first_height` on, `progress` counts their blocks.

    Raises `ChainMoved` when the pin is no longer canonical, and any `ReadError` when the events could not be read or
    the node gave no answer at all. A single question that failed is a part of the answer.
    """
    owners, held = tuple(wallets), tuple(assets)
    settings = settings or EncumbranceSettings()
    coverage = look_for_approvals(
        transport, config, pin.block, owners, held, settings,
        first_height=first_height, progress=progress,
    )  # fmt: skip
    return read_at_pin(transport, config, node_id, pin, owners, held, coverage, settings)


def look_for_approvals(
    transport: Transport,
    config: ChainConfig,
    last: BlockRef,
    wallets: Iterable[Address],
    assets: Iterable[Asset],
    settings: EncumbranceSettings,
    *,
    first_height: int,
    progress: Progress | None = None,
) -> ApprovalCoverage:
    """Look through the blocks from `first_height` to `last`; `approval_coverage` adds that to what is known.

    Raises `ChainMoved` when `last` is not canonical, and any `ReadError` when the events could not be read.
    """
    if not 0 <= first_height <= last.height:
        raise InvalidValue(f"blocks {first_height} to {last.height} are not a range")
    source = BlockSource(transport, config.chain_id, config.header_format)
    source.require_known(last)
    owners, known = sorted(set(wallets)), tuple(assets)
    tokens, collections = _tokens(known), collections_of(known)
    asset_ids = frozenset(asset.asset_id for asset in approvable(known))
    permit2 = address_bytes(settings.permit2)
    events = ApprovalEvents(transport, last, [*map(address_bytes, owners)], tokens, permit2, collections)
    found, odd = events.read(first_height, last.height, progress)
    return ApprovalCoverage(
        first_height=first_height,
        last=last,
        wallets=frozenset(owners),
        assets=asset_ids,
        permit2=settings.permit2,
        candidates=found,
        odd_approvals=odd,
    )


def read_at_pin(
    transport: Transport,
    config: ChainConfig,
    node_id: str,
    pin: Pin,
    wallets: Iterable[Address],
    assets: Iterable[Asset],
    coverage: ApprovalCoverage,
    settings: EncumbranceSettings,
) -> EncumbranceReading:
    """Ask at the pin about every pair the coverage saw, and about every wallet and token.

    The coverage may end below the pin: that is a part of the answer. Raises as `read_encumbrances` does.
    """
    owners, known = sorted(set(wallets)), tuple(assets)
    tokens = _tokens(known)
    unique_and_counted = {each.asset_id: each for group in collections_of(known).values() for each in group}
    source = BlockSource(transport, config.chain_id, config.header_format)
    source.require_known(pin.block)
    candidates = coverage.candidates
    state = PinnedState(transport, pin.block)
    by_id = {asset.asset_id: asset for asset in tokens.values()}
    pairs = _allowance_pairs(candidates.allowances, owners, by_id, settings)
    permit2_pairs = sorted(_within(candidates.permit2, owners, by_id))
    allowances, refusing = _allowances(state, pairs, by_id, candidates.allowances)
    always = {
        (owner, each, name)
        for owner in owners
        for each in unique_and_counted
        for name in settings.spenders_always_asked
    }
    operators = sorted(_within(candidates.allowances, owners, unique_and_counted) | always)
    approved, answers = read_approved(transport, state, pin.block, owners, unique_and_counted.values())
    grants = [
        *allowances,
        *_permit2_grants(state, permit2_pairs, by_id, settings.permit2),
        *read_operators(state, operators, unique_and_counted),
        *approved,
    ]
    controls = read_controls(state, [address_bytes(owner) for owner in owners], sorted(tokens))
    restrictions = read_restrictions(state, owners, tokens, settings.paused_questions, settings.frozen_questions)
    source.require_known(pin.block)
    return EncumbranceReading(
        block=pin.block,
        finality=pin.finality,
        node_id=node_id,
        wallets=tuple(owners),
        assets=tuple(sorted(approvable(known), key=lambda asset: asset.asset_id)),
        coverage=coverage,
        grants=tuple(grant for grant in grants if grant.base_units != 0),
        pairs_asked=len(grants),
        controls=tuple(controls),
        restrictions=(*refusing, *answers, *restrictions),
    )


def approvable(assets: Iterable[Asset]) -> list[Asset]:
    """Everything somebody else can be approved for: tokens of all kinds, each once; not the native coin."""
    return [asset for asset in dict.fromkeys(assets) if token_of(asset.asset_id) is not None]


def _tokens(assets: Iterable[Asset]) -> dict[bytes, Asset]:
    """The ERC-20 tokens among assets, by contract."""
    erc20 = [asset for asset in assets if "/erc20:" in asset.asset_id]
    return {raw: asset for asset in erc20 if (raw := token_address(asset.asset_id)) is not None}


def _within(pairs: Iterable[PairKey], owners: Sequence[Address], by_id: Mapping[AssetId, Asset]) -> set[PairKey]:
    """The pairs that still concern us: a wallet or an asset may have left the mapping since."""
    known = set(owners)
    return {pair for pair in pairs if pair[0] in known and pair[1] in by_id}


def _allowance_pairs(
    seen: Iterable[PairKey], owners: Sequence[Address], by_id: Mapping[AssetId, Asset], settings: EncumbranceSettings
) -> list[PairKey]:
    always = {settings.permit2, *settings.spenders_always_asked}
    asked = {(owner, asset_id, spender) for owner in owners for asset_id in by_id for spender in always}
    return sorted(_within(seen, owners, by_id) | asked)


ALLOWANCE_QUESTION: Final = "allowance(address,address)"


def _allowances(
    state: PinnedState, pairs: Sequence[PairKey], by_id: Mapping[AssetId, Asset], seen: Collection[PairKey]
) -> tuple[list[Grant], list[Restriction]]:
    """The allowance of every pair, and the tokens that have none to ask for.

    Those refuse every question and have no approval event; one that refuses a pair of an event is not known.
    """
    question = selector(ALLOWANCE_QUESTION)
    calls = []
    for owner, asset_id, spender in pairs:
        arguments = address_word(address_bytes(owner)) + address_word(address_bytes(spender))
        calls.append(state.call(_contract(asset_id), question + arguments))
    answers = list(zip(pairs, map(word_of, state.ask(calls)), strict=True))
    answering = {pair[1] for pair, amount in answers if pair in seen or not isinstance(amount, Refusal)}
    refusing = [by_id[asset_id] for asset_id in sorted({pair[1] for pair in pairs} - answering)]
    grants = []
    for (owner, asset_id, spender), amount in answers:
        asset = by_id[asset_id]
        if isinstance(amount, int):
            grants.append(Grant(GrantKind.ALLOWANCE, owner, asset, spender, amount))
        elif asset_id in answering:
            reason = reason_of(amount, "allowance-malformed: the token's allowance did not answer with one number")
            grants.append(Grant(GrantKind.ALLOWANCE, owner, asset, spender, None, reason=reason))
    return grants, [Restriction(asset, ALLOWANCE_QUESTION, None, Answer.NOT_OFFERED) for asset in refusing]


def _permit2_grants(
    state: PinnedState, pairs: Sequence[PairKey], by_id: Mapping[AssetId, Asset], permit2: Address
) -> list[Grant]:
    """Packed as (uint160 amount, uint48 expiration, uint48 nonce). Without code there is nobody to take anything."""
    contract = address_bytes(permit2)
    (code,) = state.ask([state.code(contract)]) if pairs else [b""]
    if code == b"":
        return []
    question = selector("allowance(address,address,address)")
    calls = []
    for owner, asset_id, spender in pairs:
        arguments = address_word(address_bytes(owner)) + address_word(_contract(asset_id))
        calls.append(state.call(contract, question + arguments + address_word(address_bytes(spender))))
    grants = []
    for (owner, asset_id, spender), outcome in zip(pairs, state.ask(calls), strict=True):
        asset = by_id[asset_id]
        packed = outcome if isinstance(outcome, bytes) and len(outcome) == 96 else b""
        amount, expiry = int.from_bytes(packed[:32], "big"), int.from_bytes(packed[32:64], "big")
        if packed and amount <= UINT160_MAX and expiry < 2**48:
            grants.append(Grant(GrantKind.PERMIT2, owner, asset, spender, amount, expires_at_seconds=expiry))
        else:
            reason = reason_of(outcome, "permit2-malformed: Permit2 did not answer with amount, expiry and nonce")
            grants.append(Grant(GrantKind.PERMIT2, owner, asset, spender, None, reason=reason))
    return grants


def _contract(asset_id: AssetId) -> bytes:
    raw = token_address(asset_id)
    assert raw is not None
    return raw
