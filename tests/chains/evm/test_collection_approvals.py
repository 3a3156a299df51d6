"""Operators of collections: how often a node is asked, and that every token of a collection has its own grant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from chains.errors import NodeRefused
from chains.evm.abi import hex_text, word
from chains.evm.collection_approvals import read_operators
from chains.evm.encumbrance_types import GrantKind
from chains.evm.pinned_state import NONCE_MAX, PinnedState, Unread
from chains.jsonrpc import RpcCall
from chains.types import UINT256_MAX, Address, Asset, AssetId, BlockRef, ChainId

CHAIN = ChainId("eip155:1")
BLOCK = BlockRef(CHAIN, 9, "0x" + "11" * 32, "0x" + "22" * 32, datetime(2026, 1, 1, tzinfo=UTC))
FIRST, SECOND, OPERATOR = (Address("0x" + f"{number:040x}") for number in (1, 2, 3))
ART, CARDS = ("0x" + digits * 20 for digits in ("aa", "bb"))


def item(contract: str, number: int) -> Asset:
    return Asset(AssetId(f"{CHAIN}/erc721:{contract}/{number}"), "NFT", 0)


@dataclass
class Node:
    """Says yes of the first owner's art, no of everything else but what it refuses."""

    refused: str = ""
    asked: list[str] = field(default_factory=list)

    def call(self, method: str, *params: object) -> object:
        raise AssertionError("operators are asked for in batches")

    def batch(self, calls: Sequence[RpcCall]) -> list[object]:
        answers: list[object] = []
        for call in calls:
            (question, _) = call.params
            assert isinstance(question, dict)
            self.asked.append(question["to"])
            if question["to"] == self.refused:
                answers.append(NodeRefused("out of order"))
            else:
                yes = question["to"] == ART and f"{1:064x}" in question["data"][:74]
                answers.append(hex_text(word(int(yes))))
        return answers


def amounts(node: Node, owners: Sequence[Address]) -> dict[tuple[Address, str], int | None]:
    assets = {each.asset_id: each for each in (item(ART, 1), item(ART, 2), item(CARDS, 1))}
    pairs = sorted((owner, asset_id, OPERATOR) for owner in owners for asset_id in assets)
    grants = read_operators(PinnedState(node, BLOCK), pairs, assets)
    assert [grant.key for grant in grants] == pairs
    assert {grant.kind for grant in grants} == {GrantKind.OPERATOR}
    return {(grant.owner, str(grant.asset.asset_id).rpartition(":")[2]): grant.base_units for grant in grants}


def test_one_question_stands_for_all_tokens_of_a_collection() -> None:
    node = Node()
    assert amounts(node, [FIRST, SECOND]) == {
        (FIRST, f"{ART}/1"): UINT256_MAX,
        (FIRST, f"{ART}/2"): UINT256_MAX,
        (FIRST, f"{CARDS}/1"): 0,
        (SECOND, f"{ART}/1"): 0,
        (SECOND, f"{ART}/2"): 0,
        (SECOND, f"{CARDS}/1"): 0,
    }
    assert sorted(node.asked) == [ART, ART, CARDS, CARDS]


def test_what_the_node_refuses_is_unknown_for_each_token_and_no_other() -> None:
    found = amounts(Node(refused=ART), [FIRST])
    assert found == {(FIRST, f"{ART}/1"): None, (FIRST, f"{ART}/2"): None, (FIRST, f"{CARDS}/1"): 0}


def test_a_count_of_transactions_that_no_account_reaches_is_unread() -> None:
    class Counts(Node):
        def batch(self, calls: Sequence[RpcCall]) -> list[object]:
            return ["0x7", hex(NONCE_MAX), hex(NONCE_MAX + 1)]

    known, most, beyond = PinnedState(Counts(), BLOCK).nonces([bytes(20)] * 3)
    assert (known, most) == (7, NONCE_MAX)
    assert isinstance(beyond, Unread)
    assert beyond.reason.startswith("malformed-answer: ")
