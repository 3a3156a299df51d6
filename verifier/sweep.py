"""The sweep of one chain: pin one block, read every mapped holding there, compare, and open the cases.

The way of one sweep:

1. a node proves who it is; another is asked when it cannot, or all together where a quorum is configured;
2. blocks covered earlier are still canonical, or what a reorganisation removed is superseded;
3. one block is pinned, and `sweep.started` records it with the number of holdings to account for;
4. every asset is still what the asset table says, and balances of those that are get read in shards of wallets, by
   this process or by workers (`shard_reading`), each stored in one transaction;
5. the movements of all blocks since the last covered one are read, in contiguous runs;
6. who else could move what is in the wallets is asked at the pin, where the chain's adapter can (`sweep_encumbrances`);
7. the pinned block is still canonical and the node still the same, else all of it is superseded and pinned anew;
8. transfers are matched, balances rolled forward and reconciled, cases opened and the sweep ended with
   matched + diverged + unverified = expected, all in one transaction;
9. trades are settled by the legs that lie in final blocks (`trade_settling`).

A process that dies anywhere, or a node that stops answering, leaves a started sweep; the next one takes it up at the
same block and with the book as it was known then, skips what is stored, and ends with the same records. A sweep that
a node gave a wrong answer to is given up instead: what it read stays recorded and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from chains.agreement import NodeFailure, split_node_ids
from chains.errors import ChainMoved, FinalityReversed, InvalidValue, NodeUnavailable, ReadError, StaleHead
from chains.garbage import rare_collections
from chains.quorum import open_quorum
from chains.reader import ChainConfig, ChainPlugin, ChainReader, NodeConfig, Pin, used_addresses
from chains.state_proofs import StateProofMode
from chains.types import Address, Asset, AssetId, BlockRef, Holding, utc_text
from verifier.backfill import plan_backfills, read_backfills
from verifier.case_view import case_json, review_json
from verifier.changes import search_changes
from verifier.config import SweepSettings
from verifier.control_view import ControlView, control_view
from verifier.descriptors import follow_descriptors
from verifier.exception_proofs import prove_exceptions
from verifier.immature import ImmatureCoins, immature_coins
from verifier.judgement import Judgement, judge
from verifier.planning import PlannedSweep, SweepPlan, holdings_to_read, plan_at, plan_of
from verifier.proof_view import ProofView, proof_view
from verifier.records import SweepSummary, TransferMatch
from verifier.reorgs import check_history
from verifier.rolling import Rolled, roll_forward
from verifier.rules.by_asset import Observed
from verifier.rules.changes import FoundChanges, SearchMode
from verifier.rules.heartbeat import Heartbeat, heartbeat_findings, heartbeat_limit
from verifier.rules.shards import cut_into_shards, is_cut_of
from verifier.shard_reading import Crew, ShardReading, take_disagreements
from verifier.store import CaseSeen, JournalHead, Store, SweepStart
from verifier.sweep_encumbrances import EncumbranceOptions, EncumbranceQuestion
from verifier.trade_settling import TradesSettled, settle_trades

log = structlog.get_logger(__name__)

BLOCKS_PER_RUN = 500
"""Blocks whose movements are read and stored in one transaction."""

PROBE_KEPT = timedelta(hours=24)
"""How long what a node was found to offer is believed without asking again."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Phase:
    """Progress of a sweep, for a progress bar."""

    name: str
    total: int


OnPhase = Callable[[Phase], Callable[[int], None]]
"""Called when a phase begins; returns what to call with the number of further items done."""


def silent(phase: Phase) -> Callable[[int], None]:
    """No progress shown."""
    return lambda count: None


@dataclass(frozen=True, slots=True)
class SweepOutcome:
    """What became of one sweep of one chain: a summary with its cases, or why there is none."""

    chain_id: str
    summary: SweepSummary | None
    expected: int
    cases: tuple[CaseSeen, ...] = ()
    failure_code: str = ""
    failure: str = ""
    left_out: tuple[NodeFailure, ...] = ()
    """Nodes that a quorum of operators was reached without."""
    changes: FoundChanges | None = None
    """What the search for changes that no event explains came to; None when all added up."""
    for_review: tuple[TransferMatch, ...] = ()
    """Approved transfers that somebody should look at: to the firm itself, or approved in the books only afterwards."""
    control: ControlView | None = None
    """What was learnt about who else could move what is there; None when it was not asked."""
    trades: TradesSettled = field(default_factory=TradesSettled)
    """Trades that legs in final blocks settled, and those of which it cannot be told."""
    proofs: ProofView | None = None
    """State proofs of balances; None when none were asked for."""
    immature: ImmatureCoins | None = None
    """Bitcoin: what is counted and cannot be spent yet; None for other chains."""

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        summary = self.summary
        block = summary.block if summary is not None else None
        return {
            "chain_id": self.chain_id,
            "exit_code": self.exit_code,
            "failure": {"code": self.failure_code, "message": self.failure} if summary is None else None,
            "sweep_id": summary.sweep_id if summary is not None else None,
            "height": block.height if block is not None else None,
            "block_hash": block.block_hash if block is not None else None,
            "block_time": utc_text(block.timestamp) if block is not None else None,
            "finality": str(summary.finality) if summary is not None else None,
            "header_checked": summary.header_checked if summary is not None else None,
            "expected": self.expected,
            "matched": summary.matched if summary is not None else 0,
            "diverged": summary.diverged if summary is not None else 0,
            "unverified": summary.unverified if summary is not None else self.expected,
            "transfers_scanned": summary.transfers_scanned if summary is not None else 0,
            "transfers_outgoing": summary.transfers_outgoing if summary is not None else 0,
            "transfers_not_matched": summary.transfers_not_matched if summary is not None else 0,
            "transfers_change": summary.transfers_change if summary is not None else 0,
            "nodes_left_out": [
                {"node_id": node.node_id, "operator": node.operator, "reason": node.reason, "holdings": node.holdings}
                for node in self.left_out
            ],
            "trades": self.trades.to_dict(),
            "state_proofs": self.proofs.to_dict() if self.proofs is not None else None,
            "immature": self.immature.to_dict() if self.immature is not None else None,
            "encumbrances": self.control.to_dict() if self.control is not None else None,
            "changes": self.changes.to_dict() if self.changes is not None else None,
            "for_review": [review_json(match) for match in self.for_review],
            "cases": [case_json(seen.case_id, seen.finding) | {"is_new": seen.is_new} for seen in self.cases],
        }

    @property
    def exit_code(self) -> int:
        """0 all matched and no case seen, 1 the evidence contradicts, 2 something could not be checked."""
        if self.summary is None:
            return 2
        if self.summary.diverged or any(seen.contradicts for seen in self.cases):
            return 1
        return 2 if self.summary.unverified or not self.summary.expected or self.cases else 0


class ChainSweep:
    """Sweeps one chain, once."""

    def __init__(
        self,
        store: Store,
        chain: ChainConfig,
        plugin: ChainPlugin,
        settings: SweepSettings,
        *,
        history_from_height: int | None,
        clock: Clock,
        actor: str = "scheduler",
        on_phase: OnPhase = silent,
        encumbrances: EncumbranceOptions | None = None,
        heartbeat_seconds_max: int | None = None,
        firm_zone: str = "UTC",
        on_trades: Callable[[], None] = lambda: None,
        crew: Crew | None = None,
        wallets_per_shard: int | None = None,
    ) -> None:
        self._store = store
        self._chain = chain
        self._plugin = plugin
        self._settings = settings
        self._history_from = history_from_height
        self._clock = clock
        self._actor = actor
        self._on_phase = on_phase
        self._every_block = False
        self._crew = crew
        self._wallets_per_shard = wallets_per_shard or settings.wallets_per_shard
        self._firm_zone, self._on_trades = firm_zone, on_trades
        self._encumbrances = encumbrances or EncumbranceOptions()
        self._heartbeat_limit = heartbeat_limit(
            heartbeat_seconds_max, settings.heartbeat_seconds_max, chain.head_age_seconds_max
        )

    def run(self, at: int | None = None, *, every_block: bool = False) -> SweepOutcome:
        """Sweep at the configured finality, or at a given height. A failure is an outcome and is recorded too.

        Nothing is read of a halted chain; that is a failure as well. With `every_block` balances are read at every
        block since the last sweep. Raises `InvalidValue` when the height is not final yet, or when these are more
        blocks than the settings allow, `ChainConfigError` when a node cannot do what the configuration wants,
        `LeaseHeld` while another process sweeps the chain, and `LeaseLost` when one took it over.
        """
        with self._store.leased(f"chain:{self._chain.chain_id}"), rare_collections():
            return self._run(at, every_block)

    def _run(self, at: int | None, every_block: bool) -> SweepOutcome:
        self._every_block = every_block
        if halt := self._store.halt(self._chain.chain_id):
            return self._failed(FinalityReversed(f"{self._chain.chain_id} is halted until a person resumes it: {halt}"))
        if self._chain.quorum > 1:
            return self._with_quorum(at)
        failure: ReadError | None = None
        for node in self._chain.nodes:
            try:
                return self._with_node(node, at)
            except FinalityReversed as error:
                return self._failed(error)
            except ReadError as error:
                log.warning("node failed", chain=self._chain.chain_id, node=node.node_id, code=error.code)
                failure = error
        assert failure is not None  # a chain has at least one node
        return self._failed(failure)

    def _with_node(self, node: NodeConfig, at: int | None) -> SweepOutcome:
        kept = self._store.node_capabilities(self._chain.chain_id, node.node_id)
        fresh = _is_fresh(kept, self._clock())
        reader = self._plugin.open(self._chain, node, capabilities=kept if fresh else None)
        try:
            reader.identify()
            if not fresh:
                found = reader.probe(self._clock())
                self._store.add_node_capabilities(self._chain.chain_id, node.node_id, found, self._actor, self._clock())
            return self._pin_and_finish(reader, at)
        finally:
            reader.close()

    def _with_quorum(self, at: int | None) -> SweepOutcome:
        """All nodes together: what a quorum of operators does not agree on fails the sweep, or its part of it."""
        chain_id, nodes = self._chain.chain_id, self._chain.nodes
        kept = {node.node_id: self._store.node_capabilities(chain_id, node.node_id) for node in nodes}
        fresh = {node_id: words for node_id, words in kept.items() if _is_fresh(words, self._clock())}
        reader = open_quorum(self._chain, self._plugin, fresh)
        try:
            reader.identify()
            if not set(split_node_ids(reader.node_id)) <= fresh.keys():
                for node_id, found in reader.probe_each(self._clock()).items():
                    self._store.add_node_capabilities(chain_id, node_id, found, self._actor, self._clock())
            outcome = self._pin_and_finish(reader, at)
        except ReadError as error:
            outcome = self._failed(error)
        finally:
            try:
                self._keep_disagreements(reader)
            finally:
                reader.close()
        for left_out in reader.left_out:
            log.warning("node left out", chain=chain_id, node=left_out.node_id, reason=left_out.reason)
        return replace(outcome, left_out=reader.left_out)

    def _keep_disagreements(self, reader: ChainReader) -> None:
        """Record what operators disagree about, before anything that rests on what they agree about is."""
        if disagreements := take_disagreements(reader):
            self._store.add_disagreements(self._chain.chain_id, disagreements, self._actor, self._clock())

    def _pin_and_finish(self, reader: ChainReader, at: int | None) -> SweepOutcome:
        for attempts_left in reversed(range(self._settings.pin_attempts_max)):
            reader.identify()
            reorganised = check_history(self._store, reader, self._chain, self._actor, self._clock)
            planned = self._resume(reader, at, reorganised=reorganised) or self._start(reader, at)
            start = planned.start
            try:
                return self._finish(reader, planned)
            except NodeUnavailable:
                raise  # what is stored stands: the next node, or the next sweep, goes on from it
            except ReadError as error:
                self._store.abandon_sweep(start, error.code, self._actor, self._clock())
                if not isinstance(error, ChainMoved) or not attempts_left:
                    raise
        raise AssertionError("a sweep pins at least once")

    def _resume(self, reader: ChainReader, at: int | None, *, reorganised: bool) -> PlannedSweep | None:
        """The sweep that was left unfinished, when its block still stands and is the one asked for.

        A node that does not have the block yet raises `StaleHead`: it lags, and the sweep is not its to give up.
        """
        start = self._store.unfinished_sweep(self._chain.chain_id)
        if start is None:
            return None
        if (
            not reorganised
            and at in (None, start.block.height)
            and reader.block_at(start.block.height).block_hash == start.block.block_hash
            and self._is_planned_alike(planned := PlannedSweep(start, plan_of(self._store, start)))
            and not self._searched_less(start)
        ):
            self._require_few_blocks(start.block)
            log.info("resuming", sweep=start.sweep_id, block=start.block.height)
            return planned
        self._store.abandon_sweep(start, "superseded", self._actor, self._clock())
        return None

    def _is_planned_alike(self, planned: PlannedSweep) -> bool:
        """Whether an unfinished sweep would be cut from the same holdings today: else another program began it."""
        start, plan = planned.start, planned.plan
        if len(plan.holdings) != start.expected:
            return False
        shards = self._store.shard_plan(start)
        return not shards or is_cut_of(shards, holdings_to_read(self._store, start, plan))

    def _searched_less(self, start: SweepStart) -> bool:
        """Whether the unfinished sweep looked at fewer blocks than are asked for now: a search is made once a sweep."""
        found = self._store.found_changes(start) if self._every_block else None
        return found is not None and found.mode is not SearchMode.EVERY_BLOCK

    def _start(self, reader: ChainReader, at: int | None) -> PlannedSweep:
        pin = reader.pin(height=at, now=self._clock())
        tip = self._store.covered_tip(self._chain.chain_id)
        if at is None and tip is not None and pin.block.height < tip.height:
            raise StaleHead(
                f"offers block {pin.block.height}, blocks up to {tip.height} were covered before",
                node_id=reader.node_id,
            )
        self._require_few_blocks(pin.block)
        while True:
            head, now = self._store.head(), self._clock()
            known_at = now if head is None else max(now, head.recorded_at)
            plan = self._plan(pin.block.timestamp, known_at)
            start = self._store.start_sweep(
                self._chain.chain_id, pin, reader.node_id, len(plan.holdings), known_at, self._actor
            )
            if not self._follows_at_once(start, head, known_at):
                # An import that came in between may have changed how many holdings there are.
                plan = plan_of(self._store, start)
            if len(plan.holdings) == start.expected:
                return PlannedSweep(start, plan)
            self._store.abandon_sweep(start, "books-changed", self._actor, self._clock())

    def _follows_at_once(self, start: SweepStart, head: JournalHead | None, known_at: datetime) -> bool:
        """Whether the sweep's entry came right after this head, on the day for which the books were asked: then they
        say to the sweep what they said before it."""
        newest = self._store.head()
        assert newest is not None  # the sweep's own entry, or a later one
        return newest.sequence == (head.sequence if head else 0) + 1 and start.known_at.date() == known_at.date()

    def _require_few_blocks(self, block: BlockRef) -> None:
        """Refuse to read every block when somebody asks for too many: afterwards they could not be read any more."""
        newest = self._store.standing_summary(self._chain.chain_id)
        if not self._every_block or newest is None:
            return
        blocks, limit = block.height - newest.block.height - 1, self._settings.change_point_blocks_max
        if blocks > limit:
            raise InvalidValue(
                f"{blocks} blocks lie between the last sweep and block {block.height}, at most {limit} are read one by "
                "one; raise [sweep] change_point_blocks_max, or sweep a lower block first with --at"
            )

    def _plan(self, as_of: datetime, known_at: datetime) -> SweepPlan:
        return plan_at(self._store, self._chain.chain_id, as_of, known_at)

    def _finish(self, reader: ChainReader, planned: PlannedSweep) -> SweepOutcome:
        start, plan = planned.start, planned.plan
        holdings = holdings_to_read(self._store, start, plan)
        pin = Pin(start.block, start.finality, start.header_checked)
        assets = list(plan.assets.values())
        asset_problems = reader.asset_problems(pin, assets)
        observed = self._read_balances(reader, start, holdings, asset_problems)
        watched = list(dict.fromkeys([holding.address for holding in holdings]))  # sorted as they are
        self._read_transfers(reader, start, watched, assets)
        self._read_late(reader, start, watched, assets)
        rolled = self._explain_changes(reader, start, observed, watched, assets)
        known_assets = [asset for asset in assets if asset.asset_id not in asset_problems]
        question = self._question(start, pin, known_assets, assets)
        not_learnt = question.ask(reader)
        if not_learnt and self._chain.quorum == 1:
            not_learnt = self._ask_other_nodes(question, reader.node_id, not_learnt)
        reader.identify()
        self._require_canonical(reader, start)
        self._keep_disagreements(reader)
        if not_learnt:  # kept only now: a node that failed altogether leaves the question to the next one
            self._store.add_encumbrance_failure(start, reader.node_id, not_learnt, self._actor, self._clock())
        skew = self._settings.as_of_skew_seconds_max
        descriptors = follow_descriptors(
            self._store, self._plugin, start, self._actor, self._clock, lambda asked: used_addresses(reader, asked)
        )
        judgement = judge(self._store, start, plan, asset_problems, skew, rolled, self._heartbeat(start), descriptors)
        if self._chain.state_proofs is not StateProofMode.OFF:
            prove_exceptions(self._store, reader, start, judgement.matches, self._actor, self._clock)
        outcome = self._end(start, judgement)
        self._store.keep_observations(start, observed)
        return outcome

    def _ask_other_nodes(self, question: EncumbranceQuestion, asked: str, failure: str) -> str:
        """Who else could move it, asked of the chain's other nodes in their order; the balances stand as they are.

        Returns why nothing could be learnt from any of them; empty as soon as one answers. A quorum asked them all.
        """
        reasons = [failure]
        for node in self._chain.nodes:
            if node.node_id == asked:
                continue
            kept = self._store.node_capabilities(self._chain.chain_id, node.node_id)
            fresh = _is_fresh(kept, self._clock())
            other = self._plugin.open(self._chain, node, capabilities=kept if fresh else None)
            try:
                reason = question.ask_instead(other)
            finally:
                other.close()
            if not reason:
                log.info("encumbrances read from another node", chain=self._chain.chain_id, node=node.node_id)
                return ""
            reasons.append(reason)
        return "; ".join(reasons)

    def _heartbeat(self, start: SweepStart) -> Heartbeat | None:
        """How old this observation is; None when the sweep looks back, because a newer one stands."""
        tip = self._store.covered_tip(self._chain.chain_id)
        if tip is not None and tip.height > start.block.height:
            return None
        return Heartbeat(self._chain.chain_id, start.block, None, self._clock(), self._heartbeat_limit)

    def _question(
        self, start: SweepStart, pin: Pin, assets: Sequence[Asset], watched_assets: Sequence[Asset]
    ) -> EncumbranceQuestion:
        """Who else could move what is in the wallets; see `verifier.sweep_encumbrances`."""
        return EncumbranceQuestion(
            self._store,
            start,
            pin,
            assets,
            watched_assets,
            self._encumbrances,
            self._actor,
            self._clock,
            lambda name, total: self._on_phase(Phase(name, total)),
        )

    def _read_balances(
        self,
        reader: ChainReader,
        start: SweepStart,
        holdings: Sequence[Holding],
        asset_problems: Mapping[AssetId, str],
    ) -> Observed:
        """Cut the sweep into shards and read those that are not stored yet, here or by workers; a resumed sweep keeps
        the cut it was begun with. Returns everything that the sweep read."""
        advance = self._on_phase(Phase("reading balances", len(holdings)))
        shards = self._store.shard_plan(start)
        if not shards and holdings:
            cut = cut_into_shards(holdings, self._wallets_per_shard)
            shards = self._store.plan_shards(start, cut, self._actor, self._clock())
        stored = self._store.stored_shards(start)
        advance(sum(stored.values()))
        waiting = [shard for shard in shards if shard.number not in stored]
        reading = ShardReading(
            self._store, reader, self._chain, start, holdings, asset_problems, self._actor, self._clock
        )
        if self._crew is not None:
            self._crew.read(start, waiting, reading, lambda: self._require_canonical(reader, start), advance)
            return Observed(self._store.observations(start))
        reading.prepare(waiting)
        observed = Observed([seen for shard in waiting for seen in reading.read(shard, advance)])
        if len(observed) < len(holdings):
            return Observed(self._store.observations(start))
        return observed

    def _require_canonical(self, reader: ChainReader, start: SweepStart) -> None:
        if not reader.is_canonical(start.block):
            raise ChainMoved(f"block {start.block.height} is no longer canonical", node_id=reader.node_id)

    def _read_transfers(
        self, reader: ChainReader, start: SweepStart, watched: Sequence[Address], assets: Sequence[Asset]
    ) -> None:
        """Cover every block after the last covered one up to the pin; the node must know the pin by hash.

        Every address that is read is watched, or its next balance could not be explained.
        """
        tip = self._store.covered_tip(self._chain.chain_id)
        if tip is not None and tip.height >= start.block.height:
            return
        if tip is None:
            first = start.block.height if self._history_from is None else min(self._history_from, start.block.height)
        else:
            first = tip.height + 1
        advance = self._on_phase(Phase("reading blocks", start.block.height - first + 1))
        while first <= start.block.height:
            last_height = min(first + BLOCKS_PER_RUN - 1, start.block.height)
            last = start.block if last_height == start.block.height else reader.block_at(last_height)
            scan = reader.scan_transfers(first, last, watched, assets)
            if tip is not None and scan.blocks[0].parent_hash != tip.block_hash:
                raise ChainMoved(f"block {first} does not follow the last covered block", node_id=reader.node_id)
            self._keep_disagreements(reader)
            self._store.add_scan(start, scan, self._actor, self._clock())
            advance(len(scan.blocks))
            tip = scan.blocks[-1]
            first = last_height + 1

    def _read_late(
        self, reader: ChainReader, start: SweepStart, watched: Sequence[Address], assets: Sequence[Asset]
    ) -> None:
        """Read covered blocks again for what was mapped after they were covered; not when the sweep looks back."""
        tip = self._store.covered_tip(self._chain.chain_id)
        if tip is None or tip.height > start.block.height:
            return
        plan_backfills(self._store, start, self._actor, self._clock)
        waiting = sum(each.last_height - each.next_height + 1 for each in self._store.backfills(self._chain.chain_id))
        if not waiting:
            return
        blocks_max = self._settings.late_blocks_per_sweep_max
        read_backfills(
            self._store,
            reader,
            start,
            watched,
            assets,
            blocks_per_run=BLOCKS_PER_RUN,
            blocks_max=blocks_max,
            advance=self._on_phase(Phase("reading earlier blocks", min(waiting, blocks_max))),
            actor=self._actor,
            clock=self._clock,
        )
        self._keep_disagreements(reader)

    def _explain_changes(
        self,
        reader: ChainReader,
        start: SweepStart,
        observed: Observed,
        watched: Sequence[Address],
        assets: Sequence[Asset],
    ) -> Rolled:
        """Roll every balance forward; what does not add up is narrowed, traced and stored before anything is judged.

        All movements are read by now, those read late too.
        """
        rolled = roll_forward(self._store, start, observed)
        if self._store.found_changes(start) is not None:
            return rolled
        search = search_changes(
            self._store,
            reader,
            start,
            rolled,
            watched,
            next((asset for asset in assets if asset.is_native), self._chain.native_asset),
            mode=SearchMode.EVERY_BLOCK if self._every_block else SearchMode(self._settings.change_points),
            blocks_max=self._settings.change_point_blocks_max,
            on_phase=lambda name, total: self._on_phase(Phase(name, total)),
        )
        if search is None:
            return rolled
        self._keep_disagreements(reader)
        self._store.add_changes(start, search, rolled.rolls, self._actor, self._clock())
        return roll_forward(self._store, start, observed) if search.transfers else rolled

    def _end(self, start: SweepStart, judgement: Judgement) -> SweepOutcome:
        summary, cases = self._store.end_sweep(start, judgement, self._actor, self._clock())
        for_review = tuple(match for match in judgement.matches if match.for_review)
        trades = settle_trades(self._store, self._chain.chain_id, self._firm_zone, self._actor, self._clock)
        if trades.records:
            self._on_trades()
        return SweepOutcome(
            self._chain.chain_id,
            summary,
            summary.expected,
            tuple(cases),
            for_review=for_review,
            changes=self._store.found_changes(start),
            control=control_view(self._store, start),
            trades=trades,
            proofs=proof_view(self._store, start) if self._chain.state_proofs is not StateProofMode.OFF else None,
            immature=immature_coins(self._store, summary),
        )

    def _failed(self, error: ReadError) -> SweepOutcome:
        """Nothing could be read: that is recorded, and every mapped holding of the chain is unverified."""
        now = self._clock()
        expected = len(self._plan(now, self._store.book_time(self._clock())).holdings)
        newest = self._store.standing_summary(self._chain.chain_id)
        observed, made_at = (newest.block, newest.finished_at) if newest is not None else (None, None)
        stale = heartbeat_findings(Heartbeat(self._chain.chain_id, observed, made_at, now, self._heartbeat_limit))
        cases = self._store.record_failed_sweep(self._chain.chain_id, error, expected, self._actor, now, stale)
        return SweepOutcome(
            self._chain.chain_id, None, expected, tuple(cases), failure_code=error.code, failure=str(error)
        )


def _is_fresh(capabilities: Mapping[str, str], now: datetime) -> bool:
    """Whether a kept probe may stand in for a new one: nodes are upgraded, pruned and replaced behind their URL."""
    try:
        probed_at = datetime.fromisoformat(capabilities["probed-at"])
    except (KeyError, ValueError):
        return False
    return abs(now - probed_at) <= PROBE_KEPT
