"""A firm with many wallets and their claims before a devnet, for measuring how soon a theft has a case."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from chains.devnet.deploy import call_data, deployed, send
from chains.devnet.node import AnvilNode
from chains.evm.addresses import checksum_address
from chains.reader import ChainConfig, NodeConfig
from chains.types import Address, Asset, AssetId, ChainId, Finality, account_location
from mapping.importer import FileDigest, ImportResult
from mapping.types import (
    AccountClass,
    Allocation,
    AssetRecord,
    Client,
    LegalClass,
    Origin,
    Record,
    Sourced,
    Structure,
    Wallet,
)
from verifier.store import open_store

UNITS: Final = 10**9
"""Base units that each wallet holds and clients own."""
CONFIRMATIONS: Final = 64
THIEF: Final = checksum_address(bytes.fromhex("7e1f" * 10))


@dataclass(frozen=True, slots=True)
class Firm:
    """The firm and its chain; nothing was swept yet, all matches at the final block."""

    node: AnvilNode
    config: ChainConfig
    database: str
    token: Asset
    wallets: tuple[Address, ...]

    @property
    def assets(self) -> tuple[Asset, ...]:
        """ETH and the token."""
        return self.config.native_asset, self.token

    def steal(self, number: int) -> tuple[str, float]:
        """A payment that nobody approved; its transaction, and when the node said that it is mined."""
        wallet = self.wallets[number % len(self.wallets)]
        contract = self.token.asset_id.rpartition(":")[2]
        data = call_data("transfer(address,uint256)", [THIEF, number + 1])
        self.node.impersonate(wallet)
        receipt = send(self.node, wallet, contract, data=data, gasPrice=hex(0))
        return str(receipt["transactionHash"]), time.perf_counter()


def firm_before(node: AnvilNode, database: str, count: int) -> Firm:
    """Mint, mine until that is final, and write the books."""
    chain_id = ChainId(f"eip155:{node.chain_id}")
    token = deployed(node, "Erc20", ["Test dollar", "USDX", 6])
    node.rpc("anvil_setNextBlockBaseFeePerGas", "0x0")
    wallets = tuple(checksum_address(bytes.fromhex(f"c0de{number + 1:036x}")) for number in range(count))
    for wallet in wallets:
        token.transact("mint", wallet, UNITS)
    asset = Asset(AssetId(f"{chain_id}/erc20:{token.address}"), "USDX", 6)
    native = Asset(AssetId(f"{chain_id}/slip44:60"), "ETH", 18)
    config = ChainConfig(
        chain_id=chain_id,
        name="devnet",
        genesis_hash=node.block_hash(0),
        nodes=(NodeConfig("anvil", "local", node.url),),
        finality=Finality.parse(f"confirmed({CONFIRMATIONS})"),
        native_asset=native,
        head_age_seconds_max=86_400,
        head_future_seconds_max=86_400,
    )
    as_of = datetime.fromtimestamp(int(node.block()["timestamp"], 16), UTC)
    node.mine(CONFIRMATIONS)
    records: list[Record] = [Client("C-1", "Client C-1", date(2026, 1, 1))]
    records += [_asset(native), _asset(asset)]
    records += [_wallet(chain_id, wallet) for wallet in wallets]
    records += [
        Allocation("C-1", AccountClass.CUSTOMER, account_location(chain_id, wallet), asset.asset_id, UNITS, as_of)
        for wallet in wallets
    ]
    with closing(open_store(database)) as store:
        now = datetime.now(UTC) - timedelta(seconds=1)
        store.migrate("benchmark", now)
        store.apply_import(_imported(records), "ops.maker", now)
    return Firm(node, config, database, asset, wallets)


def _asset(asset: Asset) -> AssetRecord:
    return AssetRecord(asset, LegalClass.NON_SECURITY_CRYPTO, date(2026, 1, 1), "reviewed", 0)


def _wallet(chain_id: ChainId, address: Address) -> Wallet:
    return Wallet(
        chain_id, address, Structure.OMNIBUS, "for the benefit of clients", "Custody", "vault-1", "mpc-cmp-ecdsa",
        2, 3, (("firm", 1), ("custodian", 2)), False, True, date(2026, 1, 1), None, 10**18,
    )  # fmt: skip


def _imported(records: list[Record]) -> ImportResult:
    digest = "00" * 32
    return ImportResult(
        records=tuple(Sourced(record, Origin("books.csv", digest, line)) for line, record in enumerate(records, 2)),
        problems=(),
        problems_omitted=0,
        notices=(),
        notices_omitted=0,
        files=(FileDigest("books.csv", "books", digest, 1, len(records)),),
        unchanged=0,
    )
