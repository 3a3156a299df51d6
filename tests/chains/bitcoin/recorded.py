"""A server that answers as the recorded Bitcoin Core node did; what it was not asked then, it does not know.

The replies are in `tests/data/bitcoin-core-replies` (its README says how they were made). Hashes, headers and raw
blocks of the active chain come from the recorded list of all blocks; everything else is the recorded text itself,
so that numbers keep the very form in which Core wrote them.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

RECORDINGS: Final = Path(__file__).parents[2] / "data" / "bitcoin-core-replies"
USER: Final = "verifier:regtest-only"
LIMITED_USER: Final = "limited:regtest-only-2"
LIMITED_TO: Final = frozenset({"getbestblockhash", "getblockhash", "getblockheader"})
NO_UNDO: Final = bytes.fromhex("0100")
"""What a block spends that holds its coinbase alone."""


@dataclass(frozen=True)
class RecordedBlock:
    """One block of the recorded node."""

    block_hash: str
    height: int
    previous: str
    raw: bytes
    transactions: int
    was_active: bool


@cache
def blocks() -> dict[str, RecordedBlock]:
    """Every block, by hash."""
    found = {}
    for row in _rows("main/chain.jsonl"):
        block = RecordedBlock(
            row["hash"],
            row["height"],
            row.get("prev") or "",
            bytes.fromhex(row["raw_hex"]),
            row["nTx"],
            row["ever_active"],
        )
        found[block.block_hash] = block
    return found


@cache
def expected() -> dict[str, Any]:
    """Balances, unspent outputs and movements as the recorded node itself told them."""
    found = json.loads((RECORDINGS / "main/expected.json").read_text())
    assert isinstance(found, dict)
    return found


def state(stage: str) -> dict[str, Any]:
    """What the recorded node said of its unspent outputs at a stage."""
    return next(found for found in expected()["states"] if found["stage"] == stage)


def recorded(row_id: str) -> dict[str, Any]:
    """One recorded pair, for example `queue_full/rest-block.bin`."""
    for name in ("main/rpc.jsonl", "main/rest.jsonl", "edge/all.jsonl"):
        for row in _rows(name):
            if row["id"] == row_id:
                return row
    raise LookupError(row_id)


def body_of(row: dict[str, Any]) -> bytes:
    """The bytes of a recorded answer."""
    response = row["response"]
    if "body" in response:
        return str(response["body"]).encode()
    return base64.b64decode(response.get("body_base64", ""))


@cache
def _rows(name: str) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(line) for line in (RECORDINGS / name).read_text().splitlines())


@cache
def _replies(stage: str) -> dict[str, tuple[str, str]]:
    """The result and error of each call of a stage, as text: `getblockhash [107]` to what was answered."""
    found: dict[str, tuple[str, str]] = {}
    for name in ("main/rpc.jsonl", "edge/all.jsonl"):
        for row in _rows(name):
            body = str(row["request"].get("body", ""))
            if row["stage"] != stage or row["response"]["status"] != 200 or not body.startswith('{"jsonrpc"'):
                continue
            asked = json.loads(body)
            if "method" not in asked or not isinstance(asked.get("params"), list):
                continue
            text = str(row["response"]["body"]).strip().removeprefix('{"jsonrpc":"2.0",').removeprefix("{")
            outcome = text[: text.rindex(',"id":')].removesuffix(',"error":null')
            kind, _, content = outcome.partition(":")
            key = f"{asked['method']} {json.dumps(asked['params'])}"
            found[key] = (content, "") if kind == '"result"' else ("", content)
    return found


@cache
def _spent_outputs() -> dict[str, bytes]:
    found = {}
    for row in _rows("main/rest.jsonl"):
        path = str(row["request"]["path"])
        if path.startswith("/rest/spenttxouts/") and path.endswith(".bin") and row["response"]["status"] == 200:
            found[path.rsplit("/", maxsplit=1)[-1].removesuffix(".bin")] = body_of(row)
    return found


@dataclass
class RecordedCore:
    """The node at one stage of its recording, and how it behaves. Everything may be changed at any time."""

    stage: str = "after_reorg"
    url: str = ""
    is_legacy: bool = False
    """Whether it answers in the form of JSON-RPC 1.0, as before version 28."""
    has_rest: bool = True
    has_spent_outputs: bool = True
    """Whether REST serves what a block spends, as from version 30 on."""
    overrides: dict[str, str] = field(default_factory=dict)
    """Results that replace the recorded ones, by `method [params]` or by method alone."""
    rest_overrides: dict[str, bytes] = field(default_factory=dict)
    """Bodies that replace the recorded ones, by path."""
    refusals: list[tuple[int, bytes]] = field(default_factory=list)
    """Answers to the next requests, whatever they ask: HTTP status and body."""
    asked: list[str] = field(default_factory=list)
    """Every call and path so far."""
    tip: str = ""
    """Hash of the newest block; by default that of the stage."""

    def chain(self) -> list[RecordedBlock]:
        """The active chain, lowest block first."""
        name = self.tip or str(state(self.stage)["block_hash"])
        chain = []
        while name in blocks():
            chain.append(blocks()[name])
            name = blocks()[name].previous
        return chain[::-1]

    def outcome(self, method: str, params: list[Any]) -> tuple[str, str]:
        """Result and error of a call, as JSON texts; one of them is empty."""
        key = f"{method} {json.dumps(params)}"
        self.asked.append(key)
        for name in (key, method):
            if name in self.overrides:
                text = self.overrides[name]
                return ("", text) if text.startswith('{"code"') else (text, "")
        derived = self._derived(method, params)
        if derived is not None:
            return derived
        replies = _replies(self.stage)
        return replies.get(key, ("", '{"code":-32601,"message":"Method not found"}'))

    def _derived(self, method: str, params: list[Any]) -> tuple[str, str] | None:
        chain = self.chain()
        if method == "getbestblockhash":
            return f'"{chain[-1].block_hash}"', ""
        if method == "getblockhash":
            if not 0 <= params[0] < len(chain):
                return "", '{"code":-8,"message":"Block height out of range"}'
            return f'"{chain[params[0]].block_hash}"', ""
        if method not in ("getblockheader", "getblock"):
            return None
        block = blocks().get(params[0])
        if block is None:
            return "", '{"code":-5,"message":"Block not found"}'
        if method == "getblockheader" and params[1:] == [False]:
            return f'"{block.raw[:80].hex()}"', ""
        if method == "getblockheader":
            depth = len(chain) - block.height if block in chain else -1
            return json.dumps({"hash": block.block_hash, "confirmations": depth, "height": block.height}), ""
        if params[1:] == [0]:
            return f'"{block.raw.hex()}"', ""
        if params[1:] == [3] and block.transactions == 1:
            return json.dumps({"hash": block.block_hash, "tx": [{"vin": [{"coinbase": "00"}]}]}), ""
        return None

    def resource(self, path: str) -> tuple[int, bytes]:
        """Status and body of a resource."""
        self.asked.append(path)
        if path in self.rest_overrides:
            return 200, self.rest_overrides[path]
        kind, _, name = path.removeprefix("/rest/").partition("/")
        name = name.removesuffix(".bin")
        if not self.has_rest or kind not in ("block", "spenttxouts"):
            return 404, b""
        block = blocks().get(name)
        if block is None:
            return 404, f"{name} not found".encode()
        if kind == "block":
            return 200, block.raw
        if not self.has_spent_outputs:
            return 404, b""
        if not block.was_active:
            return 404, f"{name} undo not available".encode()
        return 200, NO_UNDO if block.transactions == 1 else _spent_outputs()[name]


@contextmanager
def serving(core: RecordedCore, user: str = USER) -> Iterator[RecordedCore]:
    """The node behind a port of its own; its `url` carries the credentials."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: without it each answer waits for an acknowledgement
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

        def do_GET(self) -> None:
            self._send(*(core.refusals.pop(0) if core.refusals else core.resource(self.path)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if core.refusals:
                self._send(*core.refusals.pop(0))
                return
            known = {"Basic " + base64.b64encode(name.encode()).decode(): name for name in (USER, LIMITED_USER)}
            name = known.get(self.headers.get("authorization", ""))
            if name is None:
                self._send(401, b"")
                return
            asked = json.loads(body)
            calls = asked if isinstance(asked, list) else [asked]
            if name == LIMITED_USER and any(call["method"] not in LIMITED_TO for call in calls):
                self._send(403, b"")
                return
            answers = [self._answer(call) for call in calls]
            if isinstance(asked, list):
                self._send(200, f"[{','.join(text for text, _ in answers)}]\n".encode())
            else:
                self._send(answers[0][1], answers[0][0].encode() + b"\n")

        def _answer(self, call: dict[str, Any]) -> tuple[str, int]:
            result, error = core.outcome(call["method"], call["params"])
            if core.is_legacy:
                status = 200 if not error else 404 if "-32601" in error else 500
                return f'{{"result":{result or "null"},"error":{error or "null"},"id":{call["id"]}}}', status
            outcome = f'"error":{error}' if error else f'"result":{result}'
            return f'{{"jsonrpc":"2.0",{outcome},"id":{call["id"]}}}', 200

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    core.url = f"http://{user}@127.0.0.1:{server.server_address[1]}"
    try:
        yield core
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
