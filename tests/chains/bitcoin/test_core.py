"""What a node is asked, against the recorded replies of a real Bitcoin Core."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest

from chains.bitcoin.core import CoreNode
from chains.bitcoin.decoding import satoshis
from chains.bitcoin.failures import BITCOIN_CORE
from chains.errors import (
    ChainMoved,
    MalformedAnswer,
    NodeRefused,
    NodeUnavailable,
    ReadError,
    StaleHead,
    StateUnavailable,
    UnsupportedByNode,
)
from chains.reader import NodeConfig, ReadLimits
from chains.transport import JsonRpcTransport
from tests.chains.bitcoin.recorded import (
    LIMITED_USER,
    RecordedCore,
    blocks,
    body_of,
    expected,
    recorded,
    serving,
    state,
)

LIMITS = ReadLimits(attempts_max=3, retry_wait_seconds_max=0)
NOBODY = "00" * 31 + "ff"


@pytest.fixture(params=["2.0", "1.0"])
def core(request: pytest.FixtureRequest) -> Iterator[RecordedCore]:
    """The recorded node, speaking each of the two forms."""
    with serving(RecordedCore(is_legacy=request.param == "1.0")) as served:
        yield served


@pytest.fixture
def node(core: RecordedCore) -> Iterator[CoreNode]:
    """What asks it."""
    transport = transport_to(core.url)
    yield CoreNode(transport)
    transport.close()


def transport_to(url: str) -> JsonRpcTransport:
    return JsonRpcTransport(NodeConfig("n1", "operator-1", url), LIMITS, dialect=BITCOIN_CORE)


def hash_of(name: str) -> str:
    return str(expected()["blocks"][name])


def test_who_the_node_is(node: CoreNode) -> None:
    assert node.version() == "/Satoshi:31.99.0/"
    info = node.chain_info()
    assert (info.chain, info.height, info.best_hash) == ("regtest", 116, hash_of("new3"))
    assert (info.is_downloading, info.prune_height) == (False, None)
    assert node.is_validated()
    assert {index.name for index in node.indexes()} == {"txindex", "coinstatsindex", "basic block filter index"}
    assert all(index.is_synced and index.height == 116 for index in node.indexes())


def test_a_stale_branch_is_told_by_its_status(node: CoreNode) -> None:
    assert {(tip.height, tip.status) for tip in node.tips()} == {(116, "active"), (115, "valid-fork")}
    assert node.best_hash() == hash_of("new3")
    assert node.height_of(hash_of("new1")) == (114, True)
    assert node.height_of(hash_of("stale1")) == (114, False)


def test_headers_and_hashes(node: CoreNode) -> None:
    heights = list(range(117))
    hashes = node.hashes_at(heights)
    assert hashes[114] == hash_of("new1")
    assert node.headers(hashes) == [blocks()[name].raw[:80] for name in hashes]
    with pytest.raises(StaleHead):
        node.hash_at(117)
    with pytest.raises(ChainMoved):
        node.header(NOBODY)


def test_blocks_and_what_they_spend_are_the_same_both_ways(node: CoreNode) -> None:
    for name in ("fund", "opreturn", "spend1", "spend2", "cbspend", "new2", "stale2", "new1"):
        assert node.block(hash_of(name)) == node.block_by_rpc(hash_of(name)) == blocks()[hash_of(name)].raw
        by_rpc = node.spent_outputs_by_rpc(hash_of(name))
        flat = [output for outputs in by_rpc for output in outputs]
        raw = node.spent_outputs(hash_of(name))
        assert by_rpc[0] == []
        assert len(by_rpc) == blocks()[hash_of(name)].transactions == raw[0]
        for output in flat:
            assert output.value.to_bytes(8, "little") + bytes([len(output.script)]) + output.script in raw


def test_a_block_that_never_was_active_has_no_record_of_what_it_spends(core: RecordedCore, node: CoreNode) -> None:
    core.stage = "side_block"
    core.tip = hash_of("last_tip")
    side = hash_of("side_never_connected")
    assert node.block(side) == blocks()[side].raw
    with pytest.raises(StateUnavailable):
        node.spent_outputs(side)
    with pytest.raises(StateUnavailable):
        node.spent_outputs_by_rpc(side)


def test_what_the_node_does_not_serve_is_said(core: RecordedCore, node: CoreNode) -> None:
    with pytest.raises(ChainMoved):
        node.block(NOBODY)
    core.has_spent_outputs = False
    assert node.block(hash_of("fund"))
    with pytest.raises(UnsupportedByNode):
        node.spent_outputs(hash_of("fund"))
    core.has_rest = False
    with pytest.raises(UnsupportedByNode):
        node.block(hash_of("fund"))
    core.overrides["getchainstates"] = '{"code":-32601,"message":"Method not found"}'
    with pytest.raises(UnsupportedByNode):
        node.is_validated()


def test_the_unspent_outputs_of_all_watched_scripts(node: CoreNode) -> None:
    asked = json.loads(recorded("after_reorg/scantxoutset-all+v2")["request"]["body"])["params"][1]
    scan = node.scan_coins([bytes.fromhex(text[4:-1]) for text in asked])
    assert (scan.block_hash, scan.height) == (hash_of("new3"), 116)
    for label, one in expected()["scripts"].items():
        found = {
            (coin.tx_id, coin.output, coin.value, coin.height, coin.is_coinbase)
            for coin in scan.coins
            if coin.script.hex() == one["script_hex"]
        }
        unspent = state("after_reorg")["scripts"][label]["unspent"]
        assert found == {
            (row["txid"], row["vout"], row["value_sat"], row["height"], row["coinbase"]) for row in unspent
        }
    assert sum(coin.value for coin in scan.coins) == state("after_reorg")["total_sat"]


def test_the_digest_of_the_whole_set(node: CoreNode) -> None:
    digest = node.coin_set_digest()
    assert (digest.block_hash, digest.height) == (hash_of("new3"), 116)
    assert digest.muhash == state("after_reorg")["utxo_set"]["muhash"]
    before = state("before_spends")
    assert node.coin_set_digest(before["block_hash"]).muhash == before["utxo_set"]["muhash"]


# What is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.fault("A42")
def test_a_scan_beside_another_and_a_node_that_starts_are_unavailable(core: RecordedCore, node: CoreNode) -> None:
    core.overrides["scantxoutset"] = '{"code":-8,"message":"Scan already in progress, use action \\"abort\\""}'
    with pytest.raises(NodeUnavailable):
        node.scan_coins([b"\x51"])
    core.overrides["getblockhash"] = '{"code":-28,"message":"Verifying blocks…"}'
    with pytest.raises(NodeUnavailable):
        node.hash_at(0)
    core.overrides["getblockhash"] = '{"code":-1,"message":"Block not available (pruned data)"}'
    with pytest.raises(StateUnavailable):
        node.hash_at(0)


@pytest.mark.fault("A42")
@pytest.mark.parametrize("row", ["queue_full/rest-block.bin", "warmup-rest/2"])
def test_a_full_queue_is_waited_for(core: RecordedCore, node: CoreNode, row: str) -> None:
    refused = (503, body_of(recorded(row)))
    core.refusals = [refused, refused]
    assert node.block(hash_of("fund")) == blocks()[hash_of("fund")].raw
    core.refusals = [refused, refused]
    assert node.best_hash() == hash_of("new3")
    core.refusals = [refused] * 3
    with pytest.raises(NodeUnavailable, match="503"):
        node.block(hash_of("fund"))
    assert not core.refusals


def test_an_error_of_the_call_is_not_asked_again(core: RecordedCore, node: CoreNode) -> None:
    with pytest.raises(ChainMoved):
        node.block_by_rpc(NOBODY)
    assert len(core.asked) == 1
    core.refusals = [(500, b'{"message":"internal"}')] * 3
    with pytest.raises(NodeUnavailable):
        node.best_hash()


@pytest.mark.parametrize(("user", "status"), [("verifier:wrong", "401"), (LIMITED_USER, "403")])
def test_credentials_are_the_nodes_word(user: str, status: str) -> None:
    with serving(RecordedCore(), user=user) as core:
        transport = transport_to(core.url)
        with pytest.raises(NodeRefused, match=status) as caught:
            CoreNode(transport).chain_info()
        assert user.partition(":")[2] not in str(caught.value)
        transport.close()


def test_least_privilege_is_enough_for_headers() -> None:
    with serving(RecordedCore(), user=LIMITED_USER) as core:
        transport = transport_to(core.url)
        node = CoreNode(transport)
        assert node.header(node.hash_at(3)) == core.chain()[3].raw[:80]
        transport.close()


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("getblockchaininfo", "[]"),
        ("getblockchaininfo", '{"chain":"regtest","blocks":-1}'),
        ("getchainstates", '{"chainstates":[]}'),
        ("getchainstates", '{"chainstates":[{"validated":1}]}'),
        ("getblockhash", '"ABCD"'),
        ("getblockhash", "null"),
        ("getblockheader", '"00"'),
        ("gettxoutsetinfo", '{"bestblock":null}'),
        ("getchaintips", '[{"height":1.5}]'),
        ("getchaintips", '{"height":1,"height":1}'),
        ("getchaintips", '[{"height":1e999999999999}]'),
        ("getindexinfo", '{"txindex":true}'),
        ("getnetworkinfo", '{"subversion":5}'),
    ],
)
def test_an_answer_that_is_not_as_documented_is_malformed(
    core: RecordedCore, node: CoreNode, method: str, answer: str
) -> None:
    core.overrides[method] = answer
    ask = {
        "getblockchaininfo": node.chain_info,
        "getchainstates": node.is_validated,
        "getblockhash": lambda: node.hash_at(1),
        "getblockheader": lambda: node.header(NOBODY),
        "gettxoutsetinfo": node.coin_set_digest,
        "getchaintips": node.tips,
        "getindexinfo": node.indexes,
        "getnetworkinfo": node.version,
    }[method]
    with pytest.raises(MalformedAnswer):
        ask()


COIN_ROW = '{"txid":"' + "11" * 32 + '","vout":0,"scriptPubKey":"51","amount":AMOUNT,"height":5,"coinbase":false}'


@pytest.mark.parametrize(
    "scan",
    [
        '{"success":false,"unspents":[],"total_amount":0,"height":1,"bestblock":"HASH"}',
        '{"success":true,"unspents":[ROW],"total_amount":0.00000002,"height":1,"bestblock":"HASH"}',
        '{"success":true,"unspents":[ROW,ROW],"total_amount":0.00000002,"height":1,"bestblock":"HASH"}',
        '{"success":true,"unspents":[ROW],"total_amount":0.00000001,"height":1,"bestblock":5}',
        '{"success":true,"unspents":[OTHER],"total_amount":0.00000001,"height":1,"bestblock":"HASH"}',
    ],
)
def test_a_scan_that_contradicts_itself_is_malformed(core: RecordedCore, node: CoreNode, scan: str) -> None:
    row = COIN_ROW.replace("AMOUNT", "0.00000001")

    def filled(text: str) -> str:
        return text.replace("ROW", row).replace("OTHER", row.replace('"51"', '"52"')).replace("HASH", "22" * 32)

    core.overrides["scantxoutset"] = filled(
        '{"success":true,"unspents":[ROW],"total_amount":0.00000001,"height":1,"bestblock":"HASH"}'
    )
    assert node.scan_coins([b"\x51"]).coins[0].value == 1
    core.overrides["scantxoutset"] = filled(scan)
    with pytest.raises(MalformedAnswer):
        node.scan_coins([b"\x51"])


# Amounts -----------------------------------------------------------------------------------------------------------


@pytest.mark.fault("A44")
@pytest.mark.parametrize(
    ("text", "found"),
    [("0.00000001", 1), ("20.99999999", 2_099_999_999), ("21000000.00000000", 2_100_000_000_000_000), ("1E-8", 1)],
)
def test_amounts_are_exact(text: str, found: int) -> None:
    assert satoshis(Decimal(text)) == found
    assert satoshis(0) == 0
    assert satoshis(50) == 5_000_000_000


@pytest.mark.fault("A44")
@pytest.mark.parametrize(
    "answer",
    [
        *(0.1, True, "1", None, -1, 10**30, Decimal("-0.1"), Decimal("0.000000001"), Decimal("21000000.00000001")),
        *(Decimal("1e999999"), Decimal("NaN"), Decimal("Infinity")),
    ],
)
def test_an_amount_that_cannot_be_is_malformed(answer: object) -> None:
    with pytest.raises(MalformedAnswer):
        satoshis(answer)


@pytest.mark.fault("A44")
def test_no_float_comes_out_of_an_answer(node: CoreNode) -> None:
    transport = node._transport
    answer = transport.call("getblockchaininfo")
    assert isinstance(answer, dict)
    assert answer["difficulty"] == Decimal("4.656542373906925E-10")


@pytest.mark.parametrize(
    "path", ["../rest", "rest/../x", "/rest", "rest//x", "rest/x?n=1", "rest/x y", "http://h/x", ""]
)
def test_no_path_leads_elsewhere(node: CoreNode, path: str) -> None:
    with pytest.raises(ValueError, match="no plain path"):
        node._transport.get(path)


def test_errors_carry_no_address(core: RecordedCore) -> None:
    transport = transport_to("http://verifier:regtest-only@127.0.0.1:1/")
    with pytest.raises(ReadError) as caught:
        CoreNode(transport).block(NOBODY)
    assert "regtest-only" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
    transport.close()
