"""Allowances, Permit2 grants and issuers' stops, read on a real node; what was not read never looks like none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chains.devnet import lies
from chains.devnet.deploy import Deployed, place
from chains.devnet.lagging import lagging
from chains.devnet.lying_proxy import Lie, LyingProxy
from chains.devnet.pytest_plugin import DeployContract, DeployErc20
from chains.errors import ChainMoved, InvalidValue, MalformedAnswer, RangeTooLarge
from chains.evm.encumbrance_types import (
    PERMIT2_ADDRESS,
    UINT160_MAX,
    Answer,
    EncumbranceSettings,
    Fact,
    Grant,
    GrantKind,
)
from chains.types import UINT256_MAX, Address
from tests.chains.evm.conftest import EvmChain
from tests.chains.evm.encumbered import Wallets, control, grants, restrictions, unread

pytestmark = pytest.mark.devnet

Lying = Callable[..., LyingProxy]
ALLOWANCE, PERMIT2 = GrantKind.ALLOWANCE, GrantKind.PERMIT2


@pytest.fixture
def token(deploy_erc20: DeployErc20) -> Deployed:
    return deploy_erc20("USDX", 6, 10**9)


@pytest.fixture
def wallets(chain: EvmChain, token: Deployed, holders: list[Address]) -> Wallets:
    return Wallets(chain, [chain.native, chain.token(token, 6)], holders[1:4])


@pytest.fixture
def permit2(chain: EvmChain) -> Deployed:
    from chains.devnet.contracts import load

    place(chain.node, "Permit2Like", PERMIT2_ADDRESS)
    return Deployed(chain.node, load("Permit2Like"), PERMIT2_ADDRESS, chain.node.accounts()[0])


# Allowances


def test_allowances_are_what_they_are_at_the_pin_and_not_what_an_event_said(
    wallets: Wallets, token: Deployed, holders: list[Address]
) -> None:
    _, a, b, c, spender, other = holders[:6]
    for wallet in (a, b, c):
        token.transact("mint", wallet, 1_000)
    token.transact("approve", spender, 700, sender=a)
    token.transact("transferFrom", a, other, 300, sender=spender)  # 400 are left, by no event of this token
    token.transact("approve", spender, 50, sender=b)
    token.transact("approve", spender, 0, sender=b)  # taken back
    token.transact("approve", other, UINT256_MAX, sender=c)
    token.transact("approve", other, 5, sender=holders[7])  # no wallet of ours
    reading = wallets.read()
    assert grants(reading, ALLOWANCE) == sorted([(a, spender, 400), (c, other, UINT256_MAX)])
    assert {grant.owner: grant.is_unlimited for grant in reading.grants} == {a: False, c: True}
    # Three seen in events, and Permit2 for each of the three wallets.
    assert reading.pairs_asked == 6
    assert {(owner, s) for owner, _, s in reading.coverage.candidates.allowances} == {
        (a, spender),
        (b, spender),
        (c, other),
    }
    token.transact("approve", spender, 0, sender=a)
    token.transact("approve", other, 0, sender=c)
    assert wallets.read().grants == ()


def test_only_the_given_blocks_are_looked_through(
    wallets: Wallets, token: Deployed, holders: list[Address], lying_node: Lying
) -> None:
    _, a, b, _, spender = holders[:5]
    token.transact("approve", spender, 700, sender=a)
    early = wallets.read()
    token.transact("approve", spender, 9, sender=b)
    asked: list[int] = []

    def note(method: str, params: list[dict[str, str]], answer: dict[str, object]) -> dict[str, object]:
        if method == "eth_getLogs":
            asked.append(int(params[0]["fromBlock"], 16))
        return answer

    after = early.block.height + 1
    assert grants(wallets.read(lying_node(note).url, first_height=after), ALLOWANCE) == [(b, spender, 9)]
    assert set(asked) == {after}
    assert grants(wallets.read(), ALLOWANCE) == sorted([(a, spender, 700), (b, spender, 9)])


def test_an_allowance_without_any_event_is_found_when_its_spender_is_asked_for(
    chain: EvmChain, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    to_permit2 = deploy_contract("IssuerToken", PERMIT2_ADDRESS)
    to_other = deploy_contract("IssuerToken", holders[8])
    wallets = Wallets(chain, [chain.token(to_permit2, 6), chain.token(to_other, 6)], holders[1:2])
    reading = wallets.read()
    assert [(g.asset, g.spender, g.base_units) for g in reading.grants] == [
        (chain.token(to_permit2, 6), PERMIT2_ADDRESS, UINT256_MAX)
    ]
    asked = wallets.read(settings=EncumbranceSettings(spenders_always_asked=(holders[8],)))
    assert {g.spender for g in asked.grants} == {PERMIT2_ADDRESS, holders[8]}


@pytest.mark.fault("G12")
def test_a_failed_allowance_is_unread_and_never_none(
    wallets: Wallets, token: Deployed, holders: list[Address], lying_node: Lying
) -> None:
    _, a, _, _, spender = holders[:5]
    token.transact("approve", spender, 700, sender=a)
    pair = a[2:].lower() + spender[2:].lower().rjust(64, "0")

    def refused(params: list[object], result: object) -> object:
        return "0x" if pair in str(params[0]) else result

    def no_state(asked: str, params: list[object], answer: dict[str, object]) -> dict[str, object]:
        if asked != "eth_call" or pair not in str(params[0]):
            return answer
        return {"jsonrpc": "2.0", "id": answer["id"], "error": {"code": -32000, "message": "missing trie node"}}

    for lie, code in (
        (lies.change_result("eth_call", refused), "allowance-malformed"),
        (no_state, "state-unavailable"),
    ):
        reading = wallets.read(lying_node(lie).url)
        (grant,) = reading.grants
        assert (grant.owner, grant.spender, grant.base_units) == (a, spender, None)
        assert grant.reason.startswith(f"{code}: ")
    (honest,) = wallets.read(lying_node().url).grants
    assert (honest.base_units, honest.reason) == (700, "")


def test_a_grant_is_an_amount_or_a_reason(wallets: Wallets, holders: list[Address]) -> None:
    asset = wallets.assets[1]
    with pytest.raises(InvalidValue):
        Grant(ALLOWANCE, holders[1], asset, holders[2], None)
    with pytest.raises(InvalidValue):
        Grant(ALLOWANCE, holders[1], asset, holders[2], 5, reason="node-unavailable: silent")
    with pytest.raises(InvalidValue):
        Grant(ALLOWANCE, holders[1], asset, holders[2], 2**256)


# Permit2


def test_permit2_grants_with_their_expiry(
    wallets: Wallets, token: Deployed, permit2: Deployed, holders: list[Address]
) -> None:
    _, a, b, c, spender, other = holders[:6]
    token.transact("approve", PERMIT2_ADDRESS, UINT256_MAX, sender=a)
    permit2.transact("approve", token.address, spender, 500, 2**48 - 1, sender=a)
    permit2.transact("permit", b, token.address, spender, UINT160_MAX, 1)  # expired long ago
    permit2.transact("approve", token.address, other, 7, 2**47, sender=c)
    permit2.transact("lockdown", [(token.address, other)], sender=c)
    permit2.transact("approve", holders[9], other, 7, 2**47, sender=c)  # of a token that we do not hold
    reading = wallets.read()
    assert grants(reading, ALLOWANCE) == [(a, PERMIT2_ADDRESS, UINT256_MAX)]
    assert grants(reading, PERMIT2) == sorted([(a, spender, 500), (b, spender, UINT160_MAX)])
    running, expired = (next(g for g in reading.grants if g.kind is PERMIT2 and g.owner == who) for who in (a, b))
    now = int(reading.block.timestamp.timestamp())
    assert (running.expires_at_seconds, running.holds_at(now), running.is_unlimited) == (2**48 - 1, True, False)
    assert (expired.expires_at_seconds, expired.holds_at(now), expired.is_unlimited) == (1, False, True)
    assert expired.holds_at(1)
    assert len(reading.coverage.candidates.permit2) == 3
    permit2.transact("transferFrom", a, other, 200, token.address, sender=spender) if token.call(
        "balanceOf", a
    ) else None
    permit2.transact("lockdown", [(token.address, spender)], sender=a)
    assert grants(wallets.read(), PERMIT2) == [(b, spender, UINT160_MAX)]


def test_a_grant_given_before_the_covered_blocks_shows_when_it_is_taken_back(
    wallets: Wallets, token: Deployed, permit2: Deployed, holders: list[Address]
) -> None:
    """A lockdown names a spender too: the pair is asked for from then on, whoever grants it again."""
    _, a, _, _, spender = holders[:5]
    permit2.transact("approve", token.address, spender, 500, 2**48 - 1, sender=a)
    start = wallets.chain.node.block_number() + 1
    permit2.transact("lockdown", [(token.address, spender)], sender=a)
    reading = wallets.read(first_height=start)
    assert [(owner, s) for owner, _, s in reading.coverage.candidates.permit2] == [(a, spender)]
    assert grants(reading, PERMIT2) == []


def test_permit2_elsewhere_and_permit2_that_does_not_answer(
    wallets: Wallets, token: Deployed, deploy_contract: DeployContract, holders: list[Address], lying_node: Lying
) -> None:
    _, a, _, _, spender = holders[:5]
    elsewhere = deploy_contract("Permit2Like")
    elsewhere.transact("approve", token.address, spender, 500, 2**48 - 1, sender=a)
    assert wallets.read().grants == ()
    settings = EncumbranceSettings(permit2=Address(elsewhere.address))
    assert grants(wallets.read(settings=settings), PERMIT2) == [(a, spender, 500)]

    def cut(params: list[object], result: str) -> str:
        asked = params[0]
        assert isinstance(asked, dict)
        return result[:-64] if str(asked["to"]) == elsewhere.address.lower() else result

    def too_late(params: list[object], result: str) -> str:
        """An expiry that is no uint48."""
        return result if cut(params, result) == result else result[:66] + "f" * 64 + result[130:]

    for lie, code in (
        (lies.change_result("eth_call", cut), "permit2-malformed"),
        (lies.change_result("eth_call", too_late), "permit2-malformed"),
        (lies.fail("eth_getCode", -32000, "missing trie node"), ""),
    ):
        reading = wallets.read(lying_node(lie).url, settings=settings)
        if code:
            assert [(g.base_units, g.reason.partition(":")[0]) for g in reading.grants] == [(None, code)]
        else:  # whether there is code is not known: the grant is asked for all the same
            assert grants(reading, PERMIT2) == [(a, spender, 500)]


def test_where_permit2_has_no_code_there_is_nobody_to_take_anything(
    wallets: Wallets, token: Deployed, permit2: Deployed, holders: list[Address]
) -> None:
    permit2.transact("approve", token.address, holders[4], 500, 2**48 - 1, sender=holders[1])
    assert len(wallets.read().grants) == 1
    wallets.chain.node.set_code(PERMIT2_ADDRESS, "0x")
    wallets.chain.node.mine()
    reading = wallets.read()
    assert (reading.grants, len(reading.coverage.candidates.permit2)) == ((), 1)


# The node's events


@pytest.mark.fault("A20")
def test_silence_about_approvals_of_a_node_that_lags_is_not_none(
    wallets: Wallets, token: Deployed, holders: list[Address], lying_node: Lying
) -> None:
    token.transact("approve", holders[4], 700, sender=holders[1])
    wallets.chain.node.mine(3)
    node = wallets.chain.node
    with pytest.raises(ChainMoved):
        wallets.read(lying_node(lagging(node.url, 4)).url)
    height = node.block_number()
    older = lies.only("eth_getBlockByNumber", lies.after(1, lies.change_block(lambda _: node.block(1), height=height)))
    with pytest.raises(ChainMoved, match="asked for approvals"):
        wallets.read(lying_node(older, lies.drop_logs()).url)


@pytest.mark.fault("A23")
@pytest.mark.parametrize(
    "change",
    [
        lambda log: log | {"address": "0x" + "77" * 20},
        lambda log: log | {"topics": [log["topics"][0], "0x" + "77" * 32, *log["topics"][2:]]},
        lambda log: log | {"topics": log["topics"][:1]},
        lambda log: log | {"blockNumber": "0xffffff"},
        lambda log: [],
    ],
)
def test_approvals_that_were_not_asked_for_are_refused(
    wallets: Wallets,
    token: Deployed,
    holders: list[Address],
    lying_node: Lying,
    change: Callable[[dict[str, object]], dict[str, object]],
) -> None:
    token.transact("approve", holders[4], 700, sender=holders[1])
    with pytest.raises(MalformedAnswer):
        wallets.read(lying_node(lies.change_logs(change)).url)
    removed = lies.change_logs(lambda log: log | {"removed": True})
    assert wallets.read(lying_node(removed).url).coverage.candidates.allowances == frozenset()
    assert len(wallets.read().coverage.candidates.allowances) == 1


@pytest.mark.fault("A21")
def test_a_range_over_the_limit_is_halved(
    wallets: Wallets, token: Deployed, holders: list[Address], lying_node: Lying
) -> None:
    token.transact("approve", holders[4], 700, sender=holders[1])
    wallets.chain.node.mine(20)

    def limited(most: int) -> Lie:
        def lie(asked: str, params: list[dict[str, str]], answer: dict[str, object]) -> dict[str, object]:
            if asked == "eth_getLogs" and int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) >= most:
                return {"jsonrpc": "2.0", "id": answer["id"], "error": {"code": -32005, "message": "range too large"}}
            return answer

        return lie

    assert wallets.read(lying_node(limited(3)).url).coverage.candidates == wallets.read().coverage.candidates
    with pytest.raises(RangeTooLarge):
        wallets.read(lying_node(limited(0)).url)


def test_an_approval_of_another_form_is_counted_and_not_guessed(
    chain: EvmChain, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    from chains.evm.keccak import keccak256

    odd = deploy_contract("OddLogs")
    topic = keccak256(b"Approval(address,address,uint256)")
    owner, spender = (bytes(12) + bytes.fromhex(holder[2:]) for holder in holders[1:3])
    odd.transact("emit", [topic, owner, spender, bytes(32)], b"")  # ERC-721
    odd.transact("emit", [topic, owner], spender + bytes(32))  # the spender is not indexed
    odd.transact("emit", [topic, owner, spender], bytes(32))
    asset = chain.token(odd)
    wallets = Wallets(chain, [asset], holders[1:2])
    reading = wallets.read()
    assert reading.coverage.odd_approvals == {asset.asset_id: 2}
    assert {s for _, _, s in reading.coverage.candidates.allowances} == {holders[2]}
    odd.transact("emit", [topic, owner], bytes(64))
    assert wallets.read().coverage.odd_approvals == {asset.asset_id: 3}


@pytest.mark.fault("A33")
def test_a_pin_that_is_gone_after_reading_voids_everything(
    wallets: Wallets, token: Deployed, holders: list[Address], lying_node: Lying
) -> None:
    node = wallets.chain.node
    height = node.block_number()
    gone = lies.only("eth_getBlockByNumber", lies.after(3, lies.change_block(lambda _: node.block(1), height=height)))
    with pytest.raises(ChainMoved):
        wallets.read(lying_node(gone).url)
    with pytest.raises(ChainMoved):
        wallets.read(lying_node(lies.fail("eth_getCode", -32001, "Resource not found")).url)
    assert wallets.read(lying_node().url).block.height == height
    with pytest.raises(InvalidValue):
        wallets.read(first_height=height + 1)


# What issuers stopped


def test_paused_and_frozen(chain: EvmChain, deploy_contract: DeployContract, holders: list[Address]) -> None:
    token = deploy_contract("IssuerToken", "0x" + "00" * 20)
    wallets = Wallets(chain, [chain.token(token, 6)], holders[1:3])
    a, b = sorted(holders[1:3])
    clear = [("isBlacklisted(address)", "clear")]
    reading = wallets.read()
    assert restrictions(reading, None) == [("paused()", "clear")]
    assert restrictions(reading, a) == restrictions(reading, b) == clear
    token.transact("pause", True)
    token.transact("blacklist", b, True)
    stopped = wallets.read()
    assert restrictions(stopped, None) == [("paused()", "restricted")]
    assert restrictions(stopped, a) == clear
    assert restrictions(stopped, b) == [("isBlacklisted(address)", "restricted")]


def test_each_token_is_asked_by_what_it_offers(
    chain: EvmChain, deploy_contract: DeployContract, deploy_erc20: DeployErc20, holders: list[Address]
) -> None:
    plain, other = deploy_erc20(), deploy_erc20()
    freezing, listing = deploy_contract("IssuerToken", "0x" + "00" * 20), deploy_contract("FrozenList")
    _, b, c = sorted(holders[1:4])
    freezing.transact("blacklist", b, True)
    listing.transact("setListed", c, 1)
    assets = [chain.token(each) for each in (plain, freezing, other, listing)]
    reading = Wallets(chain, assets, holders[1:4]).read()
    stopped = [(each.asset, each.holder) for each in reading.restrictions if each.answer is Answer.RESTRICTED]
    assert sorted(stopped, key=lambda item: str(item[1])) == [(assets[1], b), (assets[3], c)]
    offered = {each.asset for each in reading.restrictions if each.holder and each.answer is Answer.CLEAR}
    assert offered == {assets[1], assets[3]}
    # One of the four has no allowance to ask for either.
    assert len(reading.restrictions) == 4 * (1 + 3) + 1
    assert unread(reading.restrictions) == []


def test_another_spelling_and_answers_that_are_none(
    chain: EvmChain, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    token = deploy_contract("FrozenList")
    wallets = Wallets(chain, [chain.token(token, 6)], holders[1:4])
    a, b, c = sorted(holders[1:4])
    question = "isBlackListed(address)"
    token.transact("setListed", a, 1)
    token.transact("setListed", b, 2)
    token.transact("setListed", c, 3)
    reading = wallets.read()
    assert restrictions(reading, None) == [("allowance(address,address)", "not_offered"), ("paused()", "not_offered")]
    assert restrictions(reading, a) == [(question, "restricted")]
    assert restrictions(reading, b) == restrictions(reading, c) == [(question, "unread")]
    assert unread(reading.restrictions) == ["restriction-malformed", "restriction-malformed"]
    settings = EncumbranceSettings(paused_questions=("stopped()",), frozen_questions=("frozen(address)",))
    other = wallets.read(settings=settings)
    assert {each.answer for each in other.restrictions} == {Answer.NOT_OFFERED}
    assert restrictions(other, c) == [("frozen(address)", "not_offered")]


def test_an_issuers_answer_that_the_node_could_not_give_is_unread(
    chain: EvmChain, deploy_contract: DeployContract, holders: list[Address], lying_node: Lying
) -> None:
    token = deploy_contract("IssuerToken", "0x" + "00" * 20)
    token.transact("blacklist", holders[1], True)
    wallets = Wallets(chain, [chain.token(token, 6)], holders[1:3])
    reading = wallets.read(lying_node(lies.fail("eth_call", -32000, "missing trie node")).url)
    assert {each.answer for each in reading.restrictions} == {Answer.UNREAD}
    assert {each.holder for each in reading.restrictions} == {None, *holders[1:3]}
    assert all(each.reason.startswith("state-unavailable: ") for each in reading.restrictions)
    assert all(grant.base_units is None for grant in reading.grants)
    assert control(reading, token.address).facts[Fact.ACCOUNT_KIND] == "contract"


def test_no_wallet_and_no_token(chain: EvmChain, token: Deployed, holders: list[Address]) -> None:
    nobody = Wallets(chain, [chain.token(token, 6)], []).read()
    assert (nobody.pairs_asked, nobody.grants, len(nobody.controls)) == (0, (), 1)
    assert restrictions(nobody, None) == [("paused()", "not_offered")]
    only_native = Wallets(chain, [chain.native], holders[:1]).read()
    assert (only_native.pairs_asked, only_native.restrictions) == (0, ())
    assert [each.address for each in only_native.controls] == holders[:1]
