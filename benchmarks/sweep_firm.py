"""A firm with many wallets of three assets, each balance in the books as it is on the chain."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

from benchmarks.evm_holders import Crowd
from benchmarks.http_recording import Recording, RecordingTransport
from chains.evm import EvmPlugin
from chains.evm.probe import Capabilities
from chains.evm.reader import EvmReader, HeadMemory
from chains.reader import ChainConfig, NodeConfig
from chains.transport import JsonRpcTransport
from chains.types import account_location
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

BEGAN = date(2026, 1, 1)


class RecordingPlugin(EvmPlugin):
    """The Ethereum adapter; what its readers send and get is kept in `recordings`."""

    def __init__(self) -> None:
        self.recordings: list[Recording] = []

    def open(
        self,
        config: ChainConfig,
        node: NodeConfig,
        *,
        capabilities: Mapping[str, str] | None = None,
        head_memory: HeadMemory | None = None,
    ) -> EvmReader:
        """A reader as the adapter makes it, over a transport that keeps every exchange."""
        http = RecordingTransport()
        self.recordings.append(http.recording)
        transport = JsonRpcTransport(node, config.limits, http=http)
        known = Capabilities.from_words(capabilities) if capabilities else None
        return EvmReader(config, node.node_id, transport, capabilities=known, head_memory=head_memory)


def write_books(crowd: Crowd, database: str, clients: int = 1_000) -> int:
    """Map every address of the crowd and give what is there to clients; the number of allocations written."""
    as_of = datetime.fromtimestamp(int(crowd.node.block()["timestamp"], 16), UTC)
    chain_id = crowd.config.chain_id
    records: list[Record] = [Client(f"C-{number}", f"Client {number}", BEGAN) for number in range(clients)]
    records += [AssetRecord(asset, LegalClass.NON_SECURITY_CRYPTO, BEGAN, "reviewed", 0) for asset in crowd.assets]
    records += [
        Wallet(
            chain_id, address, Structure.OMNIBUS, "for the benefit of clients", "Custody", f"vault-{number}",
            "mpc-cmp-ecdsa", 2, 3, (("firm", 1), ("custodian", 2)), False, True, BEGAN, None, 2**100,
        )
        for number, address in enumerate(crowd.addresses)
    ]  # fmt: skip
    allocations: list[Record] = [
        Allocation(
            f"C-{number % clients}",
            AccountClass.CUSTOMER,
            account_location(chain_id, address),
            asset.asset_id,
            units,
            as_of,
        )
        for number, (address, row) in enumerate(zip(crowd.addresses, crowd.balances, strict=True))
        for asset, units in zip(crowd.assets, row, strict=True)
        if units
    ]
    with closing(open_store(database)) as store:
        now = datetime.now(UTC) - timedelta(seconds=1)
        store.migrate("benchmark", now)
        store.apply_import(imported([*records, *allocations]), "ops.maker", now)
    return len(allocations)


def imported(records: list[Record]) -> ImportResult:
    """The records as if they came from one file."""
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
