"""A small story for the tests of the store: a mapping, a sweep of two wallets, movements and findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from chains.reader import Pin
from chains.types import (
    Address,
    AnchorEvidence,
    Asset,
    AssetId,
    BalanceObservation,
    BlockRef,
    ChainId,
    Finality,
    Holding,
    LocationId,
    ReadStatus,
    StateEvidence,
    Transfer,
    TransferKind,
    TransferScan,
    account_location,
)
from mapping.importer import FileDigest, ImportResult
from mapping.types import (
    AccountClass,
    Allocation,
    AssetRecord,
    Client,
    CustodianAddress,
    EntryKind,
    FirmAddress,
    LedgerEntry,
    LegalClass,
    Origin,
    PoolMember,
    Position,
    PositionSource,
    Problem,
    Purpose,
    Record,
    Sourced,
    Structure,
    TransferAuthorization,
    Wallet,
)
from verifier.case_book import Sighting
from verifier.records import (
    ApprovalUse,
    Finding,
    FindingKind,
    MatchOutcome,
    Rail,
    Reconciliation,
    StatementCheck,
    Status,
    TransferMatch,
)
from verifier.rules.reconcile import Comparisons
from verifier.rules.rollforward import RollForward, RollForwards
from verifier.store import Store, SweepStart
from verifier.store.tables import METADATA

CHAIN = ChainId("eip155:31337")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FINALITY = Finality.parse("confirmed(2)")
ETH = Asset(AssetId(f"{CHAIN}/slip44:60"), "ETH", 18)
USDX = Asset(AssetId(f"{CHAIN}/erc20:0x{'c' * 40}"), "USDX", 6)
A, B, FIRM, OUTSIDE = (Address(f"0x{digit * 40}") for digit in "abef")
ACTOR = "scheduler"


def later(minutes: int) -> datetime:
    """The clock, some minutes after the story began."""
    return NOON + timedelta(minutes=minutes)


def block(height: int, fork: int = 0) -> BlockRef:
    """The block of a height on a fork; twelve seconds each."""
    parent_fork = fork if height > 1000 else 0
    return BlockRef(
        CHAIN,
        height,
        f"0x{fork:032x}{height:032x}",
        f"0x{parent_fork:032x}{height - 1:032x}",
        NOON - timedelta(hours=1) + timedelta(seconds=12 * height),
    )


def branch(first: int, last: int, fork: int, root_fork: int = 0) -> tuple[BlockRef, ...]:
    """Blocks first to last of a fork whose parent at first - 1 lies on `root_fork`."""
    blocks: list[BlockRef] = []
    for height in range(first, last + 1):
        parent = blocks[-1].block_hash if blocks else f"0x{root_fork:032x}{height - 1:032x}"
        time = NOON - timedelta(hours=1) + timedelta(seconds=12 * height)
        blocks.append(BlockRef(CHAIN, height, f"0x{fork:032x}{height:032x}", parent, time))
    return tuple(blocks)


def sourced(records: Sequence[Record], digest: str) -> tuple[Sourced[Record], ...]:
    """Records as lines of one file."""
    return tuple(Sourced(record, Origin("file.csv", digest, line)) for line, record in enumerate(records, 2))


def imported(*files: tuple[str, Sequence[Record]], problems: Sequence[Problem] = ()) -> ImportResult:
    """The result of reading files given as (name, records); a name stands for its content."""
    digests = {name: name.encode().hex().ljust(64, "0")[:64] for name, _ in files}
    return ImportResult(
        records=tuple(each for name, records in files for each in sourced(records, digests[name])),
        problems=tuple(problems),
        problems_omitted=0,
        notices=(),
        notices_omitted=0,
        files=tuple(FileDigest(name, name, digests[name], 100, len(records)) for name, records in files),
        unchanged=0,
    )


def wallet(address: Address, *, titling: str = "for the benefit of clients", closed_on: date | None = None) -> Wallet:
    """A wallet of the story."""
    return Wallet(
        CHAIN, address, Structure.OMNIBUS, titling, "Example Custody", "vault-1", "mpc-cmp-ecdsa", 2, 3,
        (("firm", 1), ("custodian", 2)), False, True, date(2026, 1, 1), closed_on, 10**17,
    )  # fmt: skip


def authorization(name: str = "W-1", *, units: int = 500) -> TransferAuthorization:
    """An approval to send USDX from A to the outside."""
    return TransferAuthorization(
        name, CHAIN, A, USDX.asset_id, units, OUTSIDE, None, NOON - timedelta(days=1), NOON + timedelta(days=1),
        Purpose.CLIENT_WITHDRAWAL, "ops.maker", "ops.checker", NOON - timedelta(hours=2), "REF-1", "C-1",
    )  # fmt: skip


def allocation(client: str, address: Address, asset: Asset, units: int, as_of: datetime) -> Allocation:
    """A row of a snapshot."""
    return Allocation(client, AccountClass.CUSTOMER, account_location(CHAIN, address), asset.asset_id, units, as_of)


def movement(name: str, client: str, address: Address, asset: Asset, units: int, at: datetime) -> LedgerEntry:
    """A movement of the sub-ledger."""
    place = account_location(CHAIN, address)
    return LedgerEntry(name, client, AccountClass.CUSTOMER, place, asset.asset_id, units, at, EntryKind.MOVEMENT)


MORNING = NOON - timedelta(hours=6)

MAPPING: Sequence[Record] = (
    Client("C-1", "Alpha", date(2026, 1, 1)),
    Client("C-2", "Beta", date(2026, 1, 1)),
    AssetRecord(ETH, LegalClass.NON_SECURITY_CRYPTO, date(2026, 1, 1), "memo 1", 10**15),
    AssetRecord(USDX, LegalClass.PAYMENT_STABLECOIN, date(2026, 1, 1), "memo 2"),
    wallet(A),
    wallet(B),
    PoolMember("P-1", CHAIN, B, date(2026, 1, 1)),
    FirmAddress(CHAIN, FIRM, "operating", date(2026, 1, 1)),
    CustodianAddress("Example Custody", CHAIN, A, "vault-1", MORNING),
    authorization(),
    Position(
        account_location(CHAIN, A), USDX.asset_id, 1500, MORNING, PositionSource.CUSTODIAN, "Example Custody", "ST-1"
    ),
)
BOOKS: Sequence[Record] = (
    allocation("C-1", A, USDX, 1000, MORNING),
    allocation("C-2", A, USDX, 500, MORNING),
    allocation("C-1", B, ETH, 3 * 10**18, MORNING),
)


def import_story(store: Store) -> None:
    """The mapping and the books."""
    store.apply_import(imported(("mapping", MAPPING)), "ops.maker", later(0))
    store.apply_import(imported(("books", BOOKS)), "ops.maker", later(1))


def seen(address: Address, asset: Asset, units: int | None, at: BlockRef) -> BalanceObservation:
    """A balance as read, or a failed read for None."""
    return BalanceObservation(
        Holding(address, asset),
        at,
        FINALITY,
        ReadStatus.OK if units is not None else ReadStatus.FAILED,
        units,
        "batch",
        "node-a",
        reason="" if units is not None else "node-unavailable: it did not answer",
    )


def transfer(at: BlockRef, tx: int, index: int, sender: Address, receiver: Address, units: int) -> Transfer:
    """A token movement."""
    return Transfer(at, f"0x{tx:064x}", index, USDX, sender, receiver, units, TransferKind.TOKEN)


def scan(
    blocks: Sequence[BlockRef], transfers: Sequence[Transfer] = (), unparsed: dict[str, int] | None = None
) -> TransferScan:
    """The movements of a run of blocks."""
    return TransferScan(tuple(blocks), tuple(transfers), unparsed or {}, "node-a", "logs")


def compared(
    start: SweepStart, address: Address, asset: Asset, claimed: int, observed: int | None, said: int | None = None
) -> Reconciliation:
    """A reconciliation as the rules would make it."""
    difference = None if observed is None else observed - claimed
    status = Status.UNVERIFIED if difference is None else Status.MATCHED if difference == 0 else Status.DIVERGED
    check = StatementCheck(said, MORNING, "Example Custody", "ST-1", status) if said is not None else None
    return Reconciliation(
        start.sweep_id, Rail.DIGITAL, account_location(CHAIN, address), asset, claimed, 0, 0, observed, difference,
        status, start.block.timestamp, start.known_at, start.block.timestamp, start.block, StateEvidence.READ,
        AnchorEvidence.SINGLE, check, "" if observed is not None else "node-unavailable: it did not answer",
    )  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """What the rules would have made of a sweep."""

    compared: Sequence[Reconciliation]
    matches: Sequence[TransferMatch] = ()
    rolled: Sequence[RollForward] = ()
    sightings: Sequence[Sighting] = ()
    transfers_scanned: int = 0

    @property
    def reconciliations(self) -> Comparisons:
        """As the store takes them."""
        return Comparisons.of(self.compared)

    @property
    def roll_forwards(self) -> RollForwards:
        """As the store takes them."""
        return RollForwards(self.rolled)


def finding(
    kind: FindingKind = FindingKind.SHORTFALL, units: int | None = -300, subject: str = "", at: BlockRef | None = None
) -> Finding:
    """A finding about USDX at A."""
    return Finding(kind, Rail.DIGITAL, account_location(CHAIN, A), USDX, units, subject, f"{units} USDX at A", at)


def sighting(what: Finding, *covers: tuple[LocationId, AssetId]) -> Sighting:
    """A finding of a sweep with what it covers."""
    return Sighting(what, covers)


@dataclass
class SweepStory:
    """One sweep, step by step; every step can be repeated, as a restarted process would."""

    store: Store
    height: int = 10
    minute: int = 10
    first_height: int = 8
    start: SweepStart = field(init=False)

    def begin(self) -> None:
        pin = Pin(block(self.height), FINALITY, True)
        unfinished = self.store.unfinished_sweep(CHAIN)
        self.start = unfinished or self.store.start_sweep(CHAIN, pin, "node-a", 3, later(self.minute), ACTOR)

    def read_first(self) -> None:
        at = self.start.block
        shard = [seen(A, USDX, 1200, at), seen(A, ETH, None, at)]
        self.store.add_observations(self.start, 0, shard, ACTOR, later(self.minute))

    def read_second(self) -> None:
        shard = [seen(B, ETH, 3 * 10**18, self.start.block)]
        self.store.add_observations(self.start, 1, shard, ACTOR, later(self.minute))

    def cover(self) -> None:
        blocks = [block(height) for height in range(self.first_height, self.height + 1)]
        moved = [transfer(blocks[-1], 7, 0, A, OUTSIDE, 300), transfer(blocks[-1], 8, 1, OUTSIDE, A, 5)]
        self.store.add_scan(self.start, scan(blocks, moved), ACTOR, later(self.minute))

    def end(self) -> None:
        if self.store.sweep_summary(self.start.sweep_id) is None:
            self.store.end_sweep(self.start, self.judged(), ACTOR, later(self.minute))

    def judged(self) -> Judged:
        start = self.start
        outgoing = [each for each in self.store.unjudged_transfers(CHAIN) if each.sender == A]
        return Judged(
            [
                compared(start, A, ETH, 0, None),
                compared(start, A, USDX, 1500, 1200, said=1500),
                compared(start, B, ETH, 3 * 10**18, 3 * 10**18),
            ],
            matches=[
                TransferMatch(
                    transfer=each,
                    outcome=MatchOutcome.FEE_OVER_LIMIT,
                    authorization_id="W-1",
                    commingling=False,
                    for_review=False,
                    reason="the fee is above the limit",
                    uses=(ApprovalUse("W-1", each.base_units - 1), ApprovalUse("W-2", 1)),
                )
                for each in outgoing
            ],
            sightings=[
                sighting(finding(at=start.block), (account_location(CHAIN, A), USDX.asset_id)),
                sighting(finding(FindingKind.UNVERIFIED, None, at=start.block)),
                *(
                    sighting(finding(FindingKind.UNAUTHORIZED_TRANSFER, -each.base_units, each.transfer_id, each.block))
                    for each in outgoing
                ),
            ],
            transfers_scanned=len(outgoing),
        )

    def steps(self) -> Iterator[tuple[str, object]]:
        """The steps in their order."""
        for step in (self.begin, self.read_first, self.read_second, self.cover, self.end):
            yield step.__name__, step

    def run(self) -> SweepStart:
        """All of it."""
        self.begin()
        self.read_first()
        self.read_second()
        self.cover()
        self.end()
        return self.start


def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table: to show that nothing changed."""
    with store.read() as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(sa.select(of))), key=repr)
            for name, of in METADATA.tables.items()
        }
