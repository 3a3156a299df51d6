"""Bitcoin outputs of two addresses as a bundle shows them, from blocks made in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from chains.bitcoin.block import read_block, read_header
from chains.bitcoin.ledger_file import LedgerFile
from chains.bitcoin.networks import REGTEST
from chains.bitcoin.script import address_of_script
from chains.bitcoin.transaction import Output, id_text
from chains.types import Address, AnchorEvidence, ReadStatus, StateEvidence, account_location
from exports.bundle import Bundle, payload_members
from exports.contents import Contents
from exports.control_records import ControlReviewRecord, ReviewStatus
from exports.records import RECORD_TYPES, BalanceRecord, Status, SweepRecord, WitnessRecord
from tests.chains.bitcoin.model import START_TIME, ModelBlock, genesis, mine, pay
from tests.exports.sample import (
    BLOCK_TIME,
    CREATED,
    allocation,
    reconciliation,
    sample_bundle,
    wallet,
    with_liabilities,
)
from verifier.output_bundling import HEADERS_PER_RECORD, ChainOutputs, records_of

FIRST, SECOND = (bytes.fromhex("0014") + bytes([number]) * 20 for number in (1, 2))
CHAIN = REGTEST.chain_id
Found = dict[str, list[Any]]
LATER = int(BLOCK_TIME.timestamp()) - START_TIME - 600 * 108
"""By so many seconds the blocks are later than the model's, so that the last has the time of the sample's sweep."""


def address(script: bytes) -> Address:
    """The regtest address of a script."""
    found = address_of_script(REGTEST, script)
    assert found is not None
    return found


def model_chain() -> list[ModelBlock]:
    """Two payments to the first address in one block, one to the second two blocks later, one of the first spent."""
    chain = [genesis()]
    for _ in range(104):
        chain.append(mine(chain[-1], salt=LATER))
    coins = sorted(chain[-1].coins, key=lambda name: chain[-1].coins[name].height)
    both = pay(coins[:1], [Output(700, FIRST), Output(41, SECOND), Output(300, FIRST)])
    more = pay(coins[1:2], [Output(25, FIRST)])
    chain.append(mine(chain[-1], [both, more], salt=LATER))
    chain.append(mine(chain[-1], salt=LATER))
    spent = next(name for name, coin in chain[-1].coins.items() if coin.output == Output(300, FIRST))
    chain.append(mine(chain[-1], [pay([spent], [Output(299, SECOND)])], salt=LATER))
    chain.append(mine(chain[-1], salt=LATER))
    return chain


MODEL = model_chain()
PIN = MODEL[-1]
HELD = {address(FIRST): 725, address(SECOND): 340}


def balance(where: Address, base_units: int, **changes: Any) -> BalanceRecord:
    """What one address holds at the pinned block."""
    header = read_header(PIN.raw[:80])
    values: dict[str, Any] = {
        "sweep_id": "sweep-btc",
        "chain_id": CHAIN,
        "address": where,
        "asset_id": REGTEST.asset_id,
        "base_units": base_units,
        "status": ReadStatus.OK,
        "reason": "",
        "height": PIN.height,
        "block_hash": PIN.block_hash,
        "parent_hash": id_text(header.previous),
        "block_time": datetime.fromtimestamp(header.time, UTC),
        "finality": "latest",
        "method": "ledger",
        "node_id": "node-1",
        "operator": "the firm",
        "state": StateEvidence.READ,
        "anchor": AnchorEvidence.SINGLE,
        "grade": StateEvidence.READ,
        "header_checked": True,
    }
    return BalanceRecord(**(values | changes))


def sweep() -> SweepRecord:
    """The sweep of the balances."""
    header = read_header(PIN.raw[:80])
    return SweepRecord(
        sweep_id="sweep-btc",
        chain_id=CHAIN,
        height=PIN.height,
        block_hash=PIN.block_hash,
        parent_hash=id_text(header.previous),
        block_time=datetime.fromtimestamp(header.time, UTC),
        finality="latest",
        header_checked=True,
        witnesses=(WitnessRecord("node-1", "the firm"),),
        expected=2,
        matched=2,
        diverged=0,
        unverified=0,
        coverage_first=None,
        coverage_last=None,
        started_at=CREATED,
        finished_at=CREATED,
    )


@cache
def made_outputs(headers_per_record: int = HEADERS_PER_RECORD) -> ChainOutputs:
    """As the firm's own export makes them out of a ledger."""
    with LedgerFile(None, REGTEST) as ledger:
        ledger.begin(read_header(MODEL[0].raw[:80]), 0)
        ledger.add_scripts([FIRST, SECOND], 1)
        ledger.apply((read_block(block.raw), block.pair[1]) for block in MODEL[1:])
        proofs = ledger.output_proofs([FIRST, SECOND], PIN.block_hash)
    held = {where: balance(where, base_units) for where, base_units in HELD.items()}
    scripts = {FIRST: address(FIRST), SECOND: address(SECOND)}
    return records_of(CHAIN, proofs, scripts, held, headers_per_record)


def found_outputs(headers_per_record: int = HEADERS_PER_RECORD) -> Found:
    """All records of kinds that check 29 looks at."""
    made = made_outputs(headers_per_record)
    return {
        "balances": [balance(where, base_units) for where, base_units in HELD.items()],
        "sweeps": [sweep()],
        "bitcoin_headers": made.headers,
        "bitcoin_transactions": made.transactions,
        "bitcoin_outputs": made.outputs,
        "bitcoin_inclusions": made.inclusions,
    }


def as_contents(found: Found) -> Contents:
    """The records as a reader has them."""
    empty: dict[str, tuple[Any, ...]] = dict.fromkeys(RECORD_TYPES, ())
    return Contents(manifest=MANIFEST, **(empty | {kind: tuple(each) for kind, each in found.items()}))


def with_bitcoin(bundle: Bundle | None = None) -> Bundle:
    """A bundle, the sample unless told otherwise, with two addresses of Bitcoin, and what shows their outputs."""
    bundle, made = bundle or sample_bundle(), made_outputs()
    held = [balance(where, base_units) for where, base_units in HELD.items()]
    places = {where: account_location(CHAIN, where) for where in HELD}
    coin = replace(bundle.assets[0], asset_id=REGTEST.asset_id, symbol="BTC", decimals=8)
    matched = [
        reconciliation(places[each], REGTEST.asset_id, HELD[each], HELD[each], Status.MATCHED, sweep_id="sweep-btc")
        for each in HELD
    ]
    return with_liabilities(
        replace(
            bundle,
            assets=[*bundle.assets, coin],
            wallets=[*bundle.wallets, *(replace(wallet(each), chain_id=CHAIN) for each in HELD)],
            balances=[*bundle.balances, *held],
            allocations=[*bundle.allocations, *(allocation("C-1", places[e], REGTEST.asset_id, HELD[e]) for e in HELD)],
            reconciliations=[*bundle.reconciliations, *matched],
            sweeps=[*bundle.sweeps, sweep()],
            control_reviews=[*bundle.control_reviews, NOT_ASKED],
            bitcoin_headers=made.headers,
            bitcoin_inclusions=made.inclusions,
            bitcoin_outputs=made.outputs,
            bitcoin_transactions=made.transactions,
        )
    )


NOT_ASKED = ControlReviewRecord(
    sweep_id="sweep-btc", chain_id=CHAIN, status=ReviewStatus.NOT_ASKED, reason="not read on this chain", node_id="",
    permit2=None, approvals_first=None, approvals_last=None, approvals_late=0, wallets_asked=0, pairs_asked=0,
    restrictions_asked=0, grants=0, controls=0, restrictions=0, accepted=0,
)  # fmt: skip
MANIFEST = payload_members(sample_bundle())[0]
