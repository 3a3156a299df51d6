"""JSON-RPC as Bitcoin Core frames it: forms, versions, batches, parameters by place or name, errors and statuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from chains.devnet.bitcoin.core_json import written

INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
PARSE_ERROR: Final = -32700
MISC_ERROR: Final = -1
TYPE_ERROR: Final = -3
INVALID_ADDRESS_OR_KEY: Final = -5
INVALID_PARAMETER: Final = -8
DESERIALIZATION_ERROR: Final = -22
IN_WARMUP: Final = -28

_MISSING: Final = object()


class RpcError(Exception):
    """An error answer of one call."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Method:
    """One method: its parameters as `name:type`, optional from `required` on; `name|alias` has two names."""

    call: Callable[..., Any]
    parameters: tuple[str, ...] = ()
    required: int = 0


@dataclass(frozen=True, slots=True)
class RpcReply:
    """What an RPC request is answered with; no body where every call was a notification."""

    status: int
    body: str | None


def answer(
    body: bytes, methods: Mapping[str, Method], allowed: frozenset[str] | None, warming_up: str | None
) -> RpcReply:
    """The reply to a request body; `allowed` are the methods of a user with a whitelist, None for every method."""
    try:
        request = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return _single(RpcError(PARSE_ERROR, "Parse error"), None, modern=False)
    if isinstance(request, list):
        return _batch(request, methods, allowed, warming_up)
    if not isinstance(request, dict):
        return _single(RpcError(PARSE_ERROR, "Top-level object parse error"), None, modern=False)
    if allowed is not None and request.get("method") not in allowed:
        return RpcReply(403, None)
    modern = False
    identity = request.get("id", _MISSING)
    try:
        modern = _is_modern(request)
        name, given = _call_of(request)
    except RpcError as error:
        return _single(error, identity, modern=modern, malformed=True)
    outcome = _outcome(name, given, methods, warming_up)
    if modern and identity is _MISSING:
        return RpcReply(204, None)
    return _single(outcome, identity, modern=modern)


def _batch(
    requests: Sequence[Any], methods: Mapping[str, Method], allowed: frozenset[str] | None, warming_up: str | None
) -> RpcReply:
    if allowed is not None and any(isinstance(each, dict) and each.get("method") not in allowed for each in requests):
        return RpcReply(403, None)
    answers = []
    identity: Any = None
    for each in requests:
        modern = False
        try:
            if not isinstance(each, dict):
                raise RpcError(INVALID_REQUEST, "Invalid Request object")
            identity = each.get("id", _MISSING)
            modern = _is_modern(each)
            name, given = _call_of(each)
            outcome = _outcome(name, given, methods, warming_up)
            if modern and identity is _MISSING:
                continue
        except RpcError as error:
            # Where there is no object, Bitcoin Core repeats the id of the call before.
            outcome = error
        answers.append(_framed(outcome, identity, modern=modern))
    if requests and not answers:
        return RpcReply(204, None)
    return RpcReply(200, written(answers) + "\n")


def _is_modern(request: Mapping[str, Any]) -> bool:
    """Whether the call is JSON-RPC 2.0; without a version it is of the older form."""
    version = request.get("jsonrpc", "1.0")
    if version not in ("1.0", "2.0"):
        raise RpcError(INVALID_REQUEST, "JSON-RPC version not supported")
    return bool(version == "2.0")


def _call_of(request: Mapping[str, Any]) -> tuple[str, Any]:
    name = request.get("method")
    if name is None:
        raise RpcError(INVALID_REQUEST, "Missing method")
    if not isinstance(name, str):
        raise RpcError(INVALID_REQUEST, "Method must be a string")
    given = request.get("params")
    if given is not None and not isinstance(given, list | dict):
        raise RpcError(INVALID_REQUEST, "Params must be an array or object")
    return name, given if given is not None else []


def _outcome(name: str, given: Any, methods: Mapping[str, Method], warming_up: str | None) -> Any:
    """The result, or an `RpcError` as a value."""
    try:
        if warming_up is not None:
            raise RpcError(IN_WARMUP, warming_up)
        method = methods.get(name)
        if method is None:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        return method.call(*_arguments(name, method, given))
    except RpcError as error:
        return error


def _arguments(name: str, method: Method, given: Any) -> list[Any]:
    declared = [parameter.rpartition(":") for parameter in method.parameters]
    arguments = _by_place(declared, given) if isinstance(given, dict) else list(given)
    while arguments and arguments[-1] is None:
        arguments.pop()
    if not method.required <= len(arguments) <= len(declared):
        raise RpcError(MISC_ERROR, f"{name} {' '.join(names for names, _, _ in declared)}".rstrip())
    wrong = {}
    for place, (argument, (names, _, kind)) in enumerate(zip(arguments, declared, strict=False)):
        found = _kind(argument)
        if argument is not None and kind != "any" and found not in kind.split("/"):
            label = f"Position {place + 1} ({names.partition('|')[0]})"
            wrong[label] = f"JSON value of type {found} is not of expected type {kind}"
    if wrong:
        raise RpcError(TYPE_ERROR, f"Wrong type passed:\n{json.dumps(wrong, indent=4)}")
    return arguments


def _by_place(declared: Sequence[tuple[str, str, str]], given: Mapping[str, Any]) -> list[Any]:
    places = {name: place for place, (names, _, _) in enumerate(declared) for name in names.split("|")}
    arguments: list[Any] = [None] * len(declared)
    for name, value in given.items():
        if name not in places:
            raise RpcError(INVALID_PARAMETER, f"Unknown named parameter {name}")
        arguments[places[name]] = value
    return arguments


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | Decimal):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _single(outcome: Any, identity: Any, *, modern: bool, malformed: bool = False) -> RpcReply:
    status = 200
    if isinstance(outcome, RpcError) and (malformed or not modern):
        status = {INVALID_REQUEST: 400, METHOD_NOT_FOUND: 404}.get(outcome.code, 500)
    return RpcReply(status, written(_framed(outcome, identity, modern=modern)) + "\n")


def _framed(outcome: Any, identity: Any, *, modern: bool) -> dict[str, Any]:
    error = {"code": outcome.code, "message": outcome.message} if isinstance(outcome, RpcError) else None
    framed: dict[str, Any]
    if modern:
        framed = {"jsonrpc": "2.0"} | ({"result": outcome} if error is None else {"error": error})
    else:
        framed = {"result": None if error else outcome, "error": error}
    return framed if identity is _MISSING else framed | {"id": identity}
