"""Who controls an account: its code, its delegation, the proxy it is, the Safe it is; all read at the pin.

A Safe is recognised by its answers to `getOwners()` and `getThreshold()`. Any other code is a `contract`, whose own
rules are not known here. What a contract answers about itself is as good as its code: `code_hash` and `singleton`
are part of the facts so that a person can review them once and every change of them is noticed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from chains.evm.abi import address_word, selector, word
from chains.evm.addresses import ZERO_ADDRESS, checksum_address
from chains.evm.encumbrance_types import NONE, AccountRole, ControlState, Fact
from chains.evm.keccak import keccak256
from chains.evm.pinned_state import Outcome, PinnedState, Refusal, Unread, word_of

DELEGATION_PREFIX: Final = bytes.fromhex("ef0100")
"""EIP-7702: the code of a delegated account is this and the address of the contract."""
SENTINEL: Final = bytes(19) + b"\x01"
"""Start and end of a Safe's list of modules."""
MODULES_PER_PAGE: Final = 50
MODULE_PAGES_MAX: Final = 40
ADDRESSES_MAX: Final = 2_000
"""Most addresses believed in one answer of a contract."""


def _slot(name: str, less: int = 0) -> int:
    return int.from_bytes(keccak256(name.encode("ascii")), "big") - less


def proxy_slots() -> dict[Fact, tuple[int, ...]]:
    """Where proxies keep who they are: ERC-1967, and before it OpenZeppelin's first proxies (USDC is one)."""
    return {
        Fact.IMPLEMENTATION: (
            _slot("eip1967.proxy.implementation", 1),
            _slot("org.zeppelinos.proxy.implementation"),
        ),
        Fact.PROXY_ADMIN: (_slot("eip1967.proxy.admin", 1), _slot("org.zeppelinos.proxy.admin")),
        Fact.BEACON: (_slot("eip1967.proxy.beacon", 1),),
    }


def safe_slots() -> dict[Fact, tuple[int, ...]]:
    """Where a Safe keeps what no function of every version tells."""
    return {
        Fact.SINGLETON: (0,),
        Fact.GUARD: (_slot("guard_manager.guard.address"),),
        Fact.MODULE_GUARD: (_slot("module_manager.module_guard.address"),),
        Fact.FALLBACK_HANDLER: (_slot("fallback_manager.handler.address"),),
    }


@dataclass(slots=True)
class _Account:
    """One account while it is read."""

    raw: bytes
    role: AccountRole
    nonce: int | None = None
    facts: dict[Fact, str] = field(default_factory=dict)
    unread: dict[Fact, str] = field(default_factory=dict)

    def keep(self, fact: Fact, found: str | Unread) -> None:
        if isinstance(found, Unread):
            self.unread[fact] = found.reason
        else:
            self.facts[fact] = found


def read_controls(state: PinnedState, wallets: Sequence[bytes], tokens: Sequence[bytes]) -> list[ControlState]:
    """The control state of every wallet and token, in this order. Raises `ChainMoved` and `NodeUnavailable`."""
    accounts = [_Account(raw, AccountRole.WALLET) for raw in wallets]
    for account, nonce in zip(accounts, state.nonces(wallets), strict=True):
        account.nonce = nonce if isinstance(nonce, int) else None
    accounts += [_Account(raw, AccountRole.TOKEN) for raw in tokens]
    codes = state.ask([state.code(account.raw) for account in accounts])
    contracts = [account for account, code in zip(accounts, codes, strict=True) if _has_own_code(account, code)]
    _read_slots(state, contracts, proxy_slots())
    _read_beacons(state, contracts)
    _read_safes(state, [account for account in contracts if account.role is AccountRole.WALLET])
    return [
        ControlState(checksum_address(each.raw), each.role, each.facts, each.unread, each.nonce) for each in accounts
    ]


def _has_own_code(account: _Account, code: Outcome) -> bool:
    """Keep what the code says; whether more is to be asked because the account is a contract."""
    if not isinstance(code, bytes):
        account.keep(Fact.ACCOUNT_KIND, code if isinstance(code, Unread) else Unread("no-code-answer: eth_getCode"))
        return False
    account.facts[Fact.CODE_HASH] = f"0x{keccak256(code).hex()}" if code else NONE
    if not code:
        account.facts[Fact.ACCOUNT_KIND] = "key" if account.role is AccountRole.WALLET else NONE
    elif len(code) == 23 and code.startswith(DELEGATION_PREFIX):
        account.facts[Fact.ACCOUNT_KIND] = "delegated"
        account.facts[Fact.DELEGATE] = checksum_address(code[3:])
    else:
        account.facts[Fact.ACCOUNT_KIND] = "contract"
        return True
    return False


def _read_slots(state: PinnedState, accounts: Sequence[_Account], slots: Mapping[Fact, tuple[int, ...]]) -> None:
    """Facts kept as an address in storage; of several places the first that is used counts."""
    asked = [(account, fact, slot) for account in accounts for fact, places in slots.items() for slot in places]
    outcomes = iter(state.ask([state.storage(account.raw, slot) for account, _, slot in asked]))
    for account in accounts:
        for fact, places in slots.items():
            found = [_address_text(next(outcomes)) for _ in places]
            account.keep(fact, next((each for each in found if each != NONE), NONE))


def _read_beacons(state: PinnedState, accounts: Sequence[_Account]) -> None:
    proxies = [account for account in accounts if account.facts.get(Fact.BEACON, NONE) != NONE]
    calls = [state.call(bytes.fromhex(each.facts[Fact.BEACON][2:]), selector("implementation()")) for each in proxies]
    for account, outcome in zip(proxies, state.ask(calls), strict=True):
        account.keep(Fact.BEACON_IMPLEMENTATION, _address_text(outcome))


def _read_safes(state: PinnedState, accounts: Sequence[_Account]) -> None:
    calls = [
        state.call(account.raw, selector(question))
        for account in accounts
        for question in ("getOwners()", "getThreshold()")
    ]
    outcomes = state.ask(calls)
    safes = [
        account
        for number, account in enumerate(accounts)
        if _is_safe(account, outcomes[2 * number], word_of(outcomes[2 * number + 1]))
    ]
    _read_slots(state, safes, safe_slots())
    for account in safes:
        account.keep(Fact.MODULES, _modules(state, account.raw))


def _is_safe(account: _Account, owners: Outcome, threshold: int | Refusal | Unread) -> bool:
    """Keep owners and threshold of an account that answers as a Safe does."""
    for outcome in (owners, threshold):
        # A node that fails here leaves it open whether this is a Safe at all.
        if isinstance(outcome, Unread):
            del account.facts[Fact.ACCOUNT_KIND]
            for fact in (Fact.ACCOUNT_KIND, Fact.OWNERS, Fact.THRESHOLD, Fact.MODULES):
                account.keep(fact, outcome)
            return False
    listed = _address_list(owners) if isinstance(owners, bytes) else None
    if listed is None or type(threshold) is not int:
        return False
    account.facts[Fact.ACCOUNT_KIND] = "safe"
    if len(set(listed)) != len(listed) or not 1 <= threshold <= len(listed):
        reason = Unread(f"safe-impossible: it says that {threshold} of {len(set(listed))} different owners sign")
        account.keep(Fact.OWNERS, reason)
        account.keep(Fact.THRESHOLD, reason)
    else:
        account.facts[Fact.OWNERS] = _joined(listed)
        account.facts[Fact.THRESHOLD] = str(threshold)
    return True


def _modules(state: PinnedState, safe: bytes) -> str | Unread:
    """All modules, page by page.

    Each page starts after the last module seen and not at the `next` of the answer: up to version 1.3 that is the
    first module of the next page, and asking from there leaves it out.
    """
    found: list[bytes] = []
    start = SENTINEL
    for _ in range(MODULE_PAGES_MAX):
        question = selector("getModulesPaginated(address,uint256)") + address_word(start) + word(MODULES_PER_PAGE)
        (outcome,) = state.ask([state.call(safe, question)])
        if isinstance(outcome, Unread):
            return outcome
        page = _address_list(outcome) if isinstance(outcome, bytes) else None
        if page is None or not isinstance(outcome, bytes):
            return Unread("modules-malformed: the Safe does not answer with its modules")
        if set(page) & set(found) or len(set(page)) != len(page):
            return Unread("modules-malformed: the Safe's list of modules runs in a circle")
        found += page
        following = int.from_bytes(outcome[32:64], "big")
        if following <= 1 or not page:
            return _joined(found)
        start = page[-1]
    return Unread(f"modules-too-many: more than {MODULE_PAGES_MAX * MODULES_PER_PAGE} modules")


def _address_text(outcome: Outcome) -> str | Unread:
    """The address in one word, or NONE for zero."""
    if isinstance(outcome, Unread):
        return outcome
    if not isinstance(outcome, bytes) or len(outcome) != 32 or any(outcome[:12]):
        return Unread("not-an-address: what stands there is not an address")
    text = checksum_address(outcome[12:])
    return NONE if text == ZERO_ADDRESS else text


def _address_list(content: bytes) -> list[bytes] | None:
    """The `address[]` that an ABI answer begins with; None when it does not."""
    offset = int.from_bytes(content[:32], "big")
    if len(content) < 64 or offset % 32 or offset + 32 > len(content):
        return None
    count = int.from_bytes(content[offset : offset + 32], "big")
    if count > ADDRESSES_MAX or offset + 32 + 32 * count > len(content):
        return None
    words = [content[offset + 32 + 32 * number :][:32] for number in range(count)]
    return None if any(any(each[:12]) for each in words) else [each[12:] for each in words]


def _joined(addresses: Sequence[bytes]) -> str:
    return ",".join(sorted(checksum_address(raw) for raw in addresses)) or NONE
