"""Who controls an account, read on a real node: keys, delegations, Safes, proxies, and what is not known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chains.devnet import lies
from chains.devnet.lying_proxy import LyingProxy
from chains.devnet.pytest_plugin import DeployContract, DeployErc20
from chains.errors import InvalidValue
from chains.evm import control as control_module
from chains.evm.control import proxy_slots, safe_slots
from chains.evm.encumbrance_types import AccountRole, ControlState, Fact
from chains.types import Address
from tests.chains.evm.conftest import EvmChain
from tests.chains.evm.encumbered import Wallets, control, delegate, facts

pytestmark = pytest.mark.devnet

Lying = Callable[..., LyingProxy]
NO_PROXY = {"implementation": "none", "proxy_admin": "none", "beacon": "none"}
NO_EXTRAS = {"guard": "none", "module_guard": "none", "fallback_handler": "none"}


def test_the_slots_are_the_published_ones() -> None:
    """ERC-1967, OpenZeppelin's first proxies (as in USDC), and Safe's guard, handler and module guard."""
    slots = {fact: [f"{slot:064x}" for slot in places] for fact, places in (proxy_slots() | safe_slots()).items()}
    assert slots == {
        Fact.IMPLEMENTATION: [
            "360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc",
            "7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3",
        ],
        Fact.PROXY_ADMIN: [
            "b53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103",
            "10d6a54a4754c8869d6886b5f5d7fbfa5b4522237ea5c60d11bc4e7a1ff9390b",
        ],
        Fact.BEACON: ["a3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50"],
        Fact.SINGLETON: ["0" * 64],
        Fact.GUARD: ["4a204f620c8c5ccdca3fd54d003badd85ba500436a431f0cbda4f558c93c34c8"],
        Fact.MODULE_GUARD: ["b104e0b93118902c651344349b610029d694cfdec91c589c91ebafbcd0289947"],
        Fact.FALLBACK_HANDLER: ["6c9a6c4a39284e37ed1cf53d337577d14212a4870fb976a4366c693b939918d5"],
    }


def test_a_key_and_its_nonce(chain: EvmChain, holders: list[Address]) -> None:
    wallets = Wallets(chain, [chain.native], holders[1:3])
    chain.pay(holders[1], holders[5], 7)
    reading = wallets.read()
    assert [each.nonce for each in reading.controls] == [
        {holders[1]: 1, holders[2]: 0}[each.address] for each in reading.controls
    ]
    assert control(reading, holders[1]).facts == {Fact.ACCOUNT_KIND: "key", Fact.CODE_HASH: "none"}
    assert control(reading, holders[1]).unread == {}


def test_a_delegated_key_is_drained_with_its_nonce_unchanged(
    chain: EvmChain, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    sweeper = deploy_contract("Splitter")
    owner = delegate(chain.node, sweeper.address)
    wallets = Wallets(chain, [chain.native], [owner])
    before = wallets.read()
    assert facts(before, owner) == {"account_kind": "delegated", "delegate": sweeper.address}
    from chains.devnet.deploy import transact

    transact(chain.node, holders[5], owner, "sweep(address)", [holders[5]])
    assert chain.node.balance(owner) == 0
    after = wallets.read()
    assert control(after, owner).nonce == control(before, owner).nonce == 2
    delegate(chain.node, "0x" + "00" * 20)
    assert facts(wallets.read(), owner) == {"account_kind": "key"}


@pytest.mark.parametrize("code", ["0xef0100" + "77" * 19, "0xef0101" + "77" * 20, "0xef0100" + "77" * 21])
def test_code_that_only_looks_like_a_delegation_is_a_contract(
    chain: EvmChain, holders: list[Address], code: str, lying_node: Lying
) -> None:
    wallets = Wallets(chain, [chain.native], holders[1:2])
    reading = wallets.read(lying_node(lies.set_result("eth_getCode", code)).url)
    assert facts(reading, holders[1])["account_kind"] == "contract"
    chain.node.set_code(holders[1], "0xef0100" + "77" * 20)
    assert facts(wallets.read(), holders[1]) == {"account_kind": "delegated", "delegate": "0x" + "77" * 20}


@pytest.mark.parametrize("next_is_beyond_page", [False, True])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7])
def test_a_safe_with_all_its_modules(
    chain: EvmChain,
    deploy_contract: DeployContract,
    holders: list[Address],
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    next_is_beyond_page: bool,
) -> None:
    monkeypatch.setattr(control_module, "MODULES_PER_PAGE", 2)
    singleton = "0x" + "51" * 20
    safe = deploy_contract("SafeLike", singleton, [holders[3], holders[1], holders[2]], 2, next_is_beyond_page)
    modules = [f"0x{number:02x}" + "77" * 19 for number in range(0x10, 0x10 + count)]
    for module in modules:
        safe.transact("enableModule", module)
    guard = int(holders[4], 16)
    chain.node.set_storage_at(safe.address, safe_slots()[Fact.GUARD][0], guard)
    chain.node.mine()
    reading = Wallets(chain, [chain.native], [Address(safe.address)]).read()
    found = facts(reading, safe.address)
    assert {name: found.pop(name) for name in ("owners", "modules")} == {
        "owners": ",".join(sorted(holders[1:4])),
        "modules": found_modules(modules),
    }
    assert found == NO_PROXY | NO_EXTRAS | {
        "account_kind": "safe",
        "threshold": "2",
        "singleton": singleton,
        "guard": holders[4],
    }
    assert control(reading, safe.address).items(Fact.OWNERS) == tuple(sorted(holders[1:4]))
    assert len(control(reading, safe.address).items(Fact.MODULES)) == count


def found_modules(modules: list[str]) -> str:
    from chains.evm.addresses import checksum_address

    return ",".join(sorted(checksum_address(bytes.fromhex(module[2:])) for module in modules)) or "none"


def test_a_list_of_modules_without_an_end_is_not_read(
    chain: EvmChain, deploy_contract: DeployContract, holders: list[Address], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_module, "MODULES_PER_PAGE", 2)
    safe = deploy_contract("SafeLike", "0x" + "51" * 20, holders[1:3], 1, False)
    modules = holders[5:8]
    for module in modules:
        safe.transact("enableModule", module)
    wallets = Wallets(chain, [], [Address(safe.address)])
    assert len(control(wallets.read(), safe.address).items(Fact.MODULES)) == 3
    safe.transact("setNextModule", modules[0], modules[2])
    circle = control(wallets.read(), safe.address)
    assert circle.unread[Fact.MODULES].startswith("modules-malformed: ")
    assert Fact.MODULES not in circle.facts
    safe.transact("setNextModule", modules[0], "0x" + "00" * 19 + "01")
    monkeypatch.setattr(control_module, "MODULE_PAGES_MAX", 1)
    assert control(wallets.read(), safe.address).unread[Fact.MODULES].startswith("modules-too-many: ")


@pytest.mark.fault("G4")
@pytest.mark.parametrize(("owners", "threshold"), [([1, 1], 2), ([1, 2], 3), ([1, 2], 0), ([], 0)])
def test_a_safe_that_says_what_no_safe_can_be(
    chain: EvmChain, deploy_contract: DeployContract, holders: list[Address], owners: list[int], threshold: int
) -> None:
    listed = [holders[number] for number in owners]
    safe = deploy_contract("SafeLike", "0x" + "51" * 20, listed, threshold, False)
    wallets = Wallets(chain, [], [Address(safe.address)])
    state = control(wallets.read(), safe.address)
    assert state.facts[Fact.ACCOUNT_KIND] == "safe"
    assert state.unread[Fact.OWNERS].startswith("safe-impossible: ")
    assert Fact.THRESHOLD in state.unread
    safe.transact("setOwners", holders[1:3], 2)
    assert control(wallets.read(), safe.address).unread == {}


def test_other_code_is_a_contract_whose_rules_are_not_known(
    chain: EvmChain, deploy_contract: DeployContract, deploy_erc20: DeployErc20
) -> None:
    splitter, token = deploy_contract("Splitter"), deploy_erc20()
    wallets = Wallets(chain, [chain.token(token)], [Address(splitter.address)])
    reading = wallets.read()
    assert facts(reading, splitter.address) == NO_PROXY | {"account_kind": "contract"}
    assert control(reading, token.address).role is AccountRole.TOKEN
    assert control(reading, token.address).nonce is None


def test_proxies_of_wallets_and_tokens(
    chain: EvmChain, deploy_contract: DeployContract, deploy_erc20: DeployErc20, holders: list[Address]
) -> None:
    wallet, token, code = deploy_contract("Splitter"), deploy_erc20(), deploy_contract("Splitter")
    beacon = deploy_contract("Beacon", code.address)
    slots = proxy_slots()

    def keep(address: str, slot: int, held: str) -> None:
        chain.node.set_storage_at(address, slot, int(held, 16))

    keep(wallet.address, slots[Fact.BEACON][0], beacon.address)
    keep(token.address, slots[Fact.IMPLEMENTATION][1], code.address)
    keep(token.address, slots[Fact.PROXY_ADMIN][1], holders[4])
    chain.node.mine()
    wallets = Wallets(chain, [chain.token(token)], [Address(wallet.address)])
    reading = wallets.read()
    assert facts(reading, wallet.address) == NO_PROXY | {
        "account_kind": "contract",
        "beacon": beacon.address,
        "beacon_implementation": code.address,
    }
    assert facts(reading, token.address) == NO_PROXY | {
        "account_kind": "contract",
        "implementation": code.address,
        "proxy_admin": holders[4],
    }
    keep(token.address, slots[Fact.IMPLEMENTATION][0], wallet.address)  # ERC-1967 counts before the older place
    beacon.transact("upgradeTo", wallet.address)
    upgraded = wallets.read()
    assert facts(upgraded, token.address)["implementation"] == wallet.address
    assert facts(upgraded, wallet.address)["beacon_implementation"] == wallet.address
    keep(token.address, slots[Fact.PROXY_ADMIN][0], "0x" + "77" * 32)
    keep(wallet.address, slots[Fact.BEACON][0], holders[4])  # a beacon without code answers nothing
    chain.node.mine()
    broken = wallets.read()
    assert control(broken, token.address).unread[Fact.PROXY_ADMIN].startswith("not-an-address: ")
    assert control(broken, wallet.address).unread[Fact.BEACON_IMPLEMENTATION].startswith("not-an-address: ")


@pytest.mark.fault("A25")
@pytest.mark.parametrize(
    ("method", "unknown"),
    [
        ("eth_getCode", {Fact.ACCOUNT_KIND}),
        ("eth_call", {Fact.ACCOUNT_KIND, Fact.OWNERS, Fact.THRESHOLD, Fact.MODULES}),
        ("eth_getStorageAt", {*proxy_slots(), *safe_slots()}),
    ],
)
def test_what_the_node_could_not_say_is_unread_and_never_none(
    chain: EvmChain,
    deploy_contract: DeployContract,
    holders: list[Address],
    lying_node: Lying,
    method: str,
    unknown: set[Fact],
) -> None:
    safe = deploy_contract("SafeLike", "0x" + "51" * 20, holders[1:3], 1, False)
    wallets = Wallets(chain, [], [Address(safe.address)])
    state = control(wallets.read(lying_node(lies.fail(method, -32000, "missing trie node")).url), safe.address)
    assert set(state.unread) == unknown
    assert all(reason.startswith("state-unavailable: ") for reason in state.unread.values())
    assert not unknown & state.facts.keys()
    malformed = control(wallets.read(lying_node(lies.set_result(method, 7)).url), safe.address)
    assert set(malformed.unread) == unknown
    assert control(wallets.read(lying_node().url), safe.address).unread == {}


def test_a_nonce_that_was_not_read_is_not_zero(chain: EvmChain, holders: list[Address], lying_node: Lying) -> None:
    wallets = Wallets(chain, [], holders[1:2])
    for lie in (
        lies.fail("eth_getTransactionCount", -32000, "missing trie node"),
        lies.set_result("eth_getTransactionCount", None),
    ):
        assert wallets.read(lying_node(lie).url).controls[0].nonce is None
    assert wallets.read().controls[0].nonce == 0


def test_a_fact_is_known_or_not(holders: list[Address]) -> None:
    with pytest.raises(InvalidValue):
        ControlState(holders[1], AccountRole.WALLET, {Fact.GUARD: "none"}, {Fact.GUARD: "node-unavailable: silent"})
