"""The lies that nodes and what stands before them are known to tell, to be used with `LyingProxy`.

Those that return a `Lie` change an answer, those that return a `ReplyLie` the whole HTTP reply. `first`, `after`
and `only` narrow any of them. A node that is behind is in `chains.devnet.lagging`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from chains.devnet.lying_proxy import Answer, Lie, Reply, ReplyLie

BALANCE_OF = "0x70a08231"
"""Selector of `balanceOf(address)`."""

HTML_PAGE = b"<!DOCTYPE html><html><head><title>Attention Required!</title></head><body>Are you a robot?</body></html>"

AnyLie = TypeVar("AnyLie", bound=Callable[..., Any])


# Narrowing a lie


def first(times: int, lie: AnyLie) -> AnyLie:
    """Lie so many times, then tell the truth. Only answers that the lie changes are counted."""
    return _counted(lie, lambda told: told < times)


def after(times: int, lie: AnyLie) -> AnyLie:
    """Tell the truth on the first so many occasions to lie, then lie."""
    return _counted(lie, lambda occasion: occasion >= times)


def only(method: str, lie: Lie) -> Lie:
    """Lie about one method alone."""

    def narrowed(asked: str, params: list[Any], answer: Answer) -> Answer | list[Answer]:
        return lie(asked, params, answer) if asked == method else answer

    return narrowed


def _counted(lie: AnyLie, tells: Callable[[int], bool]) -> AnyLie:
    occasions = 0
    lock = threading.Lock()

    def counted(*args: Any) -> Any:
        nonlocal occasions
        truth = args[-1]
        told = lie(*args)
        if told is truth:
            return truth
        with lock:
            occasion, occasions = occasions, occasions + 1
        return told if tells(occasion) else truth

    return counted  # type: ignore[return-value]


# Lies about an answer


def change_result(method: str, change: Callable[[list[Any], Any], Any]) -> Lie:
    """Replace the results of a method: `change(params, true result)` gives what is said."""

    def lie(asked: str, params: list[Any], answer: Answer) -> Answer:
        if asked != method or "result" not in answer:
            return answer
        result = change(params, answer["result"])
        # As JSON, because True equals 1 in Python and is another answer.
        unchanged = json.dumps(result) == json.dumps(answer["result"])
        return answer if unchanged else {**answer, "result": result}

    return lie


def set_result(method: str, result: Any) -> Lie:
    """Always answer a method with this result."""
    return change_result(method, lambda params, truth: result)


def fail(method: str, code: int, message: str) -> Lie:
    """Answer a method with a JSON-RPC error."""

    def lie(asked: str, params: list[Any], answer: Answer) -> Answer:
        if asked != method:
            return answer
        return {"jsonrpc": "2.0", "id": answer.get("id"), "error": {"code": code, "message": message}}

    return lie


def omit(method: str) -> Lie:
    """Leave the answers to a method out; of a batch the others are answered."""

    def lie(asked: str, params: list[Any], answer: Answer) -> Answer | list[Answer]:
        return [] if asked == method else answer

    return lie


def duplicate(method: str) -> Lie:
    """Answer a method twice under the same id."""

    def lie(asked: str, params: list[Any], answer: Answer) -> Answer | list[Answer]:
        return [answer, answer] if asked == method else answer

    return lie


def change_id(method: str, change: Callable[[Any], Any]) -> Lie:
    """Answer a method under another id."""

    def lie(asked: str, params: list[Any], answer: Answer) -> Answer:
        return {**answer, "id": change(answer.get("id"))} if asked == method else answer

    return lie


def change_balance(address: str, wei: int) -> Lie:
    """Say another native balance of an address."""

    def change(params: list[Any], result: Any) -> Any:
        return hex(wei) if params and str(params[0]).lower() == address.lower() else result

    return change_result("eth_getBalance", change)


def change_token_balance(token: str, address: str, base_units: int) -> Lie:
    """Say another `balanceOf` of an address, when the token is called directly."""
    data = f"{BALANCE_OF}{address.lower().removeprefix('0x'):0>64}"

    def change(params: list[Any], result: Any) -> Any:
        call = params[0] if params and isinstance(params[0], dict) else {}
        asked = str(call.get("data") or call.get("input") or "").lower()
        return f"0x{base_units:064x}" if str(call.get("to")).lower() == token.lower() and asked == data else result

    return change_result("eth_call", change)


def change_last_scanned(base_units: int) -> Lie:
    """Say another last balance where a program reads many in one call: put in an account's place, or run as it is."""

    def change(params: list[Any], result: Any) -> Any:
        call = params[0] if params and isinstance(params[0], dict) else {}
        is_program = len(params) > 2 or not call.get("to")
        return f"{result[:-64]}{base_units:064x}" if is_program and isinstance(result, str) else result

    return change_result("eth_call", change)


def drop_logs(drops: Callable[[dict[str, Any]], bool] = lambda _: True) -> Lie:
    """Leave log entries out of `eth_getLogs`: those for which `drops` holds, all by default."""

    def change(params: list[Any], result: Any) -> Any:
        return [log for log in result if not drops(log)] if isinstance(result, list) else result

    return change_result("eth_getLogs", change)


def change_logs(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Lie:
    """Rewrite the log entries of `eth_getLogs` one by one."""

    def change_all(params: list[Any], result: Any) -> Any:
        return [change(dict(log)) for log in result] if isinstance(result, list) else result

    return change_result("eth_getLogs", change_all)


def other_chain_id(chain_id: int) -> Lie:
    """Say another chain id."""
    decimal, quantity = set_result("net_version", str(chain_id)), set_result("eth_chainId", hex(chain_id))

    def lie(asked: str, params: list[Any], answer: Answer) -> Answer | list[Answer]:
        return decimal(asked, params, answer) if asked == "net_version" else quantity(asked, params, answer)

    return lie


def change_block(change: Callable[[dict[str, Any]], dict[str, Any]], *, height: int | None = None) -> Lie:
    """Rewrite blocks that are answered by height, tag or hash; with `height` that one alone."""

    def change_one(params: list[Any], result: Any) -> Any:
        if not isinstance(result, dict) or height not in (None, int(result["number"], 16)):
            return result
        return change(dict(result))

    by_number, by_hash = (
        change_result(method, change_one) for method in ("eth_getBlockByNumber", "eth_getBlockByHash")
    )

    def lie(asked: str, params: list[Any], answer: Answer) -> Answer | list[Answer]:
        return by_hash(asked, params, answer) if asked == "eth_getBlockByHash" else by_number(asked, params, answer)

    return lie


# Lies about the whole reply


def http_status(status: int, headers: Sequence[tuple[str, str]] = (), body: bytes = b"") -> ReplyLie:
    """Answer with an HTTP status, for example 429 with `Retry-After`."""
    return lambda calls, reply: Reply(status, body, tuple(headers))


def html_page(status: int = 200) -> ReplyLie:
    """Answer with a web page, as a firewall or a login page does."""
    return lambda calls, reply: Reply(status, HTML_PAGE, (("Content-Type", "text/html"),))


def body(text: bytes) -> ReplyLie:
    """Answer with this body."""
    return lambda calls, reply: replace(reply, body=text)


def reorder() -> ReplyLie:
    """Turn the order of a batch's answers round; JSON-RPC allows that."""

    def lie(calls: list[Answer], reply: Reply) -> Reply:
        document = json.loads(reply.body)
        if not isinstance(document, list) or len(document) < 2:
            return reply
        return replace(reply, body=json.dumps(document[::-1]).encode())

    return lie


def delay(seconds: float) -> ReplyLie:
    """Wait before answering."""
    return lambda calls, reply: replace(reply, delay_seconds=seconds)


def drip(seconds: float) -> ReplyLie:
    """Answer byte by byte with a pause between, so that no single wait is long."""
    return lambda calls, reply: replace(reply, drip_seconds=seconds)


def cut(after_bytes: int) -> ReplyLie:
    """Break the connection off in the middle of the body."""
    return lambda calls, reply: replace(reply, cut_after_bytes=after_bytes)


def redirect(url: str) -> ReplyLie:
    """Send the client elsewhere."""
    return http_status(307, [("Location", url)])
