"""A JSON-RPC proxy on loopback that passes a node's answers through, and lies where it is told to.

Stock lies are in `chains.devnet.lies`; any function of the same form will do. The proxy is a real HTTP server:
what reads through it sees real sockets, status codes and truncated bodies.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any

from chains.devnet.loopback_server import LoopbackServer
from chains.devnet.post import post

Answer = dict[str, Any]
"""One JSON-RPC answer: `jsonrpc`, `id`, and `result` or `error`."""

Lie = Callable[[str, list[Any], Answer], Answer | list[Answer]]
"""(method, params, true answer) -> what is answered instead: an answer, several of them, or none (`[]`).

Returns the same object where it does not lie; it must not change the one it was given.
"""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply, and how badly it is delivered."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    delay_seconds: float = 0.0
    """Wait this long before the first byte."""
    cut_after_bytes: int | None = None
    """Close the connection after this much of the body, though Content-Length promised all of it."""
    drip_seconds: float = 0.0
    """Send the body byte by byte with this pause between; 0 sends it whole."""


ReplyLie = Callable[[list[Answer], Reply], Reply]
"""(the calls of the request, the reply about to be sent) -> the reply that is sent."""


@dataclass(frozen=True, slots=True)
class SeenCall:
    """A call that reached the proxy."""

    method: str
    params: list[Any] = field(default_factory=list)


class LyingProxy:
    """Serves `url`, answering as the node at `target_url` does except for the lies.

    `lies` and `reply_lies` are applied in order and may be exchanged while it runs. A lie that raises makes a
    status 500 whose body says so, and `errors` holds the exception.
    """

    def __init__(
        self,
        target_url: str,
        lies: Iterable[Lie] = (),
        *,
        reply_lies: Iterable[ReplyLie] = (),
        timeout_seconds: float = 120.0,
    ) -> None:
        self.lies: list[Lie] = list(lies)
        self.reply_lies: list[ReplyLie] = list(reply_lies)
        self.seen: list[SeenCall] = []
        """Every call that reached the proxy, oldest first."""
        self.requests_received = 0
        """HTTP requests that reached the proxy; a batch is one."""
        self.errors: list[Exception] = []
        self._target_url = target_url
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where the proxy listens."""
        if self._server is None:
            raise RuntimeError("the proxy is not running: use it as a context, or call start()")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> LyingProxy:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> LyingProxy:
        """Begin to serve on a free loopback port."""
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="lying-proxy", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving; delays in progress are cut short. Safe to call twice."""
        self._stopping.set()
        server, thread, self._server = self._server, self._thread, None
        if server is not None and thread is not None:
            server.shutdown()
            thread.join()
            server.hang_up()
            server.server_close()

    def wait(self, seconds: float) -> None:
        """Sleep, but no longer than the proxy runs."""
        self._stopping.wait(seconds)

    def reply_to(self, body: bytes) -> Reply:
        """What is sent for one request body."""
        calls = _calls(body)
        with self._lock:
            self.requests_received += 1
            self.seen += [SeenCall(str(call.get("method")), list(call.get("params") or [])) for call in calls]
        try:
            reply = self._with_lies(calls, exchange(self._target_url, body, self._timeout_seconds))
            for reply_lie in self.reply_lies:
                reply = reply_lie(calls, reply)
        except Exception as error:  # noqa: BLE001 - a lie may be anybody's function; its failure belongs to the test
            self.errors.append(error)
            return Reply(500, f"a lie failed: {type(error).__name__}: {error}".encode())
        return reply

    def _with_lies(self, calls: Sequence[Answer], reply: Reply) -> Reply:
        """Apply the lies to every answer; a reply in which none lied keeps its bytes."""
        if not self.lies or reply.status != 200:
            return reply
        document = json.loads(reply.body)
        by_id = {json.dumps(call.get("id")): call for call in calls}
        told: list[Answer] = []
        truths = document if isinstance(document, list) else [document]
        for truth in truths:
            call = by_id.get(json.dumps(truth.get("id")), {})
            answers = [truth]
            for lie in self.lies:
                method, params = str(call.get("method")), list(call.get("params") or [])
                answers = [each for answer in answers for each in _as_list(lie(method, params, answer))]
            told += answers
        if len(told) == len(truths) and all(one is other for one, other in zip(told, truths, strict=True)):
            return reply
        if not isinstance(document, list) and len(told) == 1:
            return replace(reply, body=json.dumps(told[0]).encode())
        # Nothing to answer to a single call leaves an empty body, as a server does that lost it.
        return replace(reply, body=json.dumps(told).encode() if isinstance(document, list) or told else b"")


def exchange(url: str, body: bytes, timeout_seconds: float = 120.0) -> Reply:
    """Send a request body to a node and return its reply, error statuses too; raise `PostFailed` without one."""
    status, content_type, payload = post(url, body, timeout_seconds)
    return Reply(status, payload, (("Content-Type", content_type),))


def ask(url: str, method: str, params: Sequence[Any]) -> Answer:
    """The node's whole answer to one call, for lies that need another truth than the one that was asked for."""
    call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    answer: Answer = json.loads(exchange(url, json.dumps(call).encode()).body)
    return answer


class _Server(LoopbackServer):
    def __init__(self, proxy: LyingProxy) -> None:
        self.proxy = proxy
        super().__init__(0, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        proxy = self.server.proxy
        reply = proxy.reply_to(body)
        if reply.delay_seconds:
            proxy.wait(reply.delay_seconds)
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        sent = reply.body if reply.cut_after_bytes is None else reply.body[: reply.cut_after_bytes]
        if reply.drip_seconds:
            for position in range(len(sent)):
                self.wfile.write(sent[position : position + 1])
                proxy.wait(reply.drip_seconds)
        else:
            self.wfile.write(sent)
        if len(sent) < len(reply.body):
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Quiet: tests look at `seen`."""


def _calls(body: bytes) -> list[Answer]:
    try:
        document = json.loads(body)
    except ValueError:
        return []
    calls = document if isinstance(document, list) else [document]
    return [call for call in calls if isinstance(call, dict)]


def _as_list(told: Answer | list[Answer]) -> list[Answer]:
    return told if isinstance(told, list) else [told]
