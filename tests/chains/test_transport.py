"""The transport against scripted nodes: attribution, limits, retries on a clock of the test, and secrets."""

from __future__ import annotations

import gzip
import io
import json
import logging
import ssl
import traceback
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpcore2
import httpx2
import pytest
import structlog

from chains.errors import (
    ChainConfigError,
    ChainError,
    MalformedAnswer,
    NodeRefused,
    NodeUnavailable,
    RangeTooLarge,
    ReadError,
    StateUnavailable,
    UnsupportedByNode,
)
from chains.network import DeadlinePassed, RefusedPeer
from chains.reader import NodeConfig, ReadLimits
from chains.transport import JsonRpcTransport, RpcCall

Handler = Callable[[httpx2.Request], httpx2.Response]

CANARY = "canary0secret0value"
HEADER_CANARY = "canary0header0value"
NODE = NodeConfig(
    "n1", "operator-1", f"https://canary0host0name.example/v3/{CANARY}?key={CANARY}q", (("X-Key", HEADER_CANARY),)
)


@dataclass
class Clock:
    """Time that passes only when a test or the transport's own waiting lets it."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def transport_to(
    handler: Handler, clock: Clock | None = None, *, node: NodeConfig = NODE, **limits: Any
) -> JsonRpcTransport:
    clock = clock or Clock()
    return JsonRpcTransport(
        node,
        ReadLimits(**limits),
        http=httpx2.MockTransport(handler),
        monotonic=clock.monotonic,
        sleep=clock.sleep,
        jitter=lambda: 0.5,
    )


def answer_all(request: httpx2.Request) -> httpx2.Response:
    """A well-behaved node: each call's result is its own first parameter."""
    asked = json.loads(request.content)
    answers = [{"jsonrpc": "2.0", "id": one["id"], "result": one["params"][0]} for one in in_list(asked)]
    return httpx2.Response(200, json=answers if isinstance(asked, list) else answers[0])


def in_list(asked: Any) -> list[Any]:
    return asked if isinstance(asked, list) else [asked]


def always(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Handler:
    """The same answer to everything; as a stream, so that the client does not read it before the transport does."""
    return lambda _: httpx2.Response(status, stream=httpx2.ByteStream(body), headers=headers)


def in_turn(*handlers: Handler) -> Handler:
    """The first request to the first handler, and so on; the last answers all that follow."""
    left = list(handlers)

    def handle(request: httpx2.Request) -> httpx2.Response:
        return (left.pop(0) if len(left) > 1 else left[0])(request)

    return handle


def raising(error: Exception) -> Handler:
    def handle(_: httpx2.Request) -> httpx2.Response:
        raise error

    return handle


def calls(count: int) -> list[RpcCall]:
    return [RpcCall("echo", (hex(place),)) for place in range(count)]


def results(count: int) -> list[str]:
    return [hex(place) for place in range(count)]


# What works -------------------------------------------------------------------------------------------------------


def test_a_call_and_its_headers() -> None:
    seen: list[httpx2.Request] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return answer_all(request)

    transport = transport_to(handle)
    assert transport.call("echo", "0x5") == "0x5"
    assert seen[0].headers["x-key"] == HEADER_CANARY
    assert seen[0].headers["content-type"] == "application/json"
    assert seen[0].headers["accept-encoding"] == "gzip"
    assert transport.requests_sent == 1
    assert transport.bytes_received > 0


def test_ids_are_never_used_twice() -> None:
    seen: list[int] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.extend(one["id"] for one in in_list(json.loads(request.content)))
        return answer_all(request)

    transport = transport_to(handle, batch_size_max=4)
    for _ in range(3):
        transport.call("echo", "0x1")
        transport.batch(calls(10))
    assert len(seen) == 33
    assert len(set(seen)) == 33


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 9, 10])
def test_batches_of_any_length_keep_their_order(count: int) -> None:
    transport = transport_to(answer_all, batch_size_max=3)
    assert transport.batch(calls(count)) == results(count)
    assert transport.requests_sent == -(-count // 3)


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "identity"])
def test_compressed_answers_are_read(coding: str) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"result":"0x5"}'
    content = body if coding == "identity" else gzip.compress(body)
    transport = transport_to(always(200, content, {"content-encoding": coding}))
    assert transport.call("echo") == "0x5"


# Attribution ------------------------------------------------------------------------------------------------------


def rearranged(change: Callable[[list[Any]], object]) -> Handler:
    """A node that does something to the list of its answers."""

    def handle(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=change(json.loads(answer_all(request).content)))

    return handle


@pytest.mark.fault("A7")
def test_reordered_answers_reach_their_calls() -> None:
    assert transport_to(rearranged(lambda answers: answers[::-1])).batch(calls(5)) == results(5)


@pytest.mark.fault("A8")
@pytest.mark.parametrize(
    "change",
    [
        lambda answers: answers[:-1],
        lambda answers: [*answers, answers[0]],
        lambda answers: [*answers[:-1], answers[0]],
        lambda answers: [*answers[:-1], {**answers[-1], "id": 999}],
        lambda answers: [*answers[:-1], {**answers[-1], "id": None}],
    ],
    ids=["missing", "one too many", "duplicated", "foreign", "null"],
)
def test_nothing_of_a_batch_is_used_when_one_answer_is_astray(change: Callable[[list[Any]], object]) -> None:
    transport = transport_to(rearranged(change))
    with pytest.raises(MalformedAnswer):
        transport.batch(calls(4))
    assert transport.requests_sent == 1


@pytest.mark.fault("A9")
def test_failed_items_leave_the_good_ones() -> None:
    def fail_second(answers: list[Any]) -> object:
        error = {"code": -32000, "message": "missing trie node"}
        return [answers[0], {"jsonrpc": "2.0", "id": answers[1]["id"], "error": error}, answers[2]]

    outcomes = transport_to(rearranged(fail_second)).batch(calls(3))
    assert outcomes[0::2] == ["0x0", "0x2"]
    assert isinstance(outcomes[1], StateUnavailable)
    assert outcomes[1].rpc_code == -32000


def without_batches(refusal: httpx2.Response, size_max: int = 1) -> Handler:
    """A node that refuses batches above a size."""

    def handle(request: httpx2.Request) -> httpx2.Response:
        asked = json.loads(request.content)
        if isinstance(asked, list) and len(asked) > size_max:
            return httpx2.Response(refusal.status_code, content=refusal.content)
        return answer_all(request)

    return handle


REFUSAL = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batch requests are not supported"}}


@pytest.mark.fault("A10")
@pytest.mark.parametrize(
    "refusal",
    [
        httpx2.Response(200, json=REFUSAL),
        httpx2.Response(200, json=[REFUSAL]),
        httpx2.Response(400, json=REFUSAL),
        httpx2.Response(413, content=b"<html>too large</html>"),
        httpx2.Response(405),
    ],
)
@pytest.mark.parametrize("size_max", [1, 3])
def test_a_refused_batch_is_asked_smaller_and_that_is_remembered(refusal: httpx2.Response, size_max: int) -> None:
    transport = transport_to(without_batches(refusal, size_max), batch_size_max=8)
    assert transport.batch(calls(10)) == results(10)
    before = transport.requests_sent
    assert transport.batch(calls(10)) == results(10)
    assert transport.requests_sent - before == (10 if size_max == 1 else 5)


@pytest.mark.fault("A10")
def test_a_node_that_refuses_single_calls_too_yields_errors_not_results() -> None:
    outcomes = transport_to(always(400, json.dumps(REFUSAL).encode())).batch(calls(3))
    assert [type(outcome) for outcome in outcomes] == [NodeRefused] * 3


# No usable answer -------------------------------------------------------------------------------------------------

NETWORK_ERRORS = [
    httpx2.ConnectError(f"refused {NODE.url}"),
    httpx2.ReadTimeout(f"late {NODE.url}"),
    httpx2.RemoteProtocolError(f"closed {NODE.url}"),
    httpcore2.ConnectError(f"[Errno -2] Name or service not known {NODE.url}"),
    httpcore2.ReadError(f"reset {NODE.url}"),
    httpcore2.ConnectTimeout(f"late {NODE.url}"),
    OSError(f"broken {NODE.url}"),
    UnicodeError(f"label too long {NODE.url}"),
]


@pytest.mark.fault("A1", "A2")
@pytest.mark.parametrize("error", NETWORK_ERRORS, ids=lambda error: type(error).__name__)
def test_network_errors_are_tried_again_then_given_up(error: Exception) -> None:
    clock = Clock()
    transport = transport_to(raising(error), clock, attempts_max=3)
    with pytest.raises(NodeUnavailable, match="node n1"):
        transport.call("echo", "0x1")
    assert transport.requests_sent == 3
    assert len(clock.waits) == 2
    assert 0 < clock.waits[0] < clock.waits[1]


@pytest.mark.fault("A1")
@pytest.mark.parametrize("error", NETWORK_ERRORS, ids=lambda error: type(error).__name__)
def test_a_passing_network_error_is_survived(error: Exception) -> None:
    assert transport_to(in_turn(raising(error), answer_all)).call("echo", "0x7") == "0x7"


@pytest.mark.fault("A14")
def test_a_certificate_is_not_tried_again() -> None:
    error = httpcore2.ConnectError("certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError(f"Hostname mismatch for {NODE.url}")
    transport = transport_to(raising(error))
    with pytest.raises(NodeUnavailable, match="certificate"):
        transport.call("echo")
    assert transport.requests_sent == 1


@pytest.mark.fault("A5")
@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_server_errors_are_tried_again_then_given_up(status: int) -> None:
    transport = transport_to(always(status, b"<html>oops</html>"), attempts_max=4)
    with pytest.raises(NodeUnavailable, match=f"HTTP {status}"):
        transport.batch(calls(2))
    assert transport.requests_sent == 4
    assert transport_to(in_turn(always(status), answer_all)).call("echo", "0x7") == "0x7"


@pytest.mark.fault("A5", "A6")
@pytest.mark.parametrize(
    "body", [b"", b"<html>busy</html>", b'{"jsonrpc":"2.0","id":1,"resu', b'[{"jsonrpc":"2.0","id":1,"result":"0x1"}']
)
def test_a_body_that_is_no_answer_is_malformed_and_not_tried_again(body: bytes) -> None:
    single, several = transport_to(always(200, body)), transport_to(always(200, body))
    with pytest.raises(MalformedAnswer, match="node n1"):
        single.call("echo")
    with pytest.raises(MalformedAnswer, match="node n1"):
        several.batch(calls(2))
    assert single.requests_sent == several.requests_sent == 1


@pytest.mark.fault("A5")
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b"", NodeRefused),
        (403, b"<html>", NodeRefused),
        (413, b"", RangeTooLarge),
        (404, b'{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}', UnsupportedByNode),
        (400, b'{"jsonrpc":"2.0","id":1,"result":"0x1"}', NodeRefused),
    ],
)
def test_other_refusals_are_final(status: int, body: bytes, kind: type[ReadError]) -> None:
    transport = transport_to(always(status, body))
    with pytest.raises(kind) as caught:
        transport.call("echo")
    assert type(caught.value) is kind
    assert transport.requests_sent == 1


def test_a_refused_key_fails_the_batch_at_once() -> None:
    transport = transport_to(always(401))
    with pytest.raises(NodeRefused, match="HTTP 401"):
        transport.batch(calls(4))
    assert transport.requests_sent == 1


@pytest.mark.fault("A13", "F13")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_refused(status: int) -> None:
    def handle(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "elsewhere.example":
            return answer_all(request)
        return httpx2.Response(status, headers={"location": "https://elsewhere.example/"})

    transport = transport_to(handle)
    with pytest.raises(MalformedAnswer, match="redirect"):
        transport.call("echo", "0x1")
    assert transport.requests_sent == 1


# Size -------------------------------------------------------------------------------------------------------------


def body_of(size: int) -> bytes:
    frame = b'{"jsonrpc":"2.0","id":1,"result":""}'
    return frame[:-2] + b"x" * (size - len(frame)) + frame[-2:]


@pytest.mark.fault("A6")
@pytest.mark.parametrize("compressed", [False, True])
def test_the_size_limit_is_exact(compressed: bool) -> None:
    def answer(size: int) -> Handler:
        body = body_of(size)
        return always(200, gzip.compress(body), {"content-encoding": "gzip"}) if compressed else always(200, body)

    assert transport_to(answer(1000), body_bytes_max=1000).call("echo") == "x" * (1000 - 36)
    with pytest.raises(MalformedAnswer, match="more than 1000 bytes"):
        transport_to(answer(1001), body_bytes_max=1000).call("echo")


class Pieces(httpx2.SyncByteStream):
    """A body that comes in pieces, and remembers how many were taken."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.taken = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.taken += 1
            yield piece

    def close(self) -> None:
        self.closed = True


@pytest.mark.fault("A6")
def test_reading_stops_at_the_limit() -> None:
    endless = Pieces(iter(lambda: b"x" * 1000, None))
    transport = transport_to(lambda _: httpx2.Response(200, stream=endless), body_bytes_max=10_000)
    with pytest.raises(MalformedAnswer, match="more than"):
        transport.call("echo")
    assert endless.taken == 11
    assert endless.closed


@pytest.mark.fault("A6")
def test_a_gzip_bomb_is_stopped_before_it_unfolds() -> None:
    squeezer = zlib.compressobj(wbits=31)
    bomb = b"".join(squeezer.compress(bytes(1 << 20)) for _ in range(256)) + squeezer.flush()
    transport = transport_to(always(200, bomb, {"content-encoding": "gzip"}), body_bytes_max=1 << 16)
    tracemalloc.start()
    try:
        with pytest.raises(MalformedAnswer, match="more than 65536 bytes"):
            transport.call("echo")
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.fault("A6")
@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", b"not gzip"),
        ("gzip", gzip.compress(body_of(100), mtime=0)[:-9]),
        ("gzip", gzip.compress(body_of(100), mtime=0) + b"behind"),
        ("gzip", b""),
        ("br", body_of(100)),
        ("gzip, gzip", gzip.compress(gzip.compress(body_of(100), mtime=0), mtime=0)),
    ],
)
def test_broken_or_unasked_compression_is_malformed(coding: str, body: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        transport_to(always(200, body, {"content-encoding": coding})).call("echo")


# Time -------------------------------------------------------------------------------------------------------------


@pytest.mark.fault("A4")
@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("1", 1.1875),
        (" 2 ", 2.1875),
        ("Sun, 06 Nov 1994 08:49:40 GMT", 3.1875),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0.1875),
        ("0", 0.1875),
        ("1000000000", 10.0),
        ("9" * 5000, 10.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 10.0),
        ("-5", 0.1875),
        ("1.5", 0.1875),
        ("soon", 0.1875),
        ("", 0.1875),
        (None, 0.1875),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_heeded_within_the_limit(status: int, retry_after: str | None, seconds: float) -> None:
    clock = Clock()
    headers = {"date": "Sun, 06 Nov 1994 08:49:37 GMT"}
    if retry_after is not None:
        headers["retry-after"] = retry_after
    transport = transport_to(in_turn(always(status, b"", headers), answer_all), clock, retry_wait_seconds_max=10.0)
    assert transport.call("echo", "0x1") == "0x1"
    assert clock.waits == [pytest.approx(seconds)]


@pytest.mark.fault("A4")
def test_a_busy_node_does_not_make_a_busy_loop() -> None:
    clock = Clock()
    transport = transport_to(always(429, headers={"retry-after": "0"}), clock, attempts_max=5)
    with pytest.raises(NodeUnavailable, match="HTTP 429"):
        transport.call("echo")
    assert transport.requests_sent == 5
    assert all(wait > 0.1 for wait in clock.waits)


@pytest.mark.fault("A4", "A2")
def test_the_budget_of_a_sweep_ends_the_waiting() -> None:
    clock = Clock()
    transport = transport_to(always(429, headers={"retry-after": "5"}), clock, attempts_max=100)
    transport.start_budget(12.0)
    with pytest.raises(NodeUnavailable):
        transport.call("echo")
    assert clock.now <= 1012.0
    assert transport.requests_sent == 3


@pytest.mark.fault("A2", "A4")
def test_a_spent_budget_asks_nothing_and_a_new_one_asks_again() -> None:
    clock = Clock()
    transport = transport_to(answer_all, clock)
    transport.start_budget(5.0)
    assert transport.call("echo", "0x1") == "0x1"
    clock.now += 5.0
    with pytest.raises(NodeUnavailable, match="budget"):
        transport.call("echo", "0x1")
    assert transport.requests_sent == 1
    transport.start_budget(5.0)
    assert transport.call("echo", "0x1") == "0x1"


@pytest.mark.fault("A2", "A3")
@pytest.mark.parametrize(("budget_seconds", "reason", "pieces"), [(None, "within 60 seconds", 7), (25.0, "budget", 3)])
def test_a_drip_ends_at_the_deadline(budget_seconds: float | None, reason: str, pieces: int) -> None:
    clock = Clock()

    def drip() -> Iterator[bytes]:
        while True:
            yield b" "
            clock.now += 10.0

    body = Pieces(drip())
    transport = transport_to(lambda _: httpx2.Response(200, stream=body), clock)
    if budget_seconds is not None:
        transport.start_budget(budget_seconds)
    with pytest.raises(NodeUnavailable, match=reason):
        transport.call("echo")
    assert body.taken == pieces + (budget_seconds is not None)
    assert body.closed
    assert transport.requests_sent == 1


@pytest.mark.fault("A2")
def test_the_deadline_covers_all_tries_of_a_call() -> None:
    clock = Clock()

    def slow_failure(_: httpx2.Request) -> httpx2.Response:
        clock.now += 20.0
        raise httpx2.ReadTimeout("late")

    transport = transport_to(slow_failure, clock, attempts_max=100)
    with pytest.raises(NodeUnavailable):
        transport.call("echo")
    assert transport.requests_sent == 3
    assert clock.now < 1061.0


def throttling(times: int) -> Handler:
    """A node that answers HTTP 200 but refuses every second call of a batch for coming too fast, so many times."""
    left = times

    def handle(request: httpx2.Request) -> httpx2.Response:
        nonlocal left
        answers = in_list(json.loads(answer_all(request).content))
        if left:
            left -= 1
            for answer in answers[::2]:
                del answer["result"]
                answer["error"] = {"code": 429, "message": "compute units per second"}
        return httpx2.Response(200, json=answers if request.content.startswith(b"[") else answers[0])

    return handle


@pytest.mark.fault("A4", "A9")
def test_throttled_calls_of_a_batch_are_asked_again_alone() -> None:
    clock = Clock()
    transport = transport_to(throttling(2), clock)
    assert transport.batch(calls(8)) == results(8)
    assert transport.requests_sent == 3
    assert len(clock.waits) == 2


@pytest.mark.fault("A4", "A9")
def test_calls_that_stay_throttled_are_errors_beside_the_good_ones() -> None:
    clock = Clock()
    outcomes = transport_to(throttling(1000), clock, attempts_max=2).batch(calls(4))
    assert [type(outcome) for outcome in outcomes] == [NodeUnavailable, str, str, str]
    assert len(clock.waits) == 1
    with pytest.raises(NodeUnavailable):
        transport_to(throttling(1000), attempts_max=2).call("echo", "0x1")


@pytest.mark.fault("A2", "A9")
def test_a_node_that_goes_silent_half_way_keeps_what_it_answered() -> None:
    handler = in_turn(answer_all, answer_all, raising(httpx2.ConnectError("gone")))
    outcomes = transport_to(handler, batch_size_max=2, attempts_max=2).batch(calls(7))
    assert outcomes[:4] == results(4)
    assert [type(outcome) for outcome in outcomes[4:]] == [NodeUnavailable] * 3


# Configuration and secrets ----------------------------------------------------------------------------------------


@pytest.mark.fault("A14", "F13")
@pytest.mark.parametrize(
    "url",
    [
        "http://node.example/",
        "http://10.0.0.7:8545",
        "http://169.254.169.254/latest",
        "http://[::ffff:10.0.0.7]:8545",
        "http://127.0.0.1.node.example",
        "http://localhost.node.example",
        "http://localhost@node.example/",
        "http://0.0.0.0:8545",
        "http://2130706433/",
        "http://anvil:8545",
        "ftp://localhost/",
        "file:///etc/passwd",
        "ws://localhost:8545",
        "localhost:8545",
        "",
        "https://",
        "https:///path",
        "https://node.example:99999/",
        "https://node.example:0/",
        "https://node.example/a b",
        "https://node.example\\@localhost/",
        "https://node.example/\n",
        "https://nöde.example/",
        "https://node.example/#part",
        "https://[::1",
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(ChainConfigError, match="node n1") as caught:
        transport_to(answer_all, node=NodeConfig("n1", "o", url))
    assert caught.value.__context__ is None or "example" not in repr(caught.value.__context__)
    assert "example" not in str(caught.value)


@pytest.mark.fault("A14", "F13")
@pytest.mark.parametrize(
    "url",
    [
        "https://node.example/v3/key",
        "https://10.0.0.7:8545",
        "http://localhost:8545",
        "http://LOCALHOST:8545",
        "http://127.0.0.1:8545",
        "http://127.8.8.8",
        "http://[::1]:8545/",
        "http://[::ffff:127.0.0.1]:8545",
        "http+insecure://anvil:8545",
        "HTTPS://node.example",
    ],
)
def test_urls_that_are_taken(url: str) -> None:
    assert transport_to(answer_all, node=NodeConfig("n1", "o", url)).call("echo", "0x1") == "0x1"


@pytest.mark.parametrize(
    "headers",
    [
        (("x-key", "a\r\nhost: b"),),
        (("x key", "a"),),
        (("", "a"),),
        (("x-key", "ä"),),
        (("Accept-Encoding", "br"),),
        (("Content-Length", "0"),),
    ],
)
def test_headers_that_are_refused(headers: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ChainConfigError, match=r"node n1: .*header"):
        transport_to(answer_all, node=NodeConfig("n1", "o", "https://node.example", headers))


def test_a_user_in_the_url_becomes_basic_authentication() -> None:
    seen: list[httpx2.Request] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return answer_all(request)

    transport_to(handle, node=NodeConfig("n1", "o", "https://maker:p%40ss@node.example/x")).call("echo", "0x1")
    assert seen[0].headers["authorization"] == "Basic bWFrZXI6cEBzcw=="
    assert str(seen[0].url) == "https://node.example/x"
    with pytest.raises(ChainConfigError, match="Authorization"):
        transport_to(handle, node=NodeConfig("n1", "o", "https://u:p@node.example", (("Authorization", "x"),)))


ECHO = f"{CANARY} {HEADER_CANARY} {NODE.url} canary0host0name.example"
CANARY_HANDLERS = [
    *[raising(error) for error in NETWORK_ERRORS],
    raising(DeadlinePassed(ECHO)),
    raising(RefusedPeer(ECHO)),
    always(302, ECHO.encode(), {"location": NODE.url}),
    always(429, ECHO.encode(), {"retry-after": CANARY}),
    always(500, ECHO.encode()),
    always(401, ECHO.encode()),
    always(200, ECHO.encode()),
    always(200, ECHO.encode(), {"content-encoding": CANARY}),
    always(200, ECHO.encode(), {"content-encoding": "gzip"}),
    always(200, json.dumps({"jsonrpc": CANARY, "id": CANARY}).encode()),
    always(200, json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": ECHO}}).encode()),
    always(200, json.dumps({"jsonrpc": "2.0", "id": None, "error": {"code": 3, "message": ECHO}}).encode()),
]


@pytest.mark.fault("F14", "A5")
@pytest.mark.parametrize("handler", CANARY_HANDLERS)
def test_no_secret_in_any_error_traceback_or_log(handler: Handler, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    written = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=written), cache_logger_on_first_use=False)
    errors: list[BaseException] = []
    try:
        transport = transport_to(handler, attempts_max=2)
        for count in (1, 2):
            try:
                errors += [outcome for outcome in transport.batch(calls(count)) if isinstance(outcome, BaseException)]
            except ChainError as error:
                errors.append(error)
    finally:
        structlog.reset_defaults()
    texts = [written.getvalue(), caplog.text, repr(transport), repr(NODE)]
    for raised in errors:
        texts += [repr(raised.__dict__), "".join(traceback.format_exception(raised))]
        link: BaseException | None = raised
        while link is not None:  # also what tracebacks hide
            texts += [str(link), repr(link)]
            link = link.__context__
    assert len(errors) >= 2
    assert not [text for text in texts if "canary" in text]


@pytest.mark.fault("A5", "F12")
def test_little_of_a_body_is_logged_and_nothing_unescaped() -> None:
    written = io.StringIO()
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(file=written),
        processors=[structlog.processors.JSONRenderer()],
        cache_logger_on_first_use=False,
    )
    try:
        with pytest.raises(NodeUnavailable):
            transport_to(always(500, b"\x1b[2J\n\xff" + b"page" * 10_000), attempts_max=1).call("echo")
        with pytest.raises(MalformedAnswer):
            transport_to(always(200, b"<html>" + b"page" * 10_000)).call("echo")
    finally:
        structlog.reset_defaults()
    bodies = [line["body"] for line in map(json.loads, written.getvalue().splitlines()) if "body" in line]
    assert len(bodies) == 2
    assert all(len(body) <= 200 and body.isprintable() for body in bodies)
    assert bodies[0].startswith(r"\x1b[2J\n\\xffpage")


def test_an_unconfigured_log_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.reset_defaults()
    with pytest.raises(NodeUnavailable):
        transport_to(always(500), attempts_max=2).call("echo")
    assert capsys.readouterr() == ("", "")


@pytest.mark.fault("F14")
@pytest.mark.parametrize("name", ["httpx2", "httpcore2", "httpcore2.http11", "httpcore2.connection"])
def test_the_http_clients_own_logs_stay_off(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)


def test_a_socketless_transport_can_be_closed() -> None:
    transport = transport_to(answer_all)
    transport.close()
    transport.close()
