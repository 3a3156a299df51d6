"""How other nodes than Ethereum's depart from JSON-RPC 2.0, and that Ethereum's may not."""

from __future__ import annotations

import json
from decimal import Decimal

import httpx2
import pytest

from chains.bitcoin.failures import BITCOIN_CORE, failure_kind
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
from chains.jsonrpc import STANDARD, Dialect, RpcFailure, decode_batch, decode_call, parse_strictly
from chains.reader import NodeConfig, ReadLimits
from chains.transport import JsonRpcTransport
from tests.chains.test_transport import CANARY, NODE, Clock, Handler, always, in_turn


def transport_to(handler: Handler, dialect: Dialect, clock: Clock | None = None) -> JsonRpcTransport:
    clock = clock or Clock()
    return JsonRpcTransport(
        NODE,
        ReadLimits(attempts_max=3),
        dialect=dialect,
        http=httpx2.MockTransport(handler),
        monotonic=clock.monotonic,
        sleep=clock.sleep,
        jitter=lambda: 0.5,
    )


LEGACY_ERROR = b'{"result":null,"error":{"code":-8,"message":"Block height out of range"},"id":1}'


def test_the_form_of_1_0_is_understood_only_where_it_is_spoken() -> None:
    for body, wanted in (
        (b'{"result":5,"error":null,"id":1}', 5),
        (b'{"result":null,"error":null,"id":1}', None),
        (b'{"jsonrpc":"2.0","result":5,"id":1}', 5),
        (LEGACY_ERROR, RpcFailure(-8, "Block height out of range")),
    ):
        assert decode_call(body, 1, dialect=BITCOIN_CORE) == wanted
    with pytest.raises(MalformedAnswer):
        decode_call(b'{"result":5,"error":null,"id":1}', 1, dialect=STANDARD)
    assert decode_batch(
        b'[{"result":1,"error":null,"id":4},{"jsonrpc":"2.0","result":2,"id":3}]', 3, 2, dialect=BITCOIN_CORE
    ) == [
        2,
        1,
    ]


@pytest.mark.parametrize(
    "body",
    [
        b'{"result":5,"id":1}',
        b'{"error":{"code":1,"message":"x"},"id":1}',
        b'{"result":5,"error":{"code":1,"message":"x"},"id":1}',
        b'{"result":5,"error":null,"id":2}',
        b'{"result":5,"error":null}',
        b'{"result":null,"error":"x","id":1}',
        b'{"jsonrpc":"1.1","result":5,"error":null,"id":1}',
        b'{"jsonrpc":"2.0","result":5,"error":null,"id":1}',
    ],
)
def test_half_an_answer_of_1_0_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        decode_call(body, 1, dialect=BITCOIN_CORE)


@pytest.mark.fault("A44")
def test_fractions_are_decimals_or_nothing() -> None:
    assert parse_strictly(b'{"a":0.10000000}', has_decimals=True) == {"a": Decimal("0.10000000")}
    found = parse_strictly(b"[0.1,4.656542373906925e-10,5,1e2]", has_decimals=True)
    assert isinstance(found, list)
    assert [type(value) for value in found] == [Decimal, Decimal, int, Decimal]
    with pytest.raises(MalformedAnswer):
        parse_strictly(b"[0.1]")
    for bad in (
        b'{"a":1,"a":1}',
        b"[NaN]",
        b"[Infinity]",
        b"[1" + b"0" * 5000 + b"]",
        b"[" * 300 + b"]" * 300,
        b"[0.1",
    ):
        with pytest.raises(MalformedAnswer):
            parse_strictly(bad, has_decimals=True)


def test_an_error_under_http_500_is_the_calls_own() -> None:
    clock = Clock()
    transport = transport_to(always(500, LEGACY_ERROR), BITCOIN_CORE, clock)
    with pytest.raises(StaleHead):
        transport.call("getblockhash", 9)
    assert (transport.requests_sent, clock.waits) == (1, [])
    standard = transport_to(always(500, LEGACY_ERROR), STANDARD)
    with pytest.raises(NodeUnavailable):
        standard.call("eth_call")
    assert standard.requests_sent == 3


def test_another_body_under_http_500_is_a_failure_of_the_server() -> None:
    for body in (b"<html>", b"", b'{"message":"no upstream"}'):
        transport = transport_to(always(500, body), BITCOIN_CORE)
        with pytest.raises(NodeUnavailable):
            transport.call("getblockhash", 9)
        assert transport.requests_sent == 3


def test_a_node_that_starts_is_waited_for() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        asked = json.loads(request.content)
        return httpx2.Response(200, json={"jsonrpc": "2.0", "result": 7, "id": asked["id"]})

    def starting(request: httpx2.Request) -> httpx2.Response:
        asked = json.loads(request.content)
        error = {"code": -28, "message": "Loading block index…"}
        return httpx2.Response(500, json={"result": None, "error": error, "id": asked["id"]})

    clock = Clock()
    assert transport_to(in_turn(starting, answer), BITCOIN_CORE, clock).call("getblockcount") == 7
    assert len(clock.waits) == 1
    with pytest.raises(NodeUnavailable):
        transport_to(starting, BITCOIN_CORE).call("getblockcount")


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (-28, "Loading banlist…", NodeUnavailable),
        (-10, "Bitcoin is in initial sync", NodeUnavailable),
        (-8, 'Scan already in progress, use action "abort" or "status"', NodeUnavailable),
        (-8, "Block height out of range", StaleHead),
        (-5, "Block not found", ChainMoved),
        (-8, "Block is not in main chain", ChainMoved),
        (-1, "Block not available (pruned data)", StateUnavailable),
        (-32603, "Unable to read UTXO set", StateUnavailable),
        (-8, "Querying specific block heights requires coinstatsindex", UnsupportedByNode),
        (-32601, "Method not found", UnsupportedByNode),
        (-3, "Wrong type passed", NodeRefused),
    ],
)
def test_what_cores_errors_mean(code: int, message: str, kind: type[ReadError]) -> None:
    assert failure_kind(RpcFailure(code, message)) is kind


# Resources ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("http://user:secret@127.0.0.1:8332", "http://127.0.0.1:8332/rest/block/00ff.bin"),
        ("http://user:secret@127.0.0.1:8332/", "http://127.0.0.1:8332/rest/block/00ff.bin"),
        ("https://host.example/btc/key%2F1/", "https://host.example/btc/key%2F1/rest/block/00ff.bin"),
        ("https://host.example/btc?key=k", "https://host.example/btc/rest/block/00ff.bin?key=k"),
    ],
)
def test_a_resource_lies_below_the_url(url: str, wanted: str) -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, stream=httpx2.ByteStream(b"\x00\xff"))

    transport = JsonRpcTransport(NodeConfig("n1", "operator-1", url), ReadLimits(), http=httpx2.MockTransport(answer))
    found = transport.get("rest/block/00ff.bin")
    assert (found.status, found.body) == (200, b"\x00\xff")
    (request,) = seen
    assert (request.method, str(request.url)) == ("GET", wanted)
    assert request.headers["accept"] == "application/octet-stream"
    assert "content-type" not in request.headers
    assert ("authorization" in request.headers) == ("secret" in url)


def test_resources_have_the_limits_of_calls() -> None:
    clock = Clock()
    transport = transport_to(in_turn(always(503, b"Work queue depth exceeded"), always(200, b"x")), STANDARD, clock)
    assert transport.get("rest/x").body == b"x"
    assert len(clock.waits) == 1
    assert transport_to(always(404, b"not found"), STANDARD).get("rest/x").status == 404
    with pytest.raises(MalformedAnswer):
        transport_to(always(302, b"", {"location": "https://elsewhere.example/"}), STANDARD).get("rest/x")
    too_long = JsonRpcTransport(NODE, ReadLimits(body_bytes_max=10), http=httpx2.MockTransport(always(200, b"x" * 11)))
    with pytest.raises(MalformedAnswer) as caught:
        too_long.get("rest/x")
    assert CANARY not in str(caught.value)
