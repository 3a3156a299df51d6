"""The proxy tells the truth unchanged, and each lie is told as named, and only it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from chains.devnet import lies
from chains.devnet.anvil import AnvilNode
from chains.devnet.deploy import call_data, send
from chains.devnet.lagging import frozen_head, lagging
from chains.devnet.lying_proxy import Answer, Lie, LyingProxy, Reply, ReplyLie
from chains.devnet.post import PostFailed, post
from chains.devnet.pytest_plugin import DeployErc20

pytestmark = pytest.mark.devnet

SOMEBODY = "0x1111111111111111111111111111111111111111"
Question = tuple[str, list[Any]]


def encode(questions: list[Question]) -> bytes:
    """A batch of calls with ids from 0."""
    return json.dumps(
        [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(questions)
        ]
    ).encode()


def batch(url: str, *questions: Question) -> list[Any]:
    """The answers to a batch, as they came."""
    answers: list[Any] = json.loads(post(url, encode(list(questions)), 10)[2])
    return answers


def ask(url: str, method: str, *params: Any) -> Any:
    """The one answer to a batch of one call: its result, or the error's code as an int."""
    (answer,) = batch(url, (method, list(params)))
    return answer["result"] if "result" in answer else answer["error"]["code"]


QUESTIONS: list[Question] = [
    ("eth_chainId", []),
    ("eth_getBlockByNumber", ["latest", True]),
    ("eth_getBalance", [SOMEBODY, "latest"]),
    ("eth_getBlockByNumber", [hex(10**6), False]),
    ("no_such_method", []),
    ("eth_getLogs", [{"fromBlock": "0x0"}]),
]


@pytest.mark.parametrize(
    "truthful",
    [[], [lambda method, params, answer: answer], [lies.change_balance("0x" + "22" * 20, 1), lies.omit("eth_foo")]],
    ids=["no lies", "a lie that is none", "lies about other things"],
)
@pytest.mark.parametrize("form", ["batch", "single", "not json", "empty batch"])
def test_the_truth_passes_through_byte_by_byte(truthful: list[Lie], form: str, anvil: AnvilNode) -> None:
    single = json.dumps({"jsonrpc": "2.0", "id": "text", "method": "eth_getBlockByNumber", "params": ["0x0", True]})
    body = {"batch": encode(QUESTIONS), "single": single.encode(), "not json": b"{", "empty batch": b"[]"}[form]
    with LyingProxy(anvil.url, truthful) as proxy:
        assert post(proxy.url, body, 10) == post(anvil.url, body, 10)
        assert proxy.errors == []
        assert [call.method for call in proxy.seen] == {
            "batch": [method for method, _ in QUESTIONS],
            "single": ["eth_getBlockByNumber"],
        }.get(form, [])


def test_a_batch_answer_is_omitted(anvil: AnvilNode) -> None:
    with LyingProxy(anvil.url, [lies.omit("eth_chainId")]) as proxy:
        answers = batch(proxy.url, ("eth_blockNumber", []), ("eth_chainId", []), ("eth_gasPrice", []))
        assert [answer["id"] for answer in answers] == [0, 2]
        assert post(proxy.url, b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}', 10)[2] == b""


def test_a_batch_answer_is_duplicated(anvil: AnvilNode) -> None:
    with LyingProxy(anvil.url, [lies.duplicate("eth_chainId")]) as proxy:
        answers = batch(proxy.url, ("eth_blockNumber", []), ("eth_chainId", []), ("eth_gasPrice", []))
        assert [answer["id"] for answer in answers] == [0, 1, 1, 2]


def test_a_batch_is_reordered(anvil: AnvilNode) -> None:
    with LyingProxy(anvil.url, reply_lies=[lies.reorder()]) as proxy:
        answers = batch(proxy.url, ("eth_blockNumber", []), ("eth_chainId", []), ("web3_clientVersion", []))
        assert [answer["id"] for answer in answers] == [2, 1, 0]
        assert answers[1]["result"] == hex(anvil.chain_id)


@pytest.mark.parametrize("foreign", [None, 99, "1", 1.5, True])
def test_an_answer_has_a_foreign_id(foreign: object, anvil: AnvilNode) -> None:
    with LyingProxy(anvil.url, [lies.change_id("eth_chainId", lambda _: foreign)]) as proxy:
        answers = batch(proxy.url, ("eth_blockNumber", []), ("eth_chainId", []))
        assert repr([answer["id"] for answer in answers]) == repr([0, foreign]), "True is not 1 here"


def test_a_method_fails(anvil: AnvilNode) -> None:
    with LyingProxy(anvil.url, [lies.fail("eth_getBalance", -32005, "limit exceeded")]) as proxy:
        assert ask(proxy.url, "eth_getBalance", SOMEBODY, "latest") == -32005
        assert ask(proxy.url, "eth_chainId") == hex(anvil.chain_id)


def test_a_balance_is_changed(anvil: AnvilNode, accounts: list[str]) -> None:
    with LyingProxy(anvil.url, [lies.change_balance(accounts[1].lower(), 5)]) as proxy:
        assert ask(proxy.url, "eth_getBalance", accounts[1], "latest") == "0x5"
        assert ask(proxy.url, "eth_getBalance", accounts[2], "latest") == hex(anvil.balance(accounts[2]))


def test_a_token_balance_is_changed(anvil: AnvilNode, deploy_erc20: DeployErc20, accounts: list[str]) -> None:
    token, other = deploy_erc20("USDX", 6, 7), deploy_erc20("USDY", 6, 7)
    with LyingProxy(anvil.url, [lies.change_token_balance(token.address, accounts[0], 9)]) as proxy:

        def balance(contract: str, holder: str, field: str = "data") -> int:
            question = {"to": contract, field: call_data("balanceOf(address)", [holder])}
            return int(ask(proxy.url, "eth_call", question, "latest"), 16)

        assert balance(token.address, accounts[0]) == balance(token.address, accounts[0], "input") == 9
        assert balance(other.address, accounts[0]) == 7
        assert balance(token.address, accounts[1]) == 0


def test_logs_are_dropped_and_rewritten(anvil: AnvilNode, deploy_erc20: DeployErc20, accounts: list[str]) -> None:
    token = deploy_erc20("USDX", 6, 7)
    token.transact("transfer", accounts[1], 2)
    query = {"fromBlock": "0x0", "toBlock": "latest", "address": token.address}
    truth = anvil.rpc("eth_getLogs", query)
    assert len(truth) == 2
    with LyingProxy(anvil.url, [lies.drop_logs(lambda log: int(log["data"], 16) == 2)]) as proxy:
        assert ask(proxy.url, "eth_getLogs", query) == truth[:1]
        proxy.lies = [lies.drop_logs()]
        assert ask(proxy.url, "eth_getLogs", query) == []
        proxy.lies = [lies.change_logs(lambda log: {**log, "removed": True})]
        assert [log["removed"] for log in ask(proxy.url, "eth_getLogs", query)] == [True, True]
    assert anvil.rpc("eth_getLogs", query) == truth


def test_another_chain_id(anvil: AnvilNode) -> None:
    with LyingProxy(anvil.url, [lies.other_chain_id(5)]) as proxy:
        assert (ask(proxy.url, "eth_chainId"), ask(proxy.url, "net_version")) == ("0x5", "5")
        assert ask(proxy.url, "eth_blockNumber") == hex(anvil.block_number())


def test_a_block_is_rewritten(anvil: AnvilNode) -> None:
    anvil.mine(2)
    change = lies.change_block(lambda block: {**block, "timestamp": "0x1"}, height=1)
    with LyingProxy(anvil.url, [change]) as proxy:
        assert ask(proxy.url, "eth_getBlockByNumber", "0x1", False)["timestamp"] == "0x1"
        assert ask(proxy.url, "eth_getBlockByHash", anvil.block_hash(1), False)["timestamp"] == "0x1"
        assert ask(proxy.url, "eth_getBlockByNumber", "0x2", False) == anvil.block(2)
        assert ask(proxy.url, "eth_getBlockByNumber", "0x99", False) is None


@pytest.mark.parametrize("kind", ["lagging", "frozen"])
@pytest.mark.anvil(private=True)
def test_a_node_that_is_behind_knows_nothing_later(kind: str, anvil: AnvilNode, accounts: list[str]) -> None:
    anvil.mine(4)
    send(anvil, accounts[0], SOMEBODY, value_wei=5)  # block 5
    anvil.mine(1)
    head, later, balance = anvil.block(4), anvil.block(6), ["eth_getBalance", SOMEBODY]
    lie = lagging(anvil.url, 2) if kind == "lagging" else frozen_head(anvil.url, 4)
    with LyingProxy(anvil.url, [lie]) as proxy:
        url = proxy.url
        assert ask(url, "eth_blockNumber") == "0x4"
        assert ask(url, "eth_getBlockByNumber", "latest", False) == head
        assert ask(url, "eth_getBlockByNumber", "0x6", False) is None
        assert ask(url, "eth_getBlockByHash", later["hash"], False) is None
        assert ask(url, "eth_getBlockByHash", head["hash"], False) == head
        assert ask(url, *balance, "latest") == ask(url, *balance, "0x4") == "0x0"
        assert ask(url, *balance, head["hash"]) == ask(url, *balance, {"blockHash": head["hash"]}) == "0x0"
        assert ask(url, *balance, "0x6") == ask(url, *balance, later["hash"]) == -32001
        assert ask(url, *balance, {"blockHash": later["hash"], "requireCanonical": True}) == -32001
        assert ask(url, "eth_getBlockByNumber", "earliest", False) == anvil.block(0)
        assert ask(url, "eth_chainId") == hex(anvil.chain_id)
        anvil.mine(2)
        assert ask(url, "eth_blockNumber") == ("0x6" if kind == "lagging" else "0x4")
        assert ask(url, *balance, "latest") == ("0x5" if kind == "lagging" else "0x0")
        assert proxy.errors == []
    assert anvil.balance(SOMEBODY) == 5


@pytest.mark.anvil(private=True)
def test_a_node_that_is_behind_cuts_logs_off_without_an_error(anvil: AnvilNode, deploy_erc20: DeployErc20) -> None:
    token = deploy_erc20("USDX", 6, 7)  # deployed in block 1, minted in block 2
    token.transact("mint", token.deployer, 8)
    query = {"fromBlock": "0x0", "toBlock": "0x3"}
    assert len(anvil.rpc("eth_getLogs", query)) == 2
    with LyingProxy(anvil.url, [lagging(anvil.url, 1)]) as proxy:
        assert [log["blockNumber"] for log in ask(proxy.url, "eth_getLogs", query)] == ["0x2"]
        assert ask(proxy.url, "eth_getLogs", {"blockHash": anvil.block_hash(3)}) == -32000
        assert len(ask(proxy.url, "eth_getLogs", {"blockHash": anvil.block_hash(2)})) == 1


def test_lies_are_narrowed(anvil: AnvilNode) -> None:
    truth = hex(anvil.chain_id)
    with LyingProxy(anvil.url) as proxy:
        proxy.lies = [lies.first(2, lies.other_chain_id(5))]
        ask(proxy.url, "eth_blockNumber")  # not an occasion to lie
        assert [ask(proxy.url, "eth_chainId") for _ in range(4)] == ["0x5", "0x5", truth, truth]
        proxy.lies = [lies.after(2, lies.other_chain_id(5))]
        assert [ask(proxy.url, "eth_chainId") for _ in range(4)] == [truth, truth, "0x5", "0x5"]
        proxy.lies = [lies.only("net_version", lies.other_chain_id(5))]
        assert (ask(proxy.url, "eth_chainId"), ask(proxy.url, "net_version")) == (truth, "5")
        proxy.lies, proxy.reply_lies = [], [lies.first(1, lies.http_status(503))]
        assert [post(proxy.url, encode(QUESTIONS), 120)[0] for _ in range(2)] == [503, 200]


def test_lies_are_told_one_after_another(anvil: AnvilNode) -> None:
    with LyingProxy(anvil.url, [lies.other_chain_id(5), lies.duplicate("eth_chainId")]) as proxy:
        answers = batch(proxy.url, ("eth_chainId", []))
        assert [answer["result"] for answer in answers] == ["0x5", "0x5"]


@pytest.mark.parametrize(
    ("lie", "status", "content"),
    [
        (lies.http_status(429, [("Retry-After", "1")]), 429, b""),
        (lies.http_status(500, body=b"oops"), 500, b"oops"),
        (lies.html_page(), 200, lies.HTML_PAGE),
        (lies.html_page(503), 503, lies.HTML_PAGE),
        (lies.body(b"nonsense"), 200, b"nonsense"),
        (lies.redirect("http://127.0.0.1:1/"), 307, b""),
    ],
)
def test_the_whole_reply_is_another(lie: ReplyLie, status: int, content: bytes, anvil: AnvilNode) -> None:
    with LyingProxy(anvil.url, reply_lies=[lie]) as proxy:
        told, _, body = post(proxy.url, encode(QUESTIONS), 120)
    assert (told, body) == (status, content)


def test_a_delay_and_a_drip_take_their_time(anvil: AnvilNode) -> None:
    question = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'
    with LyingProxy(anvil.url) as proxy:
        for lie in (lies.delay(0.3), lies.drip(0.01)):
            proxy.reply_lies = [lie]
            began = time.monotonic()
            body = post(proxy.url, question, 120)[2]
            assert time.monotonic() - began > 0.25
            assert json.loads(body)["result"] == hex(anvil.chain_id)


def test_a_cut_reply_is_cut(anvil: AnvilNode) -> None:
    with LyingProxy(anvil.url, reply_lies=[lies.cut(10)]) as proxy:
        with pytest.raises(PostFailed, match="IncompleteRead"):
            post(proxy.url, encode(QUESTIONS), 120)
        proxy.reply_lies = []
        assert post(proxy.url, encode(QUESTIONS), 120)[0] == 200


def test_stopping_does_not_wait_for_a_delay(anvil: AnvilNode) -> None:
    began = time.monotonic()
    with LyingProxy(anvil.url, reply_lies=[lies.delay(3_600)]) as proxy, pytest.raises(PostFailed):
        post(proxy.url, encode(QUESTIONS), 0.1)
    assert time.monotonic() - began < 600
    with pytest.raises(RuntimeError, match="not running"):
        _ = proxy.url


def test_a_lie_that_fails_is_told_to_the_test(anvil: AnvilNode) -> None:
    def broken(method: str, params: list[Any], answer: Answer) -> Answer:
        raise LookupError("my own mistake")

    with LyingProxy(anvil.url, [broken]) as proxy:
        assert post(proxy.url, encode(QUESTIONS), 120)[0] == 500
        assert [str(error) for error in proxy.errors] == ["my own mistake"]


def test_without_its_node_the_proxy_answers_500() -> None:
    with LyingProxy("http://127.0.0.1:1") as proxy:
        assert post(proxy.url, encode(QUESTIONS), 120)[0] == 500
        assert len(proxy.errors) == 1


def test_a_reply_lie_sees_the_calls(anvil: AnvilNode) -> None:
    seen: list[list[Answer]] = []

    def look(calls: list[Answer], reply: Reply) -> Reply:
        seen.append(calls)
        return reply

    with LyingProxy(anvil.url, reply_lies=[look]) as proxy:
        batch(proxy.url, ("eth_chainId", []), ("eth_blockNumber", []))
    assert [[call["method"] for call in calls] for calls in seen] == [["eth_chainId", "eth_blockNumber"]]
