"""The HTTP server in front of a test node: JSON-RPC with users and whitelists, REST without, on loopback only."""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Final

from chains.devnet.bitcoin.rest import HTML, JSON, HttpReply, rest_reply
from chains.devnet.bitcoin.rpc_calls import answer
from chains.devnet.bitcoin.rpc_methods import methods_of
from chains.devnet.bitcoin.state import NodeState
from chains.devnet.loopback_server import LoopbackServer

QUEUE_FULL: Final = HttpReply(503, b"Work queue depth exceeded")


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request that reached the front."""

    method: str
    target: str
    """Path and query."""
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class User:
    """Who may call; the password is for tests only."""

    password: str
    allowed: frozenset[str] | None = None
    """Methods of `-rpcwhitelist`; None for every method."""


Change = Callable[[SeenRequest, HttpReply], HttpReply]
"""(the request, the reply about to be sent) -> the reply that is sent: how a test makes the node lie or fail."""


@dataclass
class Front:
    """Serves a node's state on a free loopback port while it is started."""

    state: NodeState
    users: dict[str, User] = field(default_factory=lambda: {"tester": User(secrets.token_hex(16))})
    rest: bool = True
    """Whether REST is answered (`-rest`)."""
    changes: list[Change] = field(default_factory=list)
    seen: list[SeenRequest] = field(default_factory=list)
    """Every request, oldest first."""
    errors: list[Exception] = field(default_factory=list)
    """What failed in here, in a change or in the front itself; the client saw a status 500."""
    _server: _Server | None = None
    _thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        if self._server is None:
            raise RuntimeError("the front is not running: use it as a context, or call start()")
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Without credentials: for REST."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url_with_user(self) -> str:
        """With the first user's name and password."""
        name, user = next(iter(self.users.items()))
        return f"http://{name}:{user.password}@127.0.0.1:{self.port}"

    def __enter__(self) -> Front:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, port: int = 0) -> Front:
        """Begin to serve; port 0 takes a free one."""
        self._methods = methods_of(self.state)
        self._server = _Server(self, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="regtest", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving. Safe to call twice."""
        server, thread, self._server = self._server, self._thread, None
        if server is not None and thread is not None:
            server.shutdown()
            thread.join()
            server.hang_up()
            server.server_close()

    def reply_to(self, request: SeenRequest) -> HttpReply:
        """What is sent for one request."""
        self.seen.append(request)
        try:
            with self.state.lock:
                reply = self._true_reply(request)
            for change in self.changes:
                reply = change(request, reply)
        except Exception as error:  # noqa: BLE001 - a change may be anybody's function; its failure belongs to the test
            self.errors.append(error)
            return HttpReply(500, f"the front failed: {type(error).__name__}: {error}".encode())
        return reply

    def _true_reply(self, request: SeenRequest) -> HttpReply:
        if self.state.queue_full:
            return QUEUE_FULL
        if request.target.startswith("/rest/") and self.rest:
            return rest_reply(self.state, self._methods, request.target)
        if request.target != "/":
            return HttpReply(404)
        if request.method != "POST":
            return HttpReply(405, b"JSONRPC server handles only POST requests")
        user = self._user(request.headers.get("Authorization", ""))
        if user is None:
            return HttpReply(401, headers=(("WWW-Authenticate", 'Basic realm="jsonrpc"'),))
        answered = answer(request.body, self._methods, user.allowed, self.state.warming_up)
        if answered.body is None:
            return HttpReply(answered.status)
        return HttpReply(answered.status, answered.body.encode(), JSON)

    def _user(self, authorization: str) -> User | None:
        kind, _, given = authorization.partition(" ")
        if kind != "Basic":
            return None
        try:
            name, _, password = base64.b64decode(given, validate=True).decode().partition(":")
        except ValueError:
            return None
        user = self.users.get(name)
        return user if user is not None and secrets.compare_digest(user.password, password) else None


class _Server(LoopbackServer):
    def __init__(self, front: Front, port: int) -> None:
        self.front = front
        super().__init__(port, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        request = SeenRequest(
            self.command, self.path, body, {name.title(): value for name, value in self.headers.items()}
        )
        reply = self.server.front.reply_to(request)
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Type", reply.content_type or HTML)
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Quiet: tests look at `seen`."""
