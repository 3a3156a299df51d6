"""Descriptors in sweeps: which of their addresses are in use, and more of them mapped before they run out.

At any time the look-ahead of a descriptor (BIP-44's gap) is mapped behind the last address in use. What is used is told
by the movements that sweeps read: they watch mapped addresses, and see whatever a wallet pays; and by the record of the
chain's reader, of what was paid before the first of them. A newer version of the
descriptor's row says how many are mapped, and is journalled like any row that is posted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from chains.reader import ChainPlugin, read_descriptor
from chains.types import Address, ChainId, Transfer
from mapping.importer import ImportOptions, post_row
from mapping.tables.descriptors import DERIVED_MAX
from mapping.types import WalletDescriptor
from verifier.rules.siblings import DescriptorFacts, Sibling

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from verifier.store import Store, SweepStart

LOOK_BEYOND = 1_000
"""Addresses beyond those mapped among which the receiver of a payment is looked for."""


def follow_descriptors(
    store: Store,
    plugin: ChainPlugin,
    start: SweepStart,
    actor: str,
    clock: Callable[[], datetime],
    used_before: Callable[[Sequence[Address]], AbstractSet[Address]],
) -> DescriptorFacts:
    """Map more addresses where the movements of a sweep use the last ones, and tell what went to unmapped ones.

    `used_before` says which of the mapped addresses were ever paid, also in blocks whose movements were not read.
    The new wallets are known from now on, and so are part of the next sweep, which reads earlier blocks for them.
    """
    descriptors = store.wallet_descriptors(start.chain_id, start.known_at)
    if not descriptors:
        return DescriptorFacts({})
    mapped = {wallet.address for wallet in store.wallets(start.chain_id, start.known_at)}
    seen = _parties(store.unjudged_transfers(start.chain_id)) | used_before(sorted(mapped))
    if not seen:
        return DescriptorFacts({})
    unmapped: dict[Address, Sibling] = {}
    not_extended = []
    adapter: Any = plugin
    newest = {each.address: each for each in store.wallet_descriptors(start.chain_id, clock())}
    for known in descriptors:
        descriptor = newest.get(known.address, known)
        numbers = _numbers(adapter, descriptor.chain_id, descriptor.descriptor, descriptor.derived + LOOK_BEYOND)
        used = {address: numbers[address] for address in seen if address in numbers}
        unmapped.update({address: Sibling(known, at) for address, at in used.items() if address not in mapped})
        wanted = max(used.values(), default=-1) + 1 + descriptor.look_ahead
        moment = max(clock(), start.known_at + timedelta(microseconds=1))  # not part of this sweep
        if wanted > descriptor.derived and (why := _extend(store, plugin, descriptor, wanted, actor, moment)):
            not_extended.append((descriptor, why))
    return DescriptorFacts(unmapped, tuple(not_extended))


def _parties(transfers: Iterable[Transfer]) -> set[Address]:
    return {party for each in transfers for party in (each.sender, each.receiver) if party is not None}


@lru_cache(maxsize=64)
def _numbers(plugin: Any, chain_id: ChainId, text: str, count: int) -> Mapping[Address, int]:
    branch = read_descriptor(plugin, chain_id, text)
    return {branch.address(number): number for number in range(count)}


def _extend(
    store: Store, plugin: ChainPlugin, descriptor: WalletDescriptor, derived: int, actor: str, now: datetime
) -> str:
    """Post the row that maps so many addresses; returns why that was not possible, or nothing."""
    if derived > DERIVED_MAX:
        return f"a descriptor has at most {DERIVED_MAX} addresses here; move the wallet to a new one"
    moment = store.book_time(now)
    values = {
        "chain_id": descriptor.chain_id,
        "address": descriptor.address,
        "descriptor": descriptor.descriptor,
        "role": descriptor.role.value,
        "birth_height": "" if descriptor.birth_height is None else str(descriptor.birth_height),
        "look_ahead": str(descriptor.look_ahead),
        "derived": str(derived),
    }
    row = {column: text for column, text in values.items() if text}
    with store.known() as known:
        result = post_row("wallet_descriptors", row, known, ImportOptions(now=moment), lambda _: plugin)
    if result.problems:
        return result.problems[0].reason
    if not result.is_noop:
        store.apply_import(result, actor, moment)
    return ""
