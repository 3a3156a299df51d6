"""JSON-RPC 2.0 without I/O: request bodies, and strict decoding of the answers (https://www.jsonrpc.org/specification).

What breaks the protocol raises `MalformedAnswer` and nothing of the answer is used. What the node itself refuses
comes back as an `RpcFailure` value, which `chains.rpc_failures` turns into an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any, Final

import orjson

from chains.errors import MalformedAnswer, ReadError

NESTING_MAX: Final = 200
"""Deepest nesting of lists and objects accepted in an answer; orjson writes no deeper than 254."""


@dataclass(frozen=True, slots=True)
class RpcCall:
    """One method with its positional parameters, ready for JSON."""

    method: str
    params: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class RpcFailure:
    """The error member of an answer, as the node sent it."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a family of nodes departs from the specification. The default does not."""

    has_decimals: bool = False
    """Numbers may have fractions and exponents, and are read as `Decimal`; never as float."""
    has_legacy_answers: bool = False
    """Answers of JSON-RPC 1.0 are understood too: no `jsonrpc`, and both `result` and `error`, one of them null."""
    has_errors_as_http_500: bool = False
    """A JSON object under HTTP 500 is the call's own error, and no failure of the server."""
    failure_kind: Callable[[RpcFailure], type[ReadError]] | None = None
    """What a node's error means; by default what `chains.rpc_failures` says."""


STANDARD: Final = Dialect()


def encode_call(request_id: int, call: RpcCall) -> bytes:
    """The body of one call."""
    return orjson.dumps(_request(request_id, call))


def encode_batch(first_id: int, calls: Sequence[RpcCall]) -> bytes:
    """The body of a batch; the calls take the ids from `first_id` on, in their order."""
    return orjson.dumps([_request(first_id + place, call) for place, call in enumerate(calls)])


def _request(request_id: int, call: RpcCall) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": request_id, "method": call.method, "params": call.params}


def decode_call(body: bytes, request_id: int, *, node_id: str = "", dialect: Dialect = STANDARD) -> object:
    """The result of one call, or the `RpcFailure` the node answered with."""
    answer = parse_strictly(body, node_id=node_id, has_decimals=dialect.has_decimals)
    answered_id, outcome = _open(answer, node_id, dialect)
    # A node that could not even read the request answers with a null id; that is its error, not a result.
    if answered_id != request_id and not (answered_id is None and isinstance(outcome, RpcFailure)):
        raise MalformedAnswer("the answer's id is not the request's", node_id=node_id)
    return outcome


def decode_batch(
    body: bytes, first_id: int, count: int, *, node_id: str = "", dialect: Dialect = STANDARD
) -> list[object] | RpcFailure:
    """The outcomes of a batch in the order of its calls, each a result or an `RpcFailure`, whatever the answer's order.

    One `RpcFailure` instead of a list means that the node refused the batch as a whole. A missing, repeated,
    foreign or null id raises `MalformedAnswer`: nothing is attributed by position.
    """
    answers = parse_strictly(body, node_id=node_id, has_decimals=dialect.has_decimals)
    refusal = _batch_refusal(answers, first_id, count, node_id, dialect)
    if refusal is not None:
        return refusal
    if not isinstance(answers, list):
        raise MalformedAnswer("a batch was answered with something else than a list", node_id=node_id)
    if len(answers) != count:
        raise MalformedAnswer(f"a batch of {count} calls got {len(answers)} answers", node_id=node_id)
    unanswered = object()
    outcomes: list[object] = [unanswered] * count
    for answer in answers:
        answered_id, outcome = _open(answer, node_id, dialect)
        if answered_id is None or not first_id <= answered_id < first_id + count:
            raise MalformedAnswer("a batch answer has an id that was not asked", node_id=node_id)
        if outcomes[answered_id - first_id] is not unanswered:
            raise MalformedAnswer("a batch answer has the same id twice", node_id=node_id)
        outcomes[answered_id - first_id] = outcome
    return outcomes


def _batch_refusal(answers: object, first_id: int, count: int, node_id: str, dialect: Dialect) -> RpcFailure | None:
    """The error by which a node refuses a whole batch: one error object, or that object alone in a list.

    geth puts the id of the first call on it, others null.
    """
    if isinstance(answers, list):
        if len(answers) != 1 or count == 1:
            return None
        answers = answers[0]
    if not isinstance(answers, dict):
        return None
    answered_id, outcome = _open(answers, node_id, dialect)
    if isinstance(outcome, RpcFailure) and answered_id in (None, first_id):
        return outcome
    return None


def _open(answer: object, node_id: str, dialect: Dialect) -> tuple[int | None, object]:
    """The id of one response object, and its result or `RpcFailure`."""
    if type(answer) is not dict:
        raise MalformedAnswer("an answer is not a JSON-RPC object", node_id=node_id)
    if dialect.has_legacy_answers and "jsonrpc" not in answer:
        answer = _without_null_member(answer, node_id)
    if answer.get("jsonrpc") != "2.0":
        raise MalformedAnswer("an answer does not say jsonrpc 2.0", node_id=node_id)
    if ("result" in answer) == ("error" in answer):
        raise MalformedAnswer("an answer has not exactly one of result and error", node_id=node_id)
    answered_id = answer.get("id", False)
    if answered_id is not None and type(answered_id) is not int:  # JSON true equals 1 in Python, and is not an id
        raise MalformedAnswer("an answer has no usable id", node_id=node_id)
    if "result" in answer:
        return answered_id, answer["result"]
    return answered_id, _failure(answer["error"], node_id)


def _without_null_member(answer: dict[str, Any], node_id: str) -> dict[str, Any]:
    """A JSON-RPC 1.0 answer in the form of 2.0: only the member that speaks."""
    if not {"result", "error"} <= answer.keys():
        raise MalformedAnswer("an answer without jsonrpc has not both result and error", node_id=node_id)
    if answer["result"] is not None and answer["error"] is not None:
        raise MalformedAnswer("an answer has not exactly one of result and error", node_id=node_id)
    silent = "error" if answer["error"] is None else "result"
    return {"jsonrpc": "2.0"} | {name: value for name, value in answer.items() if name != silent}


def _failure(error: object, node_id: str) -> RpcFailure:
    if type(error) is not dict or type(error.get("code")) is not int or type(error.get("message")) is not str:
        raise MalformedAnswer("an error answer has no code and message", node_id=node_id)
    return RpcFailure(error["code"], error["message"])


def parse_strictly(body: bytes, *, node_id: str = "", has_decimals: bool = False) -> object:
    """JSON without what two parsers could read differently.

    Refuses repeated keys, NaN and Infinity, nesting below `NESTING_MAX`, fractions, exponents and integers
    beyond 64 bits: this protocol writes large numbers as strings, and a float is never an amount. With
    `has_decimals` such numbers are read, fractions and exponents as `Decimal`.
    """
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise MalformedAnswer("the answer is not JSON", node_id=node_id) from None
    _refuse_floats_and_depth(parsed, node_id, floats_allowed=has_decimals)
    if has_decimals:
        return _with_decimals(body, node_id)
    # orjson keeps the last of repeated keys. What it writes has no repeated key, so if it writes these very bytes
    # there was none. Anything else (blanks, escapes, a repeated key) is decided by the slow parser.
    if orjson.dumps(parsed) != body.strip(b" \t\r\n"):
        _refuse_repeated_keys(body, node_id)
    return parsed


def _with_decimals(body: bytes, node_id: str) -> object:
    """The same text read anew, by the parser that lets fractions be exact. It is JSON and not deep: that was seen."""
    try:
        return json.loads(body, parse_float=Decimal, object_pairs_hook=lambda pairs: _distinct(pairs, node_id))
    except (ValueError, ArithmeticError):  # an integer or an exponent of absurd length
        raise MalformedAnswer("the answer has a number that cannot be read", node_id=node_id) from None


def _refuse_floats_and_depth(parsed: object, node_id: str, *, floats_allowed: bool) -> None:
    """Level by level, without recursion, in time of the number of values and not of their length."""
    groups: list[list[Any]] = [[parsed]]
    for _ in range(NESTING_MAX + 1):
        objects: list[dict[str, Any]] = []
        lists: list[list[Any]] = []
        for group in groups:
            kinds = set(map(type, group))
            if float in kinds and not floats_allowed:
                raise MalformedAnswer("the answer has a number that is not a 64-bit integer", node_id=node_id)
            if dict in kinds:
                objects += [value for value in group if type(value) is dict]
            if list in kinds:
                lists += [value for value in group if type(value) is list]
        if not objects and not lists:
            return
        # What stands in objects and what stands in lists apart: long ones are often of one kind, and then done with.
        groups = [[*chain.from_iterable(map(dict.values, objects))], [*chain.from_iterable(lists)]]
    raise MalformedAnswer(f"the answer is nested deeper than {NESTING_MAX} levels", node_id=node_id)


def _refuse_repeated_keys(body: bytes, node_id: str) -> None:
    json.loads(body, object_pairs_hook=lambda pairs: _distinct(pairs, node_id))


def _distinct(pairs: list[tuple[str, object]], node_id: str) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedAnswer("the answer has a repeated key", node_id=node_id)
    return found
