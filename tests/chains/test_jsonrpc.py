"""JSON-RPC without I/O: what is attributed to which call, what is refused, and what a node's error means."""

from __future__ import annotations

import json
import random

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chains.errors import (
    ChainMoved,
    MalformedAnswer,
    NodeRefused,
    NodeUnavailable,
    RangeTooLarge,
    ReadError,
    StateUnavailable,
    UnsupportedByNode,
)
from chains.jsonrpc import (
    NESTING_MAX,
    RpcCall,
    RpcFailure,
    decode_batch,
    decode_call,
    encode_batch,
    encode_call,
    parse_strictly,
)
from chains.node_text import BODY_BYTES_MAX, MESSAGE_CHARACTERS_MAX, body_excerpt, node_text
from chains.rpc_failures import failure_error


def ok(request_id: object, result: object = "0x1") -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def failed(request_id: object, code: object = -32000, message: object = "no") -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}}


def test_the_bodies_of_requests() -> None:
    call = RpcCall("eth_getBalance", ("0xab", {"blockHash": "0xcd"}))
    single = {"jsonrpc": "2.0", "id": 7, "method": "eth_getBalance", "params": ["0xab", {"blockHash": "0xcd"}]}
    assert json.loads(encode_call(7, call)) == single
    batch = json.loads(encode_batch(8, [call, RpcCall("eth_chainId")]))
    assert batch == [{**single, "id": 8}, {"jsonrpc": "2.0", "id": 9, "method": "eth_chainId", "params": []}]


# One call ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("result", ["0x1", None, [], {"a": [1, True, None]}, False, 2**64 - 1, -(2**63)])
def test_a_result_is_handed_over(result: object) -> None:
    assert decode_call(orjson.dumps(ok(3, result)), 3) == result


def test_an_error_is_a_value() -> None:
    assert decode_call(orjson.dumps(failed(3, -32000, "no")), 3) == RpcFailure(-32000, "no")
    assert decode_call(orjson.dumps(failed(None, -32700, "parse")), 3) == RpcFailure(-32700, "parse")


MALFORMED_ANSWERS: list[tuple[str, bytes]] = [
    ("both", b'{"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":"x"}}'),
    ("both, error null", b'{"jsonrpc":"2.0","id":1,"result":1,"error":null}'),
    ("neither", b'{"jsonrpc":"2.0","id":1}'),
    ("no version", b'{"id":1,"result":1}'),
    ("version 1.0", b'{"jsonrpc":"1.0","id":1,"result":1}'),
    ("version as number", b'{"jsonrpc":2.0,"id":1,"result":1}'),
    ("foreign id", b'{"jsonrpc":"2.0","id":2,"result":1}'),
    ("id as text", b'{"jsonrpc":"2.0","id":"1","result":1}'),
    ("id true, which equals 1 in Python", b'{"jsonrpc":"2.0","id":true,"result":1}'),
    ("id as float", b'{"jsonrpc":"2.0","id":1.0,"result":1}'),
    ("null id with a result", b'{"jsonrpc":"2.0","id":null,"result":1}'),
    ("no id", b'{"jsonrpc":"2.0","result":1}'),
    ("error null", b'{"jsonrpc":"2.0","id":1,"error":null}'),
    ("error as text", b'{"jsonrpc":"2.0","id":1,"error":"x"}'),
    ("error without code", b'{"jsonrpc":"2.0","id":1,"error":{"message":"x"}}'),
    ("error code as bool", b'{"jsonrpc":"2.0","id":1,"error":{"code":true,"message":"x"}}'),
    ("error without message", b'{"jsonrpc":"2.0","id":1,"error":{"code":1}}'),
    ("list for a call", b'[{"jsonrpc":"2.0","id":1,"result":1}]'),
    ("text", b'"x"'),
    ("empty", b""),
    ("blank", b" \n"),
    ("HTML", b"<html>busy</html>"),
    ("truncated", b'{"jsonrpc":"2.0","id":1,"result":"0x1'),
    ("two documents", b'{"jsonrpc":"2.0","id":1,"result":1}{}'),
    ("not UTF-8", b'{"jsonrpc":"2.0","id":1,"result":"\xff"}'),
    ("UTF-16", '{"jsonrpc":"2.0","id":1,"result":1}'.encode("utf-16")),
    ("lone surrogate", b'{"jsonrpc":"2.0","id":1,"result":"\\ud800"}'),
    ("NaN", b'{"jsonrpc":"2.0","id":1,"result":NaN}'),
    ("Infinity", b'{"jsonrpc":"2.0","id":1,"result":-Infinity}'),
    ("infinite by exponent", b'{"jsonrpc":"2.0","id":1,"result":1e999}'),
    ("fraction", b'{"jsonrpc":"2.0","id":1,"result":[{"a":0.5}]}'),
    ("whole number as float", b'{"jsonrpc":"2.0","id":1,"result":{"a":[1.0]}}'),
    ("exponent", b'{"jsonrpc":"2.0","id":1,"result":1e3}'),
    ("65 bits", b'{"jsonrpc":"2.0","id":1,"result":18446744073709551616}'),
    ("5,000 digits", b'{"jsonrpc":"2.0","id":1,"result":' + b"9" * 5000 + b"}"),
    ("10,000 deep", b'{"jsonrpc":"2.0","id":1,"result":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    ("10,000 deep, objects", b'{"jsonrpc":"2.0","id":1,"result":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001),
    ("result twice", b'{"jsonrpc":"2.0","id":1,"result":1,"result":2}'),
    ("the same result twice", b'{"jsonrpc":"2.0","id":1,"result":1,"result":1}'),
    ("id twice", b'{"jsonrpc":"2.0","id":2,"id":1,"result":1}'),
    ("repeated key deep inside", b'{"jsonrpc":"2.0","id":1,"result":[{"a":[{"b":1,"b":1}]}]}'),
    ("repeated key, one escaped", b'{"jsonrpc":"2.0","id":1,"result":{"a":1,"\\u0061":2}}'),
    ("repeated key with blanks", b'{ "jsonrpc": "2.0", "id": 1, "result": {"a" : 1, "a" : 1} }'),
    ("comment", b'{"jsonrpc":"2.0","id":1,"result":1}//'),
    ("trailing comma", b'{"jsonrpc":"2.0","id":1,"result":[1,]}'),
]


@pytest.mark.fault("A12", "A6", "A5")
@pytest.mark.parametrize("body", [body for _, body in MALFORMED_ANSWERS], ids=[name for name, _ in MALFORMED_ANSWERS])
def test_a_malformed_answer_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        decode_call(body, 1, node_id="n1")
    assert caught.value.node_id == "n1"
    assert len(str(caught.value)) < 200


@pytest.mark.fault("A12")
@pytest.mark.parametrize(
    "body",
    [
        b' \r\n{ "jsonrpc" : "2.0",\t"id": 1, "result": {"a": [1, 2], "b": {"a": 1}} }\n',
        b'{"result":{"a":[1,2],"b":{"a":1}},"id":1,"jsonrpc":"2.0"}',
        b'{"jsonrpc":"2.0","id":1,"result":{"\\u0061":[1,2],"b":{"a":1}},"extra":"caf\xc3\xa9 \\u003c \\/"}',
    ],
    ids=["blanks", "order of members", "escapes and an unknown member"],
)
def test_lawful_variety_is_accepted(body: bytes) -> None:
    assert decode_call(body, 1) == {"a": [1, 2], "b": {"a": 1}}


@pytest.mark.fault("A12")
def test_nesting_is_accepted_up_to_the_limit() -> None:
    deepest = b"[" * NESTING_MAX + b"]" * NESTING_MAX
    assert parse_strictly(deepest) is not None
    with pytest.raises(MalformedAnswer, match="nested"):
        parse_strictly(b"[" + deepest + b"]")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.fault("A12")
@given(JSON_VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_any_sound_value_is_read_as_it_was_written(value: object, ascii_only: bool, indent: int | None) -> None:
    assert parse_strictly(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()) == value


@pytest.mark.fault("A12")
@given(st.dictionaries(st.text(), JSON_VALUES, min_size=1, max_size=4), st.data(), st.booleans(), st.booleans())
@example({"\n": 0}, None, False, True)
def test_any_repeated_key_is_refused(
    members: dict[str, object], choice: st.DataObject | None, ascii_only: bool, blanks: bool
) -> None:
    """Also where the repeated member is equal to the first, which no comparison of values could notice."""
    repeated = choice.draw(st.sampled_from(sorted(members))) if choice else next(iter(members))
    comma, colon = (", ", ": ") if blanks else (",", ":")
    pairs = [*members.items(), (repeated, members[repeated])]
    text = comma.join(
        json.dumps(key, ensure_ascii=ascii_only)
        + colon
        + json.dumps(value, ensure_ascii=ascii_only, separators=(comma, colon))
        for key, value in pairs
    )
    with pytest.raises(MalformedAnswer, match="repeated"):
        parse_strictly(f'[{{"outer":{{{text}}}}}]'.encode())


# Batches ----------------------------------------------------------------------------------------------------------


@pytest.mark.fault("A7")
@given(st.integers(1, 30), st.randoms(use_true_random=False))
def test_answers_in_any_order_go_to_their_calls(count: int, shuffler: random.Random) -> None:
    answers = [ok(100 + place, hex(place)) for place in range(count)]
    shuffler.shuffle(answers)
    assert decode_batch(orjson.dumps(answers), 100, count) == [hex(place) for place in range(count)]


@pytest.mark.fault("A9")
def test_good_items_are_kept_beside_failed_ones() -> None:
    outcomes = decode_batch(orjson.dumps([failed(2, -32000, "missing trie node"), ok(1, "0x5")]), 1, 2)
    assert outcomes == ["0x5", RpcFailure(-32000, "missing trie node")]


@pytest.mark.fault("A8")
@pytest.mark.parametrize(
    "answers",
    [
        [ok(1), ok(2)],
        [ok(1), ok(2), ok(2)],
        [ok(1), ok(2), ok(4)],
        [ok(1), ok(2), ok(0)],
        [ok(1), ok(2), ok(None)],
        [ok(1), ok(2), failed(None)],
        [ok(1), ok(2), ok("3")],
        [ok(1), ok(2), ok(3), ok(3)],
        [ok(1), ok(2), ok(3), ok(4)],
        [ok(2), ok(3), True],
        [ok(1), ok(2), ok(3.0)],
        [ok(True), ok(2), ok(3)],
        [],
        [[ok(1), ok(2), ok(3)]],
        ok(1),
        "0x1",
        None,
        [failed(2)],
        failed(3),
    ],
)
def test_a_batch_that_cannot_be_attributed_is_refused_whole(answers: object) -> None:
    with pytest.raises(MalformedAnswer):
        decode_batch(orjson.dumps(answers), 1, 3)


@pytest.mark.fault("A10")
@pytest.mark.parametrize(
    "answer", [failed(None, -32600), failed(1, -32600), [failed(1, -32600)], [failed(None, -32600)]]
)
def test_one_error_for_the_batch_is_its_refusal(answer: object) -> None:
    assert decode_batch(orjson.dumps(answer), 1, 3) == RpcFailure(-32600, "no")


def test_one_error_for_a_batch_of_one_is_its_item() -> None:
    assert decode_batch(orjson.dumps([failed(1)]), 1, 1) == [RpcFailure(-32000, "no")]


# What a node's error means ----------------------------------------------------------------------------------------


@pytest.mark.fault("A9", "A21", "A25", "A33")
@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (-32601, "Method not found", UnsupportedByNode),
        (-32601, "the method eth_getProof does not exist/is not available", UnsupportedByNode),
        (-32000, "method eth_getProof is not whitelisted", UnsupportedByNode),
        (-32004, "nope", UnsupportedByNode),
        (-32602, "too many arguments, want at most 2", UnsupportedByNode),
        (-32000, "missing trie node 0abc (path ) state 0xdef is not available", StateUnavailable),
        (-32000, "header not found", StateUnavailable),
        (-32000, "required historical state unavailable (reexec=128)", StateUnavailable),
        (-32000, "state already pruned", StateUnavailable),
        (-32000, "distance to target block exceeds maximum proof window", StateUnavailable),
        (-32001, "Resource not found", ChainMoved),
        (-32000, "hash 0xabc is not currently canonical", ChainMoved),
        (-32000, "unknown block", ChainMoved),
        (-32000, "header for hash not found", ChainMoved),
        (-32005, "query returned more than 10000 results", RangeTooLarge),
        (-32602, "Log response size exceeded. You can make eth_getLogs requests with up to a 2K range", RangeTooLarge),
        (-32600, "eth_getLogs is limited to a 10,000 range", RangeTooLarge),
        (-32000, "block range too large", RangeTooLarge),
        (-32000, "exceed maximum block range: 50000", RangeTooLarge),
        (-32000, "range too large, max is 1k blocks", RangeTooLarge),
        (429, "Your app has exceeded its compute units per second capacity", NodeUnavailable),
        (-32005, "daily request count exceeded, request rate limited", NodeUnavailable),
        (-32007, "50/second request limit reached - too many requests", NodeUnavailable),
        (-32000, "insufficient funds", NodeRefused),
        (-32603, "internal error", NodeRefused),
        (-32602, "invalid argument 0: hex string has length 38", NodeRefused),
    ],
)
def test_wordings_of_nodes(code: int, message: str, kind: type[ReadError]) -> None:
    error = failure_error(RpcFailure(code, message), node_id="n1")
    assert type(error) is kind
    assert error.node_id == "n1"
    if isinstance(error, NodeRefused):
        assert error.rpc_code == code


@pytest.mark.fault("F12")
@pytest.mark.parametrize(
    ("code", "message"),
    [
        (3, "unknown block"),
        (-32000, "execution reverted: Resource not found"),
        (-32015, "VM execution error. Reverted missing trie node"),
        (-32000, "execution reverted: too many requests, block range too large"),
    ],
)
def test_a_contract_does_not_choose_what_its_revert_means(code: int, message: str) -> None:
    assert type(failure_error(RpcFailure(code, message))) is NodeRefused


@pytest.mark.fault("F12", "F14", "A5")
def test_a_nodes_text_is_made_fit_to_show() -> None:
    text = node_text("bad key canary-1 at https://host.example/v3/abc?x=1 \x1b[2J\u202e\n end", ["canary-1"])
    assert text == r"bad key [hidden] at [url] \x1b[2J\u202e\n end"
    assert len(node_text("x" * 10_000_000)) == MESSAGE_CHARACTERS_MAX
    assert len(node_text("\x00" * 10_000)) == MESSAGE_CHARACTERS_MAX
    assert "canary" not in node_text("canary-1" * 1_000_000, ["canary-1"])


@pytest.mark.fault("F14", "A5")
@pytest.mark.parametrize("before", range(BODY_BYTES_MAX - 20, BODY_BYTES_MAX + 2))
def test_a_secret_that_the_cut_of_a_body_breaks_is_not_shown_in_part(before: int) -> None:
    excerpt = body_excerpt(b"x" * before + b"canary-1-secret and more" * 9, ["canary-1-secret"])
    assert "can" not in excerpt
    assert excerpt.startswith("x" * (BODY_BYTES_MAX - 20))
