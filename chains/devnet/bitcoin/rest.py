"""The REST paths that the front answers, in Bitcoin Core's words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from chains.devnet.bitcoin import describe
from chains.devnet.bitcoin.core_json import Satoshis, written
from chains.devnet.bitcoin.kernel_chain import Entry
from chains.devnet.bitcoin.rpc_calls import Method, RpcError
from chains.devnet.bitcoin.script_json import script_json
from chains.devnet.bitcoin.state import NodeState
from chains.devnet.bitcoin.wire import display, from_display

BINARY: Final = "application/octet-stream"
PLAIN: Final = "text/plain"
JSON: Final = "application/json"
HTML: Final = "text/html; charset=ISO-8859-1"
HEADERS_MAX: Final = 2000
_HASH: Final = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An HTTP reply before it is sent."""

    status: int
    body: bytes = b""
    content_type: str = HTML
    headers: tuple[tuple[str, str], ...] = ()


class _Refused(Exception):
    """A request that is answered with a sentence."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.reply = HttpReply(status, f"{text}\r\n".encode(), PLAIN)


def rest_reply(state: NodeState, methods: dict[str, Method], target: str) -> HttpReply:
    """The reply to a path that begins with `/rest/`."""
    path, _, query = target.partition("?")
    if state.warming_up is not None:
        return HttpReply(503, f"Service temporarily unavailable: {state.warming_up}\r\n".encode(), PLAIN)
    served = _Rest(state, methods, {name: values[0] for name, values in parse_qs(query).items()})
    try:
        for prefix, call in served.paths():
            if path.startswith(prefix):
                return call(unquote(path[len(prefix) :]))
    except _Refused as refused:
        return refused.reply
    return HttpReply(404)


class _Rest:
    def __init__(self, state: NodeState, methods: dict[str, Method], query: dict[str, str]) -> None:
        self._state = state
        self._chain = state.chain
        self._methods = methods
        self._query = query

    def paths(self) -> list[tuple[str, Callable[[str], HttpReply]]]:
        """What each path is answered by; a longer prefix before a shorter one."""
        return [
            ("/rest/block/notxdetails/", lambda rest: self._block(rest, 1)),
            ("/rest/block/", lambda rest: self._block(rest, 3)),
            ("/rest/blockhashbyheight/", self._hash_by_height),
            ("/rest/chaininfo", self._chain_info),
            ("/rest/headers/", self._headers),
            ("/rest/mempool/", self._mempool),
            ("/rest/spenttxouts/", self._spent),
            ("/rest/tx/", self._transaction),
        ]

    def _block(self, rest: str, verbosity: int) -> HttpReply:
        name, form = _form(rest)
        entry = self._entry(name)
        if self._state.is_pruned(entry.height):
            raise _Refused(404, f"{name} not available (pruned data)")
        return _reply(form, entry.block.raw, lambda: describe.block_json(self._chain, entry, verbosity))

    def _spent(self, rest: str) -> HttpReply:
        name, form = _form(rest)
        entry = self._entry(name)
        if self._state.is_pruned(entry.height):
            raise _Refused(404, f"{name} undo not available")
        raw, coins = self._chain.spent_raw(entry), self._chain.spent_coins(entry)
        if raw is None or coins is None:
            raise _Refused(404, f"{name} undo not available")
        outputs = [
            [{"value": Satoshis(coin.value), "scriptPubKey": script_json(coin.script)} for coin in each]
            for each in [[], *coins]
        ]
        return _reply(form, raw, lambda: outputs)

    def _headers(self, rest: str) -> HttpReply:
        first, form = _form(rest)
        parts = first.split("/")
        count_text, name = parts if len(parts) == 2 else (self._query.get("count", "5"), first)
        if not re.fullmatch(r"[0-9]{1,9}", count_text, re.ASCII) or not 1 <= int(count_text) <= HEADERS_MAX:
            text = f"Header count is invalid or out of acceptable range (1-{HEADERS_MAX}): {count_text}"
            raise _Refused(400, text)
        entry = self._chain.entry(_hash(name))
        found: list[Entry] = []
        while entry is not None and self._chain.is_active(entry) and len(found) < int(count_text):
            found.append(entry)
            entry = self._chain.next_of(entry)
        raw = b"".join(each.block.header.raw for each in found)
        return _reply(form, raw, lambda: [describe.header_json(self._chain, each) for each in found])

    def _hash_by_height(self, rest: str) -> HttpReply:
        text, form = _form(rest)
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
            raise _Refused(400, f"Invalid height: {text}")
        if int(text) > self._chain.tip.height:
            raise _Refused(404, "Block height out of range")
        entry = self._chain.active[int(text)]
        if form == "hex":
            return HttpReply(200, f"{display(entry.hash)}\n".encode(), PLAIN)
        return _reply(form, entry.hash, lambda: {"blockhash": display(entry.hash)})

    def _chain_info(self, rest: str) -> HttpReply:
        return self._only_json(rest, "getblockchaininfo")

    def _mempool(self, rest: str) -> HttpReply:
        name, form = _form(rest)
        if name not in ("info", "contents"):
            raise _Refused(400, "Invalid URI format. Expected /rest/mempool/<info|contents>.json")
        arguments = [] if name == "info" else [True]
        return self._only_json(f".{form}", "getmempoolinfo" if name == "info" else "getrawmempool", arguments)

    def _transaction(self, rest: str) -> HttpReply:
        name, form = _form(rest)
        _hash(name)
        try:
            raw = self._methods["getrawtransaction"].call(name, 0)
            described = self._methods["getrawtransaction"].call(name, 1)
        except RpcError:
            raise _Refused(404, f"{name} not found") from None
        for added in ("confirmations", "time", "blocktime"):
            described.pop(added, None)
        described["hex"] = described.pop("hex")  # here it comes last
        return _reply(form, bytes.fromhex(raw), lambda: described)

    def _only_json(self, rest: str, method: str, arguments: list[Any] | None = None) -> HttpReply:
        if rest != ".json":
            raise _Refused(404, "output format not found (available: json)")
        return _reply("json", b"", lambda: self._methods[method].call(*(arguments or [])))

    def _entry(self, name: str) -> Entry:
        entry = self._chain.entry(_hash(name))
        if entry is None:
            raise _Refused(404, f"{name} not found")
        return entry


def _form(rest: str) -> tuple[str, str]:
    """A path's last part, and the form that was asked for by its ending; an unknown ending is part of the name."""
    for form in ("bin", "hex", "json"):
        if rest.endswith(f".{form}"):
            return rest[: -len(form) - 1], form
    return rest, ""


def _hash(name: str) -> bytes:
    if not _HASH.fullmatch(name):
        raise _Refused(400, f"Invalid hash: {name}")
    return from_display(name)


def _reply(form: str, raw: bytes, described: Any) -> HttpReply:
    if form == "bin":
        return HttpReply(200, raw, BINARY)
    if form == "hex":
        return HttpReply(200, f"{raw.hex()}\n".encode(), PLAIN)
    if form == "json":
        return HttpReply(200, f"{written(described())}\n".encode(), JSON)
    raise _Refused(404, "output format not found (available: .bin, .hex, .json)")
