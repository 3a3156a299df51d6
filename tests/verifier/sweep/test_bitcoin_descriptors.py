"""A pool told by two descriptors in real sweeps: addresses mapped as they are used, change beyond the look-ahead."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from chains.bitcoin.bip32 import ExtendedKey
from chains.bitcoin.curve import ORDER
from chains.bitcoin.descriptors import descriptor_checksum
from chains.bitcoin.networks import REGTEST
from chains.devnet.bitcoin.keys import Kind, Lock, TestKey
from chains.devnet.bitcoin.node import RegtestNode
from mapping.types import DescriptorRole
from tests.verifier.sweep.bitcoin_world import BITCOIN, COIN, POOL, BitcoinDesk, BitcoinWorld, assert_in_order
from tests.verifier.sweep.desk import kinds
from verifier.records import Finding, FindingKind
from verifier.store import Store
from verifier.sweep import SweepOutcome

pytestmark = pytest.mark.devnet

F = FindingKind
LOOK_AHEAD = 3


@dataclass
class Branch:
    """Private keys of one branch, as a signer has them, and the descriptor of their public ones."""

    label: str
    chain_code: bytes = field(init=False)
    parent: TestKey = field(init=False)

    def __post_init__(self) -> None:
        self.parent = TestKey.of(self.label)
        self.chain_code = hashlib.sha256(self.label.encode()).digest()

    @property
    def descriptor(self) -> str:
        body = f"wpkh({ExtendedKey(self.parent.public, self.chain_code).spelled(REGTEST)}/*)"
        return f"{body}#{descriptor_checksum(body)}"

    def lock(self, number: int) -> Lock:
        """The lock of a number, by private derivation (BIP-32)."""
        digest = hmac.digest(self.chain_code, self.parent.public + number.to_bytes(4, "big"), hashlib.sha512)
        secret = (int.from_bytes(digest[:32], "big") + int.from_bytes(self.parent.secret, "big")) % ORDER
        return Lock(Kind.P2WPKH, (TestKey(secret.to_bytes(32, "big")),))


class Wallet:
    """A pool whose addresses are those of a branch for deposits and one for change."""

    def __init__(self, desk: BitcoinDesk, world: BitcoinWorld) -> None:
        self.desk, self.world = desk, world
        self.deposits, self.change = Branch("deposits"), Branch("change")
        firsts = [branch.lock(0).address for branch in (self.deposits, self.change)]
        desk.take(
            clients=[{"client_id": "C-1", "name": "Client one"}],
            assets=[{"asset_id": COIN.asset_id, "symbol": "BTC", "decimals": "8"}],
            wallets=[{"address": address} for address in firsts],
            pools=[{"pool_id": "P-1", "address": address} for address in firsts],
            wallet_descriptors=[
                {
                    "chain_id": desk.chain_id,
                    "address": address,
                    "descriptor": branch.descriptor,
                    "role": role,
                    "look_ahead": str(LOOK_AHEAD),
                }
                for address, branch, role in zip(
                    firsts, (self.deposits, self.change), ("external", "change"), strict=True
                )
            ],
        )
        self.held = 0
        self.deposit(0)
        assert_in_order(self.sweep())

    def deposit(self, number: int) -> None:
        """A client pays one bitcoin to an address of the deposits, and the books know it."""
        lock = self.world.custody.add(self.deposits.lock(number))
        self.world.rich.pay(lock.address, BITCOIN)
        self.world.mine()
        self.held += BITCOIN

    def withdraw(self, amount: int, change_to: str, approval: str) -> None:
        """An approved withdrawal whose change goes to an address."""
        to = self.world.stranger()
        self.world.custody.pay(to, amount, change_to=change_to, fee=1_000)
        self.desk.approve(approval, self.deposits.lock(0).address, to, amount, fee_max="0.00001")
        self.world.mine()
        self.held -= amount + 1_000

    def sweep(self) -> SweepOutcome:
        """Sweep with books that claim what the clients own."""
        self.desk.allocate(POOL, C_1=self.held)
        return self.desk.sweep()

    def mapped(self) -> dict[str, int]:
        """How many addresses of each branch are wallets, by the rows of wallets."""
        known = {wallet.address for wallet in self.desk.store.wallets(self.desk.chain_id, self.desk.now())}
        return {
            branch.label: sum(branch.lock(number).address in known for number in range(30))
            for branch in (self.deposits, self.change)
        }


@pytest.fixture
def wallet(bitcoin_nodes: Callable[..., RegtestNode], sqlite_store: Store, tmp_path: Path) -> Wallet:
    world = BitcoinWorld(bitcoin_nodes(history=0))
    return Wallet(BitcoinDesk(sqlite_store, world, tmp_path, [world.node.url]), world)


def findings(outcome: SweepOutcome, kind: FindingKind) -> list[Finding]:
    return [seen.finding for seen in outcome.cases if seen.finding.kind is kind]


def test_the_look_ahead_moves_with_use(wallet: Wallet) -> None:
    assert wallet.mapped() == {"deposits": LOOK_AHEAD + 1, "change": LOOK_AHEAD}
    wallet.deposit(3)
    assert_in_order(wallet.sweep())
    assert wallet.mapped()["deposits"] == 3 + 1 + LOOK_AHEAD
    wallet.deposit(6)
    assert_in_order(wallet.sweep())
    assert wallet.mapped() == {"deposits": 6 + 1 + LOOK_AHEAD, "change": LOOK_AHEAD}
    descriptors = {each.role: each for each in wallet.desk.store.wallet_descriptors(None, wallet.desk.now())}
    assert (descriptors[DescriptorRole.EXTERNAL].derived, descriptors[DescriptorRole.EXTERNAL].look_ahead) == (
        10,
        LOOK_AHEAD,
    )
    assert wallet.desk.store.pool_members(None, wallet.desk.now())[-1].pool_id == "P-1"


def test_a_deposit_that_came_before_its_address_was_mapped_is_found_by_the_next_sweep(wallet: Wallet) -> None:
    """One sweep covers a use of the last mapped address and of one beyond it: the next one reads those blocks again."""
    wallet.deposit(3)
    wallet.deposit(5)
    short = wallet.sweep()
    assert kinds(short) == {F.SHORTFALL: 1}
    assert_in_order(wallet.sweep())
    assert wallet.mapped()["deposits"] == 5 + 1 + LOOK_AHEAD


def test_addresses_used_before_the_first_movement_that_was_read_move_it_too(
    bitcoin_nodes: Callable[..., RegtestNode], sqlite_store: Store, tmp_path: Path
) -> None:
    """Without history_from_height movements are read from the first sweep on; the ledger has read all blocks."""
    world = BitcoinWorld(bitcoin_nodes(history=0))
    desk = BitcoinDesk(sqlite_store, world, tmp_path, [world.node.url])
    desk.config = replace(desk.config, history_from_height=None)
    deposits = Branch("deposits")
    world.custody.add(deposits.lock(1))
    world.rich.pay_many({deposits.lock(number).address: BITCOIN for number in (1, 3, 5)})
    world.mine()
    world.custody.pay(world.stranger(), BITCOIN - 1_000, fee=1_000)  # used, and empty
    world.mine()
    wallet = Wallet(desk, world)
    derived = [wallet.mapped()["deposits"]]
    while len(derived) < 2 or derived[-1] != derived[-2]:
        world.mine()
        last = desk.sweep()
        derived.append(wallet.mapped()["deposits"])
    assert derived == [1 + 1 + LOOK_AHEAD, 3 + 1 + LOOK_AHEAD, 5 + 1 + LOOK_AHEAD, 5 + 1 + LOOK_AHEAD]
    assert desk.result(last, POOL).observed == 3 * BITCOIN  # numbers 0, 3 and 5


def test_change_within_the_look_ahead_is_in_order(wallet: Wallet) -> None:
    inside = wallet.world.custody.add(wallet.change.lock(LOOK_AHEAD - 1))
    wallet.withdraw(BITCOIN // 4, inside.address, "A-1")
    assert_in_order(wallet.sweep())
    assert wallet.mapped()["change"] == 2 * LOOK_AHEAD


@pytest.mark.fault("A50")
def test_change_beyond_the_look_ahead_is_a_finding_with_its_amount(wallet: Wallet) -> None:
    beyond = wallet.world.custody.add(wallet.change.lock(9))
    wallet.withdraw(BITCOIN // 4, beyond.address, "A-1")
    swept = wallet.sweep()
    assert swept.exit_code == 1
    (found,) = findings(swept, F.UNMAPPED_BALANCE)
    amount = BITCOIN - BITCOIN // 4 - 1_000
    assert found.base_units == amount
    assert found.location_id.endswith(beyond.address)
    for word in ("number 9 of the change descriptor", wallet.change.lock(0).address, "0 to 2 are mapped", "0.74999"):
        assert word in found.text
    assert findings(swept, F.UNAUTHORIZED_TRANSFER)[0].base_units == -amount
    assert findings(swept, F.SHORTFALL)[0].base_units == -amount
    assert wallet.mapped()["change"] == 9 + 1 + LOOK_AHEAD
    after = wallet.sweep()  # the address is a wallet now, and the books agree with what is there
    assert not findings(after, F.SHORTFALL)
    assert not findings(after, F.UNMAPPED_BALANCE)


def test_change_to_an_address_of_nobody_is_an_unauthorized_payment(wallet: Wallet) -> None:
    stranger = wallet.world.stranger(9)
    wallet.withdraw(BITCOIN // 4, stranger, "A-1")
    swept = wallet.sweep()
    assert not findings(swept, F.UNMAPPED_BALANCE)
    (found,) = findings(swept, F.UNAUTHORIZED_TRANSFER)
    assert found.base_units == -(BITCOIN - BITCOIN // 4 - 1_000)
    assert stranger in found.text


def test_what_cannot_be_mapped_is_a_finding(wallet: Wallet) -> None:
    """The next address of the deposits is recorded as the firm's own: it cannot be a wallet of clients."""
    taken = wallet.deposits.lock(LOOK_AHEAD + 2).address
    wallet.desk.take(firm_addresses=[{"chain_id": wallet.desk.chain_id, "address": taken, "label": "Fees"}])
    wallet.deposit(3)
    swept = wallet.sweep()
    (found,) = findings(swept, F.COVERAGE_GAP)
    assert "firm's own" in found.text
    assert wallet.mapped()["deposits"] == LOOK_AHEAD + 1
