"""What is known of who else could move what stands in a wallet, at one block.

Every question has an answer or the reason why it has none; nothing that was not read looks like "none".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from chains.errors import InvalidValue
from chains.types import UINT256_MAX, Address, Asset, AssetId, BlockRef, Finality

UINT160_MAX: Final = 2**160 - 1
"""The amount by which Permit2 spells "without limit"."""

NONE: Final = "none"
"""The text of a fact that was read and is empty: no module, no guard, no code."""

PairKey = tuple[Address, AssetId, Address]
"""Owner, token, spender."""


PERMIT2_ADDRESS: Final = Address("0x000000000022D473030F116dDEE9F6B43aC78BA3")
"""Where Permit2 stands on every public chain that has it."""


@dataclass(frozen=True, slots=True)
class EncumbranceSettings:
    """What is asked."""

    permit2: Address = PERMIT2_ADDRESS
    spenders_always_asked: tuple[Address, ...] = ()
    """Asked for on every token and wallet whether or not an event names them; Permit2 always is, because some tokens
    give it an allowance without an event."""
    paused_questions: tuple[str, ...] = ("paused()",)
    """Functions without arguments by which tokens say that nobody can move them."""
    frozen_questions: tuple[str, ...] = ("isBlacklisted(address)", "isBlackListed(address)", "isFrozen(address)")
    """Functions of one holder by which tokens say that the issuer stopped it."""


class GrantKind(StrEnum):
    """By which contract a spender may take an owner's tokens."""

    ALLOWANCE = "allowance"
    """The token's own ERC-20 allowance."""
    PERMIT2 = "permit2"
    """A grant inside Permit2, which takes by its own ERC-20 allowance from the owner."""
    OPERATOR = "operator"
    """An operator of a collection (`setApprovalForAll`): every token of it that the owner holds, of any id."""
    APPROVED = "approved"
    """The one address that an ERC-721 token's owner approved for this token."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one spender may take of one token from one owner, at the pin."""

    kind: GrantKind
    owner: Address
    asset: Asset
    spender: Address
    base_units: int | None
    """The whole allowance in base units, also above any balance; None exactly when it could not be read."""
    expires_at_seconds: int | None = None
    """Permit2 alone: the last Unix second at which the grant holds; it may be beyond the year 9999."""
    reason: str = ""
    """Why it could not be read: a stable code, then one sentence. Empty on success."""

    def __post_init__(self) -> None:
        if (self.base_units is None) != bool(self.reason):
            raise InvalidValue("a grant has an amount, or the reason why it has none")
        if self.base_units is not None and not 0 <= self.base_units <= UINT256_MAX:
            raise InvalidValue("a grant is 0 to 2**256 - 1 base units")

    @property
    def key(self) -> PairKey:
        """Owner, token and spender."""
        return self.owner, self.asset.asset_id, self.spender

    @property
    def is_unlimited(self) -> bool:
        """Whether the amount is the one that spending does not use up."""
        return self.base_units == (UINT160_MAX if self.kind is GrantKind.PERMIT2 else UINT256_MAX)

    def holds_at(self, unix_seconds: int) -> bool:
        """Whether it has not expired yet; the second of expiry still counts, as in Permit2."""
        return self.expires_at_seconds is None or unix_seconds <= self.expires_at_seconds


@dataclass(frozen=True, slots=True)
class Candidates:
    """Every (owner, token, spender) that was ever seen in an event: where to look, not what is there."""

    allowances: frozenset[PairKey] = frozenset()
    """For collections the operators, with every token of the collection that is an asset."""
    permit2: frozenset[PairKey] = frozenset()

    def __or__(self, other: Candidates) -> Candidates:
        return Candidates(self.allowances | other.allowances, self.permit2 | other.permit2)


@dataclass(frozen=True, slots=True)
class LateApprovals:
    """Wallets and tokens that joined after these blocks were looked through for the others."""

    wallets: frozenset[Address]
    assets: frozenset[AssetId]
    next_height: int
    """First block that is still to be looked through for approvals of these tokens by these wallets."""
    last_height: int

    def __post_init__(self) -> None:
        if not 0 <= self.next_height <= self.last_height or not (self.wallets and self.assets):
            raise InvalidValue("late approvals are of some wallets and tokens, in some blocks")

    @property
    def blocks(self) -> int:
        """How many blocks are left."""
        return self.last_height - self.next_height + 1


@dataclass(frozen=True, slots=True)
class ApprovalCoverage:
    """Whose approvals were looked for in which blocks, and what was seen; `approval_coverage` goes on from it."""

    first_height: int
    last: BlockRef
    """The last block looked through; the reading's pin."""
    wallets: frozenset[Address]
    assets: frozenset[AssetId]
    permit2: Address
    """Where Permit2 was looked for."""
    candidates: Candidates
    odd_approvals: Mapping[AssetId, int]
    """Approval events of wallets that could not be read as one: whom they approve is not known."""
    late: tuple[LateApprovals, ...] = ()
    """What is still to be looked through, of the blocks above, for wallets and tokens that joined later."""

    @property
    def late_blocks(self) -> int:
        """How many blocks are still to be looked through for what joined later, each group of it by itself."""
        return sum(each.blocks for each in self.late)


class Fact(StrEnum):
    """One thing that decides who controls an account."""

    ACCOUNT_KIND = "account_kind"
    """`key` (no code), `delegated` (EIP-7702), `safe` (answers as a Safe does) or `contract` (any other code)."""
    CODE_HASH = "code_hash"
    DELEGATE = "delegate"
    """The contract whose code runs for a delegated account."""
    IMPLEMENTATION = "implementation"
    """ERC-1967 storage slot, or the older one of OpenZeppelin's first proxies."""
    PROXY_ADMIN = "proxy_admin"
    """Who may replace the implementation."""
    BEACON = "beacon"
    BEACON_IMPLEMENTATION = "beacon_implementation"
    OWNERS = "owners"
    """Sorted, separated by commas."""
    THRESHOLD = "threshold"
    """How many owners must sign."""
    MODULES = "modules"
    """Contracts that move a Safe's assets without its owners' signatures; sorted, separated by commas."""
    GUARD = "guard"
    MODULE_GUARD = "module_guard"
    FALLBACK_HANDLER = "fallback_handler"
    SINGLETON = "singleton"
    """The contract whose code a Safe runs."""


class AccountRole(StrEnum):
    """Why an account's control matters."""

    WALLET = "wallet"
    TOKEN = "token"  # noqa: S105 - a role, not a credential


@dataclass(frozen=True, slots=True)
class ControlState:
    """Who controls one account, as facts by name, at one block."""

    address: Address
    role: AccountRole
    facts: Mapping[Fact, str]
    unread: Mapping[Fact, str] = field(default_factory=dict)
    """Facts that could not be read, each with a stable code and a sentence."""
    nonce: int | None = None
    """How many transactions the account sent (of a delegated one: and how many delegations it signed); wallets only."""

    def __post_init__(self) -> None:
        if self.facts.keys() & self.unread.keys():
            raise InvalidValue("a fact was read or not, never both")

    def items(self, fact: Fact) -> tuple[str, ...]:
        """The members of a fact that lists addresses; empty for none, and when it is not known."""
        text = self.facts.get(fact, NONE)
        return () if text == NONE else tuple(text.split(","))


class Answer(StrEnum):
    """What a token answered to whether its issuer has stopped a holder or everything."""

    CLEAR = "clear"
    RESTRICTED = "restricted"
    NOT_OFFERED = "not_offered"
    """The token has none of the functions asked for; it may restrict by others."""
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Restriction:
    """The answer of one token to one question, for one holder or for the whole token."""

    asset: Asset
    question: str
    """The function asked, such as `paused()`; those asked for, when none of them is offered."""
    holder: Address | None
    answer: Answer
    reason: str = ""

    def __post_init__(self) -> None:
        if (self.answer is Answer.UNREAD) != bool(self.reason):
            raise InvalidValue("an unread restriction has a reason, an answered one has none")


@dataclass(frozen=True, slots=True)
class EncumbranceReading:
    """Everything that was asked about who else could move the wallets' assets at one block."""

    block: BlockRef
    finality: Finality
    node_id: str
    wallets: tuple[Address, ...]
    """Sorted; each was asked everything."""
    assets: tuple[Asset, ...]
    """Tokens alone: of the native coin, nobody can be allowed to take a part."""
    coverage: ApprovalCoverage
    grants: tuple[Grant, ...]
    """Every one that is not zero, and every one that could not be read."""
    pairs_asked: int
    """How many (owner, token, spender) were asked for."""
    controls: tuple[ControlState, ...]
    """Wallets first, then tokens, each sorted by address."""
    restrictions: tuple[Restriction, ...]
