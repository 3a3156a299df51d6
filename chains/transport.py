"""The strict JSON-RPC transport, and the HTTP exchange below it. The only module that speaks HTTP.

    JsonRpcTransport    calls and batches; ids matched, errors classified; what readers use
    └── HttpExchange    one request with its tries: limits, retries, redirects refused, secrets hidden
        └── chains.network    sockets under a wall-clock deadline

Each error says in `fault` what failed below the protocol: `address`, `certificate` (theirs), `own-certificate` (ours,
or none), `connection`, `cut`, `encoding`, `redirect`, `status`, `timeout` or `too-large`.

Nothing of a URL or header leaves this module: errors of the HTTP client carry the full URL, so each is turned into
one of ours outside its `except` block, where no traceback and no `__context__` leads back to it.
"""

from __future__ import annotations

import logging
import random
import re
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpcore2
import httpx2
import structlog

from chains.errors import ChainConfigError, MalformedAnswer, NodeRefused, NodeUnavailable, RangeTooLarge, ReadError
from chains.http_body import plain_pieces
from chains.jsonrpc import STANDARD, Dialect, RpcCall, RpcFailure, decode_batch, decode_call, encode_batch, encode_call
from chains.kept_answers import KeptExchange, may_be_kept
from chains.network import DeadlinePassed, GuardedBackend, RefusedPeer
from chains.node_text import body_excerpt
from chains.node_url import NodeUrl, parse_node_url
from chains.reader import NodeConfig, ReadLimits
from chains.retry import backoff_seconds, retry_after_seconds, wait_seconds
from chains.rpc_failures import failure_error

log = structlog.get_logger(__name__)

# These write hosts, URLs and headers at INFO and DEBUG; no setting of an application may turn that on.
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)

_BATCH_REFUSED: Final = frozenset({400, 404, 405, 413, 415, 422})
"""HTTP statuses by which servers refuse a batch for being one, or for its size."""

_PATH: Final = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\.[a-z]+)?", re.ASCII)
"""A resource below a node's URL. No dots but before the ending, no query: nothing that could lead elsewhere."""

_NETWORK_ERRORS: Final = (
    httpx2.TransportError,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.TimeoutException,
    OSError,
    UnicodeError,  # a host name that cannot be encoded for the resolver
)


_JSON_HEADERS: Final = (("content-type", "application/json"), ("accept", "application/json"))
_BINARY_HEADERS: Final = (("accept", "application/octet-stream"),)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer: HTTP 2xx, or a 4xx that is the server's final word."""

    status: int
    body: bytes
    validator: str = ""
    """The server's name for this content (ETag), to be sent back with `fetch`; empty when it gave none."""


@dataclass(frozen=True, slots=True)
class _Failed:
    """One try that gave no answer."""

    error: ReadError
    again: bool
    """Whether another try could help."""
    asked_seconds: float | None = None
    """The wait that the server asked for."""


class HttpExchange:
    """Requests to one URL, and to resources below it, within limits. Used by one thread at a time.

    A request and all its tries and waits end within `call_deadline_seconds` and within the budget of the sweep.
    """

    def __init__(
        self,
        node: NodeConfig,
        limits: ReadLimits,
        *,
        errors_as_http_500: bool = False,
        tls: ssl.SSLContext | None = None,
        public_only: bool = False,
        http: httpx2.BaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        utc_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """With `errors_as_http_500` a JSON object under that status is the server's final word.

        `tls` is whom to trust and what to show, the system's authorities and nothing without it. With `public_only` a
        name that resolves to an address of this machine or of a network inside is refused.
        """
        self.node_id = node.node_id
        self.requests_sent = 0
        self.bytes_received = 0
        self._limits = limits
        self._monotonic = monotonic
        self._sleep = sleep
        self._jitter = jitter
        self._utc_now = utc_now
        self._errors_as_http_500 = errors_as_http_500
        self._deadline = self._budget_end = float("inf")
        self._asked_whether_changed = False
        self._target = parse_node_url(node)
        self._url = _client_url(self._target, node.node_id)
        self._http = http or _SocketTransport(self._target, self._seconds_left, tls, public_only)
        # Compression on the loopback only costs time.
        coding = "identity" if self._target.loopback_only else "gzip"
        self._headers = [("accept-encoding", coding), ("user-agent", "custody-verifier"), *self._target.headers]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not appear in any text about this node."""
        return self._target.secrets

    def start_budget(self, seconds: float) -> None:
        """From now on all exchanges together, waits included, may take this long."""
        self._budget_end = self._monotonic() + seconds

    def close(self) -> None:
        """Release the connections."""
        self._http.close()

    def post(self, body: bytes, media: tuple[str, str] | None = None) -> HttpAnswer:
        """Send and read the whole answer, trying again where that can help.

        What is sent and wanted is JSON, unless `media` names the media types of both. Raises `NodeUnavailable` when
        the tries or the time are spent, `MalformedAnswer` for a redirect, an answer over the size limit or a broken
        encoding.
        """
        headers = _JSON_HEADERS if media is None else (("content-type", media[0]), ("accept", media[1]))
        return self._ask("POST", self._url, headers, body)

    def get(self, path: str) -> HttpAnswer:
        """Read a resource below the URL, such as `rest/block/00….bin`, as `post` does."""
        if _PATH.fullmatch(path) is None:
            raise ValueError(f"{path!r} is no plain path below a node's URL")
        below, mark, query = self._url.raw_path.partition(b"?")
        url = self._url.copy_with(raw_path=below.rstrip(b"/") + b"/" + path.encode("ascii") + mark + query)
        return self._ask("GET", url, _BINARY_HEADERS, None)

    def fetch(self, validator: str = "") -> HttpAnswer:
        """Read what the URL itself names, as `post` does; status 304 where it is still what `validator` names."""
        headers = [("accept", "*/*"), *([("if-none-match", validator)] if validator else [])]
        self._asked_whether_changed = bool(validator)
        try:
            return self._ask("GET", self._url, headers, None)
        finally:
            self._asked_whether_changed = False

    def _ask(self, method: str, url: httpx2.URL, headers: Sequence[tuple[str, str]], body: bytes | None) -> HttpAnswer:
        started = self._monotonic()
        if started >= self._budget_end:
            raise NodeUnavailable("the sweep's time budget is spent", node_id=self.node_id)
        self._deadline = min(started + self._limits.call_deadline_seconds, self._budget_end)
        # A loop of our own, since a retry library would decide the wait without the server's Retry-After, the
        # deadline and the sweep's budget, and would log the client's error text, which holds the URL.
        tries = 0
        while True:
            tries += 1
            outcome = self._try(httpx2.Request(method, url, headers=[*headers, *self._headers], content=body))
            if isinstance(outcome, HttpAnswer):
                return outcome
            self._debug("try failed", tries=tries, reason=str(outcome.error))
            if not outcome.again or tries >= self._limits.attempts_max:
                raise outcome.error
            backoff = backoff_seconds(tries, self._jitter(), self._limits.retry_wait_seconds_max)
            wait = wait_seconds(outcome.asked_seconds, backoff, self._limits.retry_wait_seconds_max)
            if wait >= self._seconds_left():
                raise outcome.error
            self._sleep(wait)

    def pause(self, tries: int) -> bool:
        """Wait before a refused request is sent anew, or say that the tries or the sweep's budget do not allow it."""
        wait = backoff_seconds(tries, self._jitter(), self._limits.retry_wait_seconds_max)
        if tries >= self._limits.attempts_max or self._monotonic() + wait >= self._budget_end:
            return False
        self._sleep(wait)
        return True

    def note_unusable(self, error: ReadError, content: bytes) -> None:
        """Log the beginning of an answer that could not be used."""
        self._debug("unusable answer", reason=str(error), body=body_excerpt(content, self.secrets))

    def _seconds_left(self) -> float:
        return self._deadline - self._monotonic()

    def _try(self, request: httpx2.Request) -> HttpAnswer | _Failed:
        """One request. Errors of the HTTP client end here, as values without the client's text."""
        self.requests_sent += 1
        request.extensions["timeout"] = self._timeouts()
        try:
            response = self._http.handle_request(request)
            try:
                coding = response.headers.get("content-encoding", "identity")
                pieces = self._pieces(response)
                plain = plain_pieces(pieces, coding, bytes_max=self._limits.body_bytes_max, node_id=self.node_id)
                content = b"".join(plain)
            finally:
                response.close()
        except ReadError as error:
            error.fault = error.fault or "encoding"
            return _Failed(error.with_traceback(None), again=False)
        except DeadlinePassed:
            return self._late()
        except RefusedPeer:
            return self._unavailable("its name resolves to an address that is not allowed", "address", again=False)
        except _NETWORK_ERRORS as error:
            if self._seconds_left() <= 0:
                return self._late()
            reason, fault = _network_reason(error)
            return self._unavailable(reason, fault, again=not fault.endswith("certificate"))
        return self._judge(response.status_code, response.headers, content)

    def _judge(self, status: int, headers: httpx2.Headers, content: bytes) -> HttpAnswer | _Failed:
        if 200 <= status < 300 or (status == 304 and self._asked_whether_changed):
            return HttpAnswer(status, content, headers.get("etag", ""))
        self._debug("http error", status=status, body=body_excerpt(content, self.secrets))
        if status == 500 and self._errors_as_http_500 and content.startswith(b"{"):
            return HttpAnswer(status, content)
        if 300 <= status < 400:
            reason = f"answered with a redirect (HTTP {status}), which is refused"
            return _Failed(self._malformed(reason, "redirect"), again=False)
        if status == 429 or status >= 500:
            asked = retry_after_seconds(headers.get("retry-after"), headers.get("date"), self._utc_now())
            return self._unavailable(f"answered HTTP {status}", "status", again=True, asked_seconds=asked)
        if status < 200:
            return _Failed(self._malformed(f"answered HTTP {status}", "status"), again=False)
        return HttpAnswer(status, content)

    def _pieces(self, response: httpx2.Response) -> Iterator[bytes]:
        """The body as it comes over the wire, counted and timed."""
        # The stream itself, since the client's own reading decompresses without a limit.
        assert isinstance(response.stream, httpx2.SyncByteStream)
        for piece in response.stream:
            self.bytes_received += len(piece)
            if self._seconds_left() <= 0:
                raise DeadlinePassed
            yield piece

    def _timeouts(self) -> dict[str, float]:
        connect, read = self._limits.connect_timeout_seconds, self._limits.read_timeout_seconds
        return {"connect": connect, "read": read, "write": read, "pool": connect}

    def _late(self) -> _Failed:
        if self._monotonic() >= self._budget_end:
            return self._unavailable("the sweep's time budget is spent", "timeout", again=False)
        reason = f"no answer within {self._limits.call_deadline_seconds:g} seconds"
        return self._unavailable(reason, "timeout", again=False)

    def _unavailable(self, reason: str, fault: str, *, again: bool, asked_seconds: float | None = None) -> _Failed:
        error = NodeUnavailable(reason, node_id=self.node_id)
        error.fault = fault
        return _Failed(error, again, asked_seconds)

    def _malformed(self, reason: str, fault: str) -> MalformedAnswer:
        error = MalformedAnswer(reason, node_id=self.node_id)
        error.fault = fault
        return error

    def _debug(self, event: str, **fields: object) -> None:
        # Unconfigured, structlog prints to standard output, which belongs to the program that uses this library.
        if structlog.is_configured():
            log.debug(event, node_id=self.node_id, **fields)


class _SocketTransport(httpx2.BaseTransport):
    """httpx2's transport on guarded sockets: no proxies, no environment, no HTTP/2, certificates checked."""

    def __init__(
        self, target: NodeUrl, seconds_left: Callable[[], float], tls: ssl.SSLContext | None, public_only: bool
    ) -> None:
        if tls is None and not target.url.startswith("http:"):
            tls = httpx2.create_ssl_context(trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls,
            max_connections=1,
            keepalive_expiry=30.0,
            network_backend=GuardedBackend(seconds_left, loopback_only=target.loopback_only, public_only=public_only),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        answer = self._pool.handle_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.read(),
                extensions=request.extensions,
            )
        )
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Stream(answer))

    def close(self) -> None:
        self._pool.close()


class _Stream(httpx2.SyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class JsonRpcTransport:
    """JSON-RPC calls and batches to one node. Used by one thread at a time.

    Ids count up and name one request each for the life of the transport; only the tries of one request share its ids.
    """

    def __init__(
        self,
        node: NodeConfig,
        limits: ReadLimits,
        *,
        dialect: Dialect = STANDARD,
        http: httpx2.BaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.node_id = node.node_id
        self._dialect = dialect
        self._exchange = HttpExchange(
            node,
            limits,
            errors_as_http_500=dialect.has_errors_as_http_500,
            http=http,
            monotonic=monotonic,
            sleep=sleep,
            jitter=jitter,
        )
        self._next_id = 1
        self._kept: list[KeptExchange | None] | None = None
        self._batch_size = limits.batch_size_max

    @property
    def requests_sent(self) -> int:
        """HTTP requests sent so far, each try counted."""
        return self._exchange.requests_sent

    @property
    def bytes_received(self) -> int:
        """Body bytes received so far, as they came over the wire."""
        return self._exchange.bytes_received

    def start_budget(self, seconds: float) -> None:
        """From now on all calls together, waits included, may take this long; then `NodeUnavailable`."""
        self._exchange.start_budget(seconds)

    def start_keeping(self) -> None:
        """Keep every exchange with a usable answer from now on, for `take_kept`."""
        self._kept = []

    def take_kept(self) -> list[KeptExchange | None]:
        """The exchanges since `start_keeping`, None for one that quotes a URL or a secret; and keep no more."""
        kept, self._kept = self._kept or [], None
        return kept

    def _keep(self, calls: Sequence[RpcCall], first_id: int, body: bytes, *, is_batch: bool) -> None:
        if self._kept is not None:
            exchange = KeptExchange(tuple(calls), first_id, is_batch, body)
            self._kept.append(exchange if may_be_kept(exchange, self._exchange.secrets) else None)

    def close(self) -> None:
        """Release the connections."""
        self._exchange.close()

    def get(self, path: str) -> HttpAnswer:
        """A resource below the node's URL, with the same limits and tries; see `HttpExchange.get`."""
        return self._exchange.get(path)

    def call(self, method: str, *params: object) -> object:
        """The decoded result of one call, or a `ReadError`: of the node's own error, or of an answer not usable."""
        (outcome,) = self.batch([RpcCall(method, params)])
        if isinstance(outcome, ReadError):
            raise outcome
        return outcome

    def batch(self, calls: Sequence[RpcCall]) -> list[object]:
        """The outcomes of any number of calls in their order: a decoded result, or the `ReadError` of that one call.

        Any number of calls, in as many HTTP requests as the limits ask for. Raises `MalformedAnswer` when an answer
        cannot be attributed, `NodeUnavailable` when none came at all; a node that goes silent half-way leaves that
        error in the places of the calls it did not answer. Calls refused for coming too fast are asked again.
        """
        outcomes = self._ask_all(calls)
        tries = 1
        while (late := _unavailable_places(outcomes)) and self._exchange.pause(tries):
            try:
                answers = self._ask_all([calls[place] for place in late])
            except NodeUnavailable:
                break  # what was answered stays; what was not keeps its error
            for place, answer in zip(late, answers, strict=True):
                outcomes[place] = answer
            tries += 1
        return outcomes

    def _ask_all(self, calls: Sequence[RpcCall]) -> list[object]:
        """The outcomes of all calls, in batches of the size that the node is known to take.

        A node that refuses a batch is asked again in halves, down to single calls, and the size is remembered.
        """
        outcomes: list[object] = []
        while len(outcomes) < len(calls):
            group = calls[len(outcomes) : len(outcomes) + self._batch_size]
            try:
                answers = [self._ask(group[0])] if len(group) == 1 else self._ask_group(group)
            except NodeUnavailable as error:
                if not outcomes:
                    raise
                return outcomes + [error] * (len(calls) - len(outcomes))
            if answers is None:
                self._batch_size = len(group) // 2
            else:
                outcomes += answers
        return outcomes

    def _ask(self, call: RpcCall) -> object:
        """The result of one call, or the `ReadError` value of the node's refusal."""
        request_id = self._take_ids(1)
        answer = self._exchange.post(encode_call(request_id, call))
        if answer.status >= 400:
            return self._http_refusal(answer, request_id)
        try:
            outcome = decode_call(answer.body, request_id, node_id=self.node_id, dialect=self._dialect)
        except MalformedAnswer as error:
            self._exchange.note_unusable(error, answer.body)
            raise
        self._keep([call], request_id, answer.body, is_batch=False)
        return self._error(outcome) if isinstance(outcome, RpcFailure) else outcome

    def _ask_group(self, group: Sequence[RpcCall]) -> list[object] | None:
        """The outcomes of one batch, or None where the node refuses it as a whole."""
        first_id = self._take_ids(len(group))
        answer = self._exchange.post(encode_batch(first_id, group))
        if answer.status in _BATCH_REFUSED:
            return None
        if answer.status >= 400:
            raise self._http_refusal(answer, first_id)
        try:
            outcomes = decode_batch(answer.body, first_id, len(group), node_id=self.node_id, dialect=self._dialect)
        except MalformedAnswer as error:
            self._exchange.note_unusable(error, answer.body)
            raise
        if isinstance(outcomes, RpcFailure):
            refusal = self._error(outcomes)
            # Too many requests: smaller batches would make it worse.
            return [refusal] * len(group) if isinstance(refusal, NodeUnavailable) else None
        self._keep(group, first_id, answer.body, is_batch=True)
        return [self._error(outcome) if isinstance(outcome, RpcFailure) else outcome for outcome in outcomes]

    def _http_refusal(self, answer: HttpAnswer, request_id: int) -> ReadError:
        """What an HTTP error means: the JSON-RPC error in it, where there is one, or the status."""
        try:
            outcome = decode_call(answer.body, request_id, node_id=self.node_id, dialect=self._dialect)
        except MalformedAnswer:
            outcome = None
        if isinstance(outcome, RpcFailure):
            return self._error(outcome)
        if answer.status >= 500:
            return NodeUnavailable(f"answered HTTP {answer.status}", node_id=self.node_id)
        kind = RangeTooLarge if answer.status == 413 else NodeRefused
        return kind(f"answered HTTP {answer.status}", node_id=self.node_id)

    def _error(self, failure: RpcFailure) -> ReadError:
        return failure_error(
            failure, node_id=self.node_id, secrets=self._exchange.secrets, kind_of=self._dialect.failure_kind
        )

    def _take_ids(self, count: int) -> int:
        first_id = self._next_id
        self._next_id += count
        return first_id


def _unavailable_places(outcomes: Sequence[object]) -> list[int]:
    return [place for place, outcome in enumerate(outcomes) if isinstance(outcome, NodeUnavailable)]


def _client_url(target: NodeUrl, node_id: str) -> httpx2.URL:
    try:
        return httpx2.URL(target.url)
    except httpx2.InvalidURL:
        pass  # raised below, where no context leads to the client's error, which quotes the URL
    raise ChainConfigError(f"node {node_id}: the URL cannot be read")


_CERTIFICATE_REASONS: Final = {
    9: "is not valid yet",
    10: "has expired",
    62: "is for another name",
    64: "is for another name",
}
"""By the numbers of OpenSSL (X509_V_ERR_*)."""


def _network_reason(error: BaseException) -> tuple[str, str]:
    """What happened, for a person and as a fault's name."""
    tls = _tls_error(error)
    if isinstance(tls, ssl.SSLCertVerificationError):
        number = getattr(tls, "verify_code", 0)
        return f"its certificate {_CERTIFICATE_REASONS.get(number, 'is not valid')}", "certificate"
    if tls is not None and re.search("ALERT.*(CERTIFICATE|UNKNOWN_CA)", tls.reason or ""):
        return "it refuses our certificate, or wants one", "own-certificate"
    if isinstance(error, (httpx2.TimeoutException, httpcore2.TimeoutException)):
        return "no answer in time", "timeout"
    if isinstance(error, (httpx2.ConnectError, httpcore2.ConnectError, UnicodeError)):
        return "no connection", "connection"
    return "the connection broke", "cut"


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, ssl.SSLError):
            return error
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


__all__ = ["HttpAnswer", "HttpExchange", "JsonRpcTransport", "RpcCall"]
