"""Checks 6 to 10: the figures of a bundle, computed again from its own records. Pure functions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta

from chains.errors import ChainError
from chains.types import (
    Address,
    AssetId,
    ChainId,
    LocationId,
    ReadStatus,
    account_location,
    asset_chain_id,
    pool_location,
)
from exports.contents import Contents
from exports.records import BalanceRecord, Rail, ReconciliationRecord, Status
from exports.verdict import Outcome

Spelling = Callable[[ChainId, str, str], str | None]
"""Problem with the spelling of an `address` or `asset` (the second argument) on a chain; None when canonical."""

HoldingKey = tuple[ChainId, Address, AssetId]
Place = tuple[LocationId, AssetId]


def registry_spelling(chain_id: ChainId, what: str, text: str) -> str | None:
    """Ask the chain's installed adapter: an address spelt in two ways could be counted twice."""
    from chains.registry import plugin_for

    try:
        plugin = plugin_for(chain_id)
        canonical = plugin.parse_address(chain_id, text) if what == "address" else plugin.parse_asset_id(text)
    except ChainError as error:
        return str(error)
    return None if canonical == text else f"{text} is not the canonical spelling {canonical}"


def check_references(contents: Contents, spelling: Spelling) -> Outcome:
    """6: every id is there once, is spelt canonically, and everything that is referred to exists."""
    problems: list[str] = []
    compared = 0

    def unique(what: str, keys: Iterable[object]) -> None:
        nonlocal compared
        counts = Counter(keys)
        compared += sum(counts.values())
        problems.extend(f"{what} {_shown(key)} stands {count} times" for key, count in counts.items() if count > 1)

    def known(what: str, key: object, keys: object) -> None:
        nonlocal compared
        compared += 1
        if key not in keys:  # type: ignore[operator]
            problems.append(f"{what} {_shown(key)} is not in the bundle")

    assets = {asset.asset_id for asset in contents.assets}
    wallets = {(wallet.chain_id, wallet.address) for wallet in contents.wallets}
    places = {wallet.location for wallet in contents.wallets} | {pool_location(p.pool_id) for p in contents.pools}
    sweeps = {sweep.sweep_id: sweep for sweep in contents.sweeps}
    authorizations = {authorization.authorization_id for authorization in contents.authorizations}

    unique("asset", (asset.asset_id for asset in contents.assets))
    unique("wallet", ((w.chain_id, w.address) for w in contents.wallets))
    unique("pool membership", ((p.pool_id, p.chain_id, p.address) for p in contents.pools))
    unique("sweep", (sweep.sweep_id for sweep in contents.sweeps))
    unique("sweep of chain", (sweep.chain_id for sweep in contents.sweeps))
    unique("balance of", ((b.chain_id, b.address, b.asset_id) for b in contents.balances))
    unique(
        "allocation",
        ((a.client_id, a.account_class, a.location, a.asset_id, a.is_gas_float) for a in contents.allocations),
    )
    unique("reconciliation", ((r.location, r.asset_id) for r in contents.reconciliations))
    unique("transfer", ((t.chain_id, t.block_hash, t.tx_id, t.kind, t.index) for t in contents.transfers))
    unique("authorization", (a.authorization_id for a in contents.authorizations))
    unique("case", (case.case_id for case in contents.cases))

    spelt = [(wallet.chain_id, "address", str(wallet.address)) for wallet in contents.wallets]
    spelt += [(chain, "asset", str(a.asset_id)) for a in contents.assets if (chain := asset_chain_id(a.asset_id))]
    problems.extend(problem for item in spelt if (problem := spelling(*item)) is not None)
    for pool in contents.pools:
        known("wallet of a pool", (pool.chain_id, pool.address), wallets)
    for balance in contents.balances:
        known("wallet of a balance", (balance.chain_id, balance.address), wallets)
        known("asset of a balance", balance.asset_id, assets)
        known("sweep of a balance", balance.sweep_id, sweeps)
        if asset_chain_id(balance.asset_id) != balance.chain_id:
            problems.append(f"balance of {balance.asset_id} on another chain, {balance.chain_id}")
    for allocation in contents.allocations:
        known("asset of an allocation", allocation.asset_id, assets)
        if allocation.is_gas_float and "/slip44:" not in allocation.asset_id:
            problems.append(f"gas float of {allocation.asset_id}, which pays no fees")
    for reconciliation in contents.reconciliations:
        if reconciliation.observed is not None:  # books may claim a place that no wallet is mapped to
            known("location of a reconciliation", reconciliation.location, places)
        known("asset of a reconciliation", reconciliation.asset_id, assets)
        known("sweep of a reconciliation", reconciliation.sweep_id, sweeps)
    for transfer in contents.transfers:
        known("asset of a transfer", transfer.asset_id, assets)
        named = [use.authorization_id for use in transfer.uses] or [transfer.authorization_id]
        for authorization_id in filter(None, named):
            known("authorization of a transfer", authorization_id, authorizations)
        if not {(transfer.chain_id, transfer.sender), (transfer.chain_id, transfer.receiver)} & wallets:
            problems.append(f"transfer {transfer.tx_id} touches no wallet of the bundle")
    for authorization in contents.authorizations:
        known("wallet of an authorization", (authorization.chain_id, authorization.wallet), wallets)
        known("asset of an authorization", authorization.asset_id, assets)
    for case in contents.cases:
        if case.asset_id is not None:
            known("asset of a case", case.asset_id, assets)
    scope = contents.manifest.scope
    if list(scope.chains) != sorted(sweep.chain_id for sweep in contents.sweeps):
        problems.append("the chains of the scope are not those of the sweeps")
    if list(scope.rails) != sorted({r.rail for r in contents.reconciliations}):
        problems.append("the rails of the scope are not those of the reconciliations")
    return Outcome(compared, problems)


def check_claims(contents: Contents) -> Outcome:
    """7: each claimed figure is the sum of its allocations, and no allocation is left out."""
    clients: dict[Place, int] = defaultdict(int)
    floats: dict[Place, int] = defaultdict(int)
    for allocation in contents.allocations:
        sums = floats if allocation.is_gas_float else clients
        sums[allocation.location, allocation.asset_id] += allocation.base_units
    problems = []
    for reconciliation in contents.reconciliations:
        place = (reconciliation.location, reconciliation.asset_id)
        for name, sums in (("claimed", clients), ("gas_float_recorded", floats)):
            stated, summed = getattr(reconciliation, name), sums.pop(place, 0)
            if stated != summed:
                problems.append(f"{_shown(place)}: {name} {stated}, its allocations add up to {summed}")
    left = sorted({*clients, *floats})
    problems.extend(f"{_shown(place)}: allocated, and not reconciled" for place in left)
    return Outcome(len(contents.reconciliations), problems)


def check_observations(contents: Contents) -> Outcome:
    """8: each observed figure is the sum of its balances, absent when one failed; every balance is used once."""
    balances: dict[HoldingKey, BalanceRecord] = {(b.chain_id, b.address, b.asset_id): b for b in contents.balances}
    behind = holdings_behind(contents)
    problems = []
    used: Counter[HoldingKey] = Counter()
    for reconciliation in contents.reconciliations:
        place = _shown((reconciliation.location, reconciliation.asset_id))
        if reconciliation.rail is not Rail.DIGITAL:
            problems.append(f"{place}: this format version has no evidence for the rail {reconciliation.rail}")
            continue
        keys = behind[reconciliation.location, reconciliation.asset_id]
        used.update(keys)
        found = [balances[key] for key in keys if key in balances]
        if len(found) != len(keys):
            problems.append(f"{place}: {len(found)} balances for {len(keys)} wallets")
            continue
        if any(balance.sweep_id != reconciliation.sweep_id for balance in found):
            problems.append(f"{place}: balances of another sweep")
        # No wallet behind a claim is not an empty wallet: it was not observed.
        missing = not found or any(balance.status is ReadStatus.FAILED for balance in found)
        observed = None if missing else sum(balance.base_units or 0 for balance in found)
        if reconciliation.observed != observed:
            problems.append(f"{place}: observed {reconciliation.observed}, its balances add up to {observed}")
    problems.extend(f"balance of {_shown(key)} is counted {used[key]} times" for key in balances if used[key] != 1)
    return Outcome(len(contents.reconciliations) + len(balances), problems)


def holdings_behind(contents: Contents) -> dict[Place, list[HoldingKey]]:
    """The balances each reconciliation stands for: a wallet's own, or those of a pool's members.

    A member that is reconciled by itself for an asset is not part of the pool for that asset.
    """
    own = {(record.location, record.asset_id) for record in contents.reconciliations}
    wallets = {account_location(w.chain_id, w.address): (w.chain_id, w.address) for w in contents.wallets}
    members: dict[LocationId, list[tuple[ChainId, Address]]] = defaultdict(list)
    for pool in contents.pools:
        members[pool_location(pool.pool_id)].append((pool.chain_id, pool.address))
    behind: dict[Place, list[HoldingKey]] = {}
    for location, asset_id in own:
        if location in wallets:
            behind[location, asset_id] = [(*wallets[location], asset_id)]
            continue
        chain_id = asset_chain_id(asset_id)
        behind[location, asset_id] = [
            (chain, address, asset_id)
            for chain, address in members[location]
            if chain == chain_id and (account_location(chain, address), asset_id) not in own
        ]
    return behind


def check_differences(contents: Contents) -> Outcome:
    """9: gas float, difference and status of each reconciliation, computed again."""
    skew = timedelta(seconds=contents.manifest.as_of_skew_seconds_max)
    negative = places_below_zero(contents)
    problems = []
    for record in contents.reconciliations:
        place = (record.location, record.asset_id)
        gas_float = difference = None
        if record.observed is not None:
            gas_float = min(max(record.observed - record.claimed, 0), max(record.gas_float_recorded, 0))
            difference = record.observed - record.claimed - gas_float
        ledger = ledger_status(record, skew, is_negative=place in negative)
        statuses = [ledger, *([record.statement.status] if record.statement else [])]
        # A known contradiction leads, because it holds whatever the unread rest would say.
        status = next((s for s in (Status.DIVERGED, Status.UNVERIFIED) if s in statuses), Status.MATCHED)
        for name, stated, computed in (
            ("gas_float_observed", record.gas_float_observed, gas_float or 0),
            ("difference", record.difference, difference),
            ("status", record.status, status),
        ):
            if stated != computed:
                problems.append(f"{_shown(place)}: {name} {stated}, should be {computed}")
        if (ledger is Status.UNVERIFIED) != bool(record.reason):
            problems.append(f"{_shown(place)}: unverified without a reason, or a reason without being unverified")
        problems.extend(f"{_shown(place)}: {text}" for text in _statement_problems(record, skew))
    return Outcome(len(contents.reconciliations), problems)


def places_below_zero(contents: Contents) -> set[Place]:
    """Where an owner's allocation is negative: never matched, though the sum may be right."""
    return {(a.location, a.asset_id) for a in contents.allocations if a.base_units < 0}


def ledger_status(record: ReconciliationRecord, skew: timedelta, *, is_negative: bool) -> Status:
    """The outcome of sub-ledger against chain alone, from the record's own figures."""
    if record.observed is None or abs(record.claimed_as_of - record.observed_as_of) > skew:
        return Status.UNVERIFIED
    return Status.DIVERGED if record.difference != 0 or is_negative else Status.MATCHED


def _statement_problems(record: ReconciliationRecord, skew: timedelta) -> list[str]:
    """A statement called matched must match. Called worse it needs a reason, for wallets are compared alone."""
    statement = record.statement
    if statement is None:
        return []
    if statement.status is not Status.MATCHED:
        return [] if statement.reason else [f"statement {statement.status} without a reason"]
    problems = []
    if record.observed is None:
        problems.append("a statement matches what was not observed")
    elif statement.base_units != record.observed:
        problems.append(f"the statement says {statement.base_units}, observed is {record.observed}, called matched")
    if abs(statement.as_of - record.observed_as_of) > skew:
        problems.append("the statement speaks of another moment, called matched")
    return problems


def check_counts(contents: Contents) -> Outcome:
    """10: each sweep's counts are those of its reconciliations, and add up to what was expected."""
    counted: dict[str, Counter[Status]] = defaultdict(Counter)
    for reconciliation in contents.reconciliations:
        counted[reconciliation.sweep_id][reconciliation.status] += 1
    problems = []
    for sweep in contents.sweeps:
        counts = counted[sweep.sweep_id]
        if sweep.matched + sweep.diverged + sweep.unverified != sweep.expected:
            problems.append(f"sweep {sweep.sweep_id}: its counts do not add up to the {sweep.expected} expected")
        for status in Status:
            stated = getattr(sweep, status.value)
            if stated != counts[status]:
                problems.append(f"sweep {sweep.sweep_id}: {stated} {status}, there are {counts[status]}")
    empty = [f"sweep {sweep.sweep_id} expected nothing" for sweep in contents.sweeps if sweep.expected == 0]
    return Outcome(len(contents.reconciliations), problems, empty)


def _shown(key: object) -> str:
    return " ".join(str(part) for part in key) if isinstance(key, tuple) else str(key)
