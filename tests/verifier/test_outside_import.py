"""Others' evidence taken: whole or not at all, its amounts asked of our own node, kept in the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from chains.errors import StateUnavailable
from chains.reader import ChainConfig, ChainReader, NodeConfig, Pin
from chains.types import (
    Asset,
    AssetId,
    BalanceObservation,
    BlockRef,
    ChainId,
    Finality,
    FinalityKind,
    Holding,
    ReadStatus,
)
from exports.outside_evidence import document_of
from exports.outside_judging import Holding as Amount
from exports.outside_kinds import EvidenceKind
from tests.exports.outside_samples import (
    FIRST,
    SECOND,
    WORDS,
    bip127_file,
    bitcoin_row,
    coin_list,
    coin_rows,
    paper_spend,
    row,
    signed,
    snapshot,
)
from verifier.errors import InputError
from verifier.journal import verify_journal
from verifier.outside_import import EvidenceImport, import_evidence
from verifier.store import Store

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
ETHEREUM = ChainId("eip155:1")
ETHER = Asset(AssetId("eip155:1/slip44:60"), "ETH", 18)
CONFIG = ChainConfig(
    chain_id=ETHEREUM,
    name="Ethereum",
    genesis_hash="0x" + "11" * 32,
    nodes=(NodeConfig("own-node", "the firm", "http://127.0.0.1:1"),),
    finality=Finality(FinalityKind.FINALIZED),
    native_asset=ETHER,
)
BLOCK = BlockRef(ETHEREUM, 20_914_735, "0x" + "aa" * 32, "0x" + "bb" * 32, NOW)


class OwnNode:
    """Says that the first account holds 0.05 ether, and nothing of older blocks."""

    node_id = "own-node"

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.closed = False

    def identify(self) -> None:
        """It is who it should be."""

    def pin(self, *, height: int, now: datetime) -> Pin:
        self.asked.append(height)
        if height < BLOCK.height:
            raise StateUnavailable("the node has no such old state")
        return Pin(replace(BLOCK, height=height), CONFIG.finality, header_checked=True)

    def read_balances(self, pin: Pin, holdings: Sequence[Holding]) -> list[BalanceObservation]:
        return [
            BalanceObservation(
                holding=each,
                block=pin.block,
                finality=pin.finality,
                status=ReadStatus.OK,
                base_units=5 * 10**16,
                method="batch",
                node_id=self.node_id,
                reason="",
            )
            for each in holdings
        ]

    def close(self) -> None:
        self.closed = True


def take(store: Store, data: bytes, kind: EvidenceKind = EvidenceKind.LIST, **changes: Any) -> EvidenceImport:
    given: dict[str, Any] = {
        "source": "an example exchange",
        "chain_id": None,
        "message": "",
        "config_of": lambda _: None,
        "open_reader": lambda config: cast("ChainReader", OwnNode()),
        "actor": "operator",
        "now": NOW,
    }
    return import_evidence(store, data, kind, **(given | changes))


@pytest.mark.fault("G12", "G18")
def test_amounts_are_read_where_our_node_says_the_same(store: Store) -> None:
    node = OwnNode()
    rows = [
        row(),
        row(SECOND.address, "0.0500000000000000001", signed(SECOND)),
        row(FIRST.address, coin="USDT-ERC20"),
        bitcoin_row(),
        row("0x" + "ab" * 20, height="5"),
    ]
    found = take(
        store, snapshot(*rows), config_of={ETHEREUM: CONFIG}.get, open_reader=lambda _: cast("ChainReader", node)
    )
    assert found.document is not None
    assert [line.holding for line in found.document.lines] == [
        Amount.READ,
        Amount.DIFFERS,
        Amount.STATED,
        Amount.STATED,
        Amount.STATED,
    ]
    reasons = [line.holding_reason for line in found.document.lines]
    assert reasons[0] == f"own-node at block {BLOCK.block_hash}"
    assert "50000000000000000 base units" in reasons[1]
    assert "the chain's own coin alone" in reasons[2]
    assert "no node of this chain was asked" in reasons[3]
    assert reasons[4] == "own-node could not say: state-unavailable"
    assert (sorted(node.asked), node.closed) == ([5, 20_914_735], True)


def test_what_was_taken_is_kept_in_the_journal_and_only_once(store: Store) -> None:
    first = take(store, snapshot(row()))
    assert first.stored is not None
    second = take(store, paper_spend(), EvidenceKind.BIP127, chain_id=REGTEST, message=WORDS)
    assert second.stored is not None
    assert [each.evidence_id for each in store.imported_evidence()] == ["OE-000001", "OE-000002"]
    kept = store.imported_evidence()[0]
    assert document_of(kept.document) == first.document
    assert (kept.recorded_by, kept.kind) == ("operator", "list")
    assert verify_journal(store).ok
    with pytest.raises(InputError, match="already, as OE-000001"):
        take(store, snapshot(row()))


def test_a_proof_file_is_taken_with_and_without_its_coins(store: Store) -> None:
    def taken(**changes: Any) -> EvidenceImport:
        return take(store, bip127_file(), EvidenceKind.BIP127, chain_id=REGTEST, message=WORDS, **changes)

    bare, known = taken(dry_run=True), taken(coins=coin_list(*coin_rows(0, 1, 2)))
    assert bare.document is not None
    assert known.document is not None
    assert {str(line.control) for line in bare.document.lines} == {"not_judged"}
    assert {str(line.control) for line in known.document.lines} == {"shown"}
    assert known.stored is not None
    assert taken(coins=coin_list("no coin")).problems
    with pytest.raises(InputError, match="goes with a proof by BIP-127"):
        take(store, snapshot(row()), coins=b"")


@pytest.mark.fault("G2", "G3")
def test_nothing_is_kept_of_a_bad_file_or_a_dry_run(store: Store) -> None:
    before = store.head()
    assert take(store, snapshot(row(), row())).problems
    assert take(store, b"nothing").problems
    assert take(store, paper_spend(), EvidenceKind.BIP127, chain_id=REGTEST, message="other").problems
    dry = take(store, snapshot(row()), dry_run=True)
    assert dry.document is not None
    assert dry.stored is None
    with pytest.raises(InputError, match="--chain"):
        take(store, paper_spend(), EvidenceKind.BIP127)
    with pytest.raises(InputError, match="whose evidence"):
        take(store, snapshot(row()), source=" ")
    assert (store.imported_evidence(), store.head()) == ([], before)


REGTEST = ChainId("bip122:0f9188f13cb7b2c71f2a335e3a4fc328")
