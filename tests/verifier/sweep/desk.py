"""A desk to try the sweep at: books go in as files through the importer, sweeps run, cases come out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from chains.evm import chain_plugin
from chains.reader import ChainConfig, ChainPlugin, NodeConfig, ReadLimits
from chains.types import Address, Asset, AssetId, ChainId, Finality, account_location, utc_text
from mapping.importer import FileDigest, ImportOptions, ImportResult, read_files
from mapping.tables import table_named
from mapping.types import Origin, Record, Sourced
from tests.mapping.desk import csv_text
from verifier.config import SweepSettings
from verifier.journal import verify_journal
from verifier.overview import Overview, overview
from verifier.records import FindingKind, Reconciliation, Status
from verifier.shard_reading import Crew
from verifier.store import Case, Store
from verifier.sweep import ChainSweep, SweepOutcome
from verifier.sweep_encumbrances import EncumbranceOptions

Row = dict[str, str]

LIMITS: Final = ReadLimits(
    connect_timeout_seconds=60,
    read_timeout_seconds=120,
    call_deadline_seconds=120,
    attempts_max=1,
    retry_wait_seconds_max=0,
)
"""No second tries: a fault that a test makes is met at once. Long waits: a busy machine is no fault."""

CLIENTS: Final = ("C-1", "C-2", "C-3", "FIRM")


class World(Protocol):
    """What a desk must know of the chain it stands before."""

    @property
    def chain_id(self) -> str:
        """CAIP-2 id."""

    def head_time(self) -> datetime:
        """Time of the newest block: the desk's clock follows the chain's."""


class Desk:
    """One firm with one chain. Its clock is the chain's, a second later, and never stands still."""

    def __init__(
        self,
        store: Store,
        world: World,
        folder: Path,
        *,
        genesis_hash: str,
        urls: Iterable[str],
        token: str,
        plugin: ChainPlugin = chain_plugin,
        finality: str = "latest",
        settings: SweepSettings | None = None,
    ) -> None:
        self.store, self.world, self.folder, self.plugin = store, world, folder, plugin
        self.chain_id = ChainId(world.chain_id)
        self.settings = settings or SweepSettings()
        self.history_from: int | None = None
        self.encumbrances = EncumbranceOptions()
        self.crew: Crew | None = None
        self.native = Asset(AssetId(f"{self.chain_id}/slip44:60"), "ETH", 18)
        self.usdx = Asset(AssetId(f"{self.chain_id}/erc20:{token}"), "USDX", 6)
        nodes = tuple(NodeConfig(f"node-{n}", f"operator-{n}", url) for n, url in enumerate(urls, 1))
        self.config = ChainConfig(
            chain_id=self.chain_id,
            name="test chain",
            genesis_hash=genesis_hash,
            nodes=nodes,
            finality=Finality.parse(finality),
            native_asset=self.native,
            limits=LIMITS,
        )
        self.clock_ahead = timedelta(seconds=1)
        """How far the desk's clock is ahead of the newest block."""
        self._last = None if (head := store.head()) is None else head.recorded_at
        self._imports = 0

    # The clock

    def now(self) -> datetime:
        """The time; each call a millisecond later than the one before, at least."""
        moment = self.world.head_time() + self.clock_ahead
        if self._last is not None:
            moment = max(moment, self._last + timedelta(milliseconds=1))
        self._last = moment
        return moment

    # The books

    def at(self, address: str) -> str:
        """An address as a location."""
        return account_location(self.chain_id, Address(address))

    def take(self, **tables: Iterable[Row]) -> None:
        """Import rows of the sub-ledger's files; each row says what differs from a good one. Nothing may be wrong."""
        result = self.give(**tables)
        assert result.ok, [str(problem) for problem in result.problems]
        self.store.apply_import(result, "ops.maker", self.now())

    def give(self, **tables: Iterable[Row]) -> ImportResult:
        """Check rows as `take` does and store nothing."""
        self._imports += 1
        folder = self.folder / f"import-{self._imports}"
        folder.mkdir()
        for table, rows in tables.items():
            content = tuple({**self._defaults(table), **row} for row in rows)
            assert {column for row in content for column in row} <= set(table_named(table).column_names)
            text = csv_text(table, content)
            (folder / f"{table}.csv").write_text(text)
        with self.store.known() as known:
            return read_files([folder], known, ImportOptions(now=self.now()), lambda chain_id: self.plugin)

    def force(self, record: Record) -> None:
        """Record what the importer would refuse, as a book may hold it that was written before the importer was."""
        digest = hashlib.sha256(repr(record).encode()).hexdigest()
        origin = Origin("forced.csv", digest, 1)
        result = ImportResult(
            records=(Sourced(record, origin),),
            problems=(),
            problems_omitted=0,
            notices=(),
            notices_omitted=0,
            files=(FileDigest("forced.csv", "forced", digest, 1, 1),),
            unchanged=0,
        )
        self.store.apply_import(result, "ops.maker", self.now())

    def _defaults(self, table: str) -> Row:
        head = utc_text(self.world.head_time())
        own: dict[str, Row] = {
            "assets": {"asset_id": self.usdx.asset_id, "symbol": "USDX", "decimals": "6", "dust_limit": "0"},
            "wallets": {"chain_id": self.chain_id, "gas_float_limit": ""},
            "pools": {"chain_id": self.chain_id},
            "firm_addresses": {"chain_id": self.chain_id},
            "custodian_addresses": {"chain_id": self.chain_id, "as_of": head},
            "allocations": {"asset_id": self.usdx.asset_id, "as_of": head},
            "ledger_entries": {"asset_id": self.usdx.asset_id, "effective_at": head},
            "authorizations": {
                "chain_id": self.chain_id,
                "asset_id": self.usdx.asset_id,
                "fee_max": "",
                "valid_from": utc_text(self.world.head_time() - timedelta(hours=1)),
                "valid_until": utc_text(self.world.head_time() + timedelta(hours=1)),
                "approved_at": utc_text(self.world.head_time() - timedelta(hours=1)),
                "client_id": "C-1",
            },
            "accepted_control": {
                "chain_id": self.chain_id,
                "asset_id": self.usdx.asset_id,
                "valid_from": head,
                "valid_until": utc_text(self.world.head_time() + timedelta(days=1)),
                "approved_at": head,
            },
            "token_layouts": {"asset_id": self.usdx.asset_id, "approved_at": head},
            "positions": {"asset_id": self.usdx.asset_id, "as_of": head},
        }
        return own.get(table, {})

    def open_books(self, *wallets: str, assets: Iterable[Row] = ({},)) -> None:
        """Clients, one token, and omnibus wallets."""
        self.take(
            clients=[{"client_id": client, "name": f"Client {client}"} for client in CLIENTS],
            assets=list(assets),
            wallets=[{"address": wallet} for wallet in wallets],
        )

    def allocate(self, location: str, *, asset: Asset | None = None, **figures: int) -> None:
        """State who owns what at a place, by client (`C_1=5`), in base units, as of the newest block."""
        what = asset or self.usdx
        self.take(
            allocations=[
                {
                    "client_id": client.replace("_", "-"),
                    "location": location if ":" in location else self.at(location),
                    "asset_id": what.asset_id,
                    "quantity": what.format_quantity(base_units),
                }
                for client, base_units in figures.items()
            ]
        )

    def approve(self, authorization_id: str, wallet: str, destination: str, base_units: int, **changes: str) -> None:
        """Post the approval of a transfer."""
        row = {
            "authorization_id": authorization_id,
            "wallet": wallet,
            "destination": destination,
            "quantity_max": self.usdx.format_quantity(base_units),
        }
        self.take(authorizations=[{**row, **changes}])

    # The sweep

    def runner(self, *, plugin: ChainPlugin | None = None, clock: Callable[[], datetime] | None = None) -> ChainSweep:
        """A sweep that is ready to run."""
        return ChainSweep(
            self.store,
            self.config,
            plugin or self.plugin,
            self.settings,
            history_from_height=self.history_from,
            clock=clock or self.now,
            encumbrances=self.encumbrances,
            crew=self.crew,
        )

    def sweep(self, at: int | None = None) -> SweepOutcome:
        """Run one sweep; what must hold after every sweep is asserted."""
        outcome = self.runner().run(at)
        self.assert_invariants(outcome)
        return outcome

    def use_nodes(self, *urls: str) -> None:
        """Configure these nodes, in this order."""
        nodes = tuple(NodeConfig(f"node-{n}", f"operator-{n}", url) for n, url in enumerate(urls, 1))
        self.config = replace(self.config, nodes=nodes)

    def use_finality(self, finality: str) -> None:
        """Configure another finality."""
        self.config = replace(self.config, finality=Finality.parse(finality))

    # What came of it

    def results(self, outcome: SweepOutcome) -> dict[str, Reconciliation]:
        """The comparisons of the token, by location; the chain's id before an address is left out."""
        assert outcome.summary is not None, outcome.failure
        found = self.store.reconciliations(outcome.summary.sweep_id)
        prefix = f"{self.chain_id}:"
        return {each.location_id.removeprefix(prefix): each for each in found if each.asset == self.usdx}

    def result(self, outcome: SweepOutcome, place: str) -> Reconciliation:
        """The comparison of the token at one place."""
        return self.results(outcome)[place]

    def open_cases(self, kind: FindingKind | None = None) -> list[Case]:
        """The cases that are not closed."""
        return [case for case in self.store.cases() if kind is None or case.finding.kind is kind]

    def only_case(self, kind: FindingKind) -> Case:
        """The one open case there is, of this kind."""
        cases = self.open_cases()
        assert [case.finding.kind for case in cases] == [kind], [(c.finding.kind, c.finding.text) for c in cases]
        return cases[0]

    def close(self, case: Case) -> None:
        """Two people close a case."""
        self.store.propose(case.case_id, "explained", "ops.maker", self.now())
        self.store.approve(case.case_id, "agreed", "ops.checker", self.now())

    def status(self, native_asset_id: str = "") -> Overview:
        """What `custody status` shows; with another native coin configured when one is given."""
        from verifier.config import Settings

        known = [record.asset for record in self.store.assets(self.chain_id, self.now())]
        # Most of these worlds keep no native coin; that a wallet's is not read is a rule with a test of its own.
        native = self.native if self.native in known or not known else known[0]
        settings = Settings.model_validate(
            {
                "firm": {"name": "Test firm"},
                "chains": [
                    {
                        "chain_id": self.chain_id,
                        "name": "test chain",
                        "genesis_hash": self.config.genesis_hash,
                        "finality": str(self.config.finality),
                        "native_asset": {"asset_id": native_asset_id or native.asset_id, "symbol": "COIN"},
                        "nodes": [{"node_id": "node-1", "operator": "operator-1", "url": "http://127.0.0.1:1"}],
                    }
                ],
            }
        )
        return overview(self.store, settings, self.now())

    def assert_invariants(self, outcome: SweepOutcome) -> None:
        """I1, I2, I4 and I6 of the fault catalogue: counts, what matched means, a case for all else, the journal."""
        assert verify_journal(self.store).ok
        if outcome.summary is None:
            assert outcome.exit_code == 2
            return
        assert_accounted_for(self.store, outcome.summary.sweep_id, self.settings.as_of_skew_seconds_max)


def assert_accounted_for(store: Store, sweep_id: str, skew_seconds_max: int) -> None:
    """I1, I2 and I4 for one completed sweep that is its chain's newest."""
    summary = store.sweep_summary(sweep_id)
    assert summary is not None
    results = store.reconciliations(sweep_id)
    counts = Counter(result.status for result in results)
    assert len(results) == summary.expected
    assert [counts[status] for status in Status] == [summary.matched, summary.diverged, summary.unverified]
    covered = Counter(
        place for case in store.cases(include_closed=True) for place in store.case_covers(case.case_id) if case.is_seen
    )
    for result in results:
        place = (result.location_id, result.asset.asset_id)
        if result.status is Status.MATCHED:
            assert result.difference == 0
            assert result.observed == result.claimed + result.gas_float_observed
            for moment in (result.claimed_as_of, result.observed_as_of):
                assert abs((moment - result.block.timestamp).total_seconds()) <= skew_seconds_max
        else:
            assert covered[place], f"nobody has a case for {place}: {result}"


def kinds(outcome: SweepOutcome) -> dict[FindingKind, int]:
    """How many cases of each kind a sweep saw."""
    return dict(Counter(seen.finding.kind for seen in outcome.cases))
