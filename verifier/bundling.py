"""From the store to the auditor: the newest sweep of every chain as one signed bundle.

Only here do the verifier's own records become the bundle's record types. The bundle speaks of the sweeps' blocks
and of the books as they were known then; nothing that came later is mixed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from chains.agreement import split_node_ids
from chains.types import Address, AnchorEvidence, AssetId, ChainId, LocationId, StateEvidence, Transfer, overall_grade
from exports import records
from exports.bundle import Bundle, WrittenBundle, bundle_digest, digest_of_file, write_bundle
from exports.liabilities import LiabilityContext
from exports.liability_checks import Moment, make_liabilities
from exports.manifest import Withheld
from exports.outside_kinds import EvidenceKind
from exports.outside_records import ImportedEvidenceRecord
from exports.possession_records import PossessionReviewRecord
from exports.proof_records import TransactionProofRecord
from exports.reserve_records import ReserveComputationRecord, ReservePositionRecord
from exports.securities_records import SecuritiesRunRecord
from exports.selfcheck import refusals
from exports.superseded import SupersededBundleRecord
from mapping.types import AssetRecord, PoolMember, TransferAuthorization, Wallet
from verifier.answer_bundling import bundled_answers
from verifier.config import Settings
from verifier.control_bundling import control_records, key_records
from verifier.errors import BundleRefused, InputError, StoreBusy, StoreError
from verifier.known_head import HeadFile, note_head
from verifier.output_bundling import chain_outputs
from verifier.proof_bundling import chain_proofs, proof_nodes, transaction_proof_records
from verifier.records import (
    IN_ORDER_OUTCOMES,
    CaseState,
    Rail,
    Reconciliation,
    StatementCheck,
    SweepSummary,
    TransferMatch,
)
from verifier.reserve_rail import in_use, position_at
from verifier.store import Case, IssuedBundle, JournalHead, Store, SweepStart

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

SCOPE = (
    "Client assets on the digital rail: every wallet the firm mapped on these chains, at one block each. "
    "Of the reserve, computations and what banks stated to the firm are in this bundle, of possession or control the "
    "firm's reviews, of securities at custodians the newest comparison with what they stated; cash is not."
)
OFF_CHAIN = frozenset({Rail.CASH, Rail.CONTROL, Rail.SECURITIES})
"""Rails whose cases are in every bundle, whatever its chains."""
PREPARED = "bundle.prepared"
"""Kind of the journal entry that is the moment of a bundle."""
WITHHELD = (Withheld(what="client names", why="clients are named by the firm's client ids; names stay with the firm"),)


def issue_bundle(
    store: Store,
    settings: Settings,
    path: Path,
    since: Mapping[str, int],
    signers: Sequence[Signer],
    actor: str,
    clock: Callable[[], datetime],
    liabilities_secret: bytes,
) -> WrittenBundle:
    """Write the bundle of each chain's sweep that stands, and record that it was issued.

    Movements are included from `since` (a height per chain), else from the block after the previous bundle's, else
    from the first covered one. The bundle's moment is a journal entry made first; until it is issued nothing new is
    recorded, so that an export that was killed gives the same digest when it is repeated. `liabilities_secret` salts
    the liabilities tree and never leaves the house. Last, the journal's head is noted outside the database.

    Raises `InputError` when there is no sweep to speak of or another file is in the way, `BundleRefused` when a
    verifier would refuse the bundle, `StoreBusy` when something was recorded in between; nothing is written then.
    """
    if not settings.chains:
        raise InputError("no chain is configured, so there is nothing to export")
    if unknown := set(since) - {section.chain_id for section in settings.chains}:
        raise InputError(f"--since names {min(unknown)}, which is not configured")
    for section in settings.chains:
        _standing(store, ChainId(section.chain_id))  # before anything is recorded
    bundle, head = _gather(store, settings, since, actor, clock)
    bundle = _with_liabilities(bundle, liabilities_secret)
    if reasons := refusals(bundle):
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        raise BundleRefused(f"a verifier would refuse this bundle: {reasons[0]}{more}")
    if path.exists() and digest_of_file(path) != bundle_digest(bundle):
        raise InputError(f"{path} exists already and is another bundle; it was not overwritten")
    if store.head() != head:
        raise StoreBusy("something was recorded while the bundle was made")
    was_there = path.exists()  # the same bundle, perhaps with signatures and time stamps of others by now
    written = write_bundle(bundle, signers, path)
    blocks = tuple((sweep.chain_id, sweep.height, sweep.block_hash) for sweep in bundle.sweeps)
    issued = IssuedBundle(bundle.bundle_id, bundle.sequence, written.digest, bundle.as_of, str(path), head, blocks)
    try:
        store.add_bundle(issued, actor, clock())
    except StoreError:
        if not was_there:
            path.unlink(missing_ok=True)  # a bundle that is not in the journal was not issued
        raise
    note_head(store, HeadFile.of(settings), "export", clock())
    return written


def _gather(
    store: Store, settings: Settings, since: Mapping[str, int], actor: str, clock: Callable[[], datetime]
) -> tuple[Bundle, JournalHead]:
    """The bundle as of the newest journal entry, and that entry."""
    head = _prepared(store, actor, clock)
    issued = store.bundles()
    previous = issued[-1] if issued else None
    parts = []
    for section in settings.chains:
        chain_id = ChainId(section.chain_id)
        summary, start = _standing(store, chain_id)
        operators = {node.node_id: node.operator for node in section.nodes}
        first = since.get(chain_id, _next_height(store, chain_id, summary, previous))
        parts.append(_ChainPart(store, start, summary, operators, first))
    before = store.newest_bundle()  # one that a restored database lost keeps its number
    sequence = before[0] + 1 if before else 1
    as_of = max(part.start.block.timestamp for part in parts)
    # A block's time may be a little ahead of the firm's clock.
    created_at = max(head.recorded_at, as_of, *(part.summary.finished_at for part in parts))
    control = [control_records(store, part.start, store.observations(part.start)) for part in parts]
    challenges, proofs = key_records(store, {part.start.chain_id: part.mapped() for part in parts})
    balances = [balance for part in parts for balance in part.balances()]
    sweeps = [part.sweep() for part in parts]
    parts_proofs = [chain_proofs(store, part.start) for part in parts]
    proven_on = {balance.chain_id for balance in balances if balance.state is StateEvidence.PROVEN}
    headers = [each.header for each in parts_proofs if each.header is not None and each.chain_id in proven_on]
    folders = {ChainId(section.chain_id): section.state_directory for section in settings.chains}
    outputs = [chain_outputs(part.start, balances, folders[part.start.chain_id]) for part in parts]
    kept = bundled_answers(store, [part.start for part in parts], balances)
    bundle = Bundle(
        bundle_id=f"bundle-{sequence:06d}",
        sequence=sequence,
        previous_digest=before[1] if before else None,
        firm=records.FirmRecord(settings.firm.name, ""),
        as_of=as_of,
        created_at=created_at,
        as_of_skew_seconds_max=settings.sweep.as_of_skew_seconds_max,
        journal=records.JournalHeadRecord(head.sequence, head.entry_digest),
        scope_text=SCOPE,
        withheld=WITHHELD,
        assets=[asset for part in parts for asset in part.assets()],
        wallets=[wallet for part in parts for wallet in part.wallets()],
        pools=[pool for part in parts for pool in part.pools()],
        balances=balances,
        proof_headers=headers,
        proof_nodes=proof_nodes(parts_proofs, headers, balances, sweeps),
        node_answers=kept.records,
        answers=kept.answers,
        proof_gaps=[gap for each in parts_proofs for gap in each.gaps],
        transaction_proofs=[proof for part in parts for proof in part.transaction_proofs()],
        token_layouts=[layout for each in parts_proofs for layout in each.layouts],
        bitcoin_headers=[record for each in outputs for record in each.headers],
        bitcoin_inclusions=[record for each in outputs for record in each.inclusions],
        bitcoin_outputs=[record for each in outputs for record in each.outputs],
        bitcoin_transactions=[record for each in outputs for record in each.transactions],
        allocations=[allocation for part in parts for allocation in part.allocations()],
        reconciliations=[reconciliation for part in parts for reconciliation in part.reconciliations()],
        transfers=[transfer for part in parts for transfer in part.transfers()],
        authorizations=[authorization for part in parts for authorization in part.authorizations()],
        cases=_cases(store, {part.start.chain_id for part in parts}),
        sweeps=sweeps,
        acceptances=[decision for each in control for decision in each.acceptances],
        control_reviews=[each.review for each in control],
        grants=[grant for each in control for grant in each.grants],
        controls=[state for each in control for state in each.controls],
        restrictions=[restriction for each in control for restriction in each.restrictions],
        reserve_computations=_reserve_computations(store),
        imported_evidence=_imported_evidence(store),
        possession_reviews=_possession_reviews(store),
        securities_runs=_securities_runs(store),
        reserve_positions=_reserve_positions(store, settings, head.recorded_at),
        superseded_bundles=_superseded(store),
        key_challenges=challenges,
        key_proofs=proofs,
    )
    return bundle, head


def _with_liabilities(bundle: Bundle, secret: bytes) -> Bundle:
    """The bundle with the trees over what its allocations say is owed."""
    moment = Moment(LiabilityContext(bundle.firm.name, bundle.bundle_id, bundle.as_of), bundle.as_of_skew_seconds_max)
    made = make_liabilities(bundle.assets, bundle.allocations, bundle.reconciliations, moment, secret)
    return replace(
        bundle,
        liabilities=made.liabilities,
        liability_totals=made.liability_totals,
        liability_roots=made.liability_roots,
    )


def _superseded(store: Store) -> list[SupersededBundleRecord]:
    """Every bundle issued before of which a block has left its chain since."""
    return [
        SupersededBundleRecord(
            bundle_id=each.bundle.bundle_id,
            sequence=each.bundle.sequence,
            digest=each.bundle.digest,
            chain_id=each.chain_id,
            height=each.height,
            block_hash=each.block_hash,
            found_at=each.found_at,
        )
        for each in store.superseded_bundles()
    ]


def _reserve_computations(store: Store) -> list[ReserveComputationRecord]:
    """Every reserve computation on record: what was corrected stays visible."""
    return [
        ReserveComputationRecord(
            computation_id=each.computation_id,
            as_of=each.as_of,
            scope=each.scope,
            occasion=each.occasion,
            document=each.document.decode(),
            digest=each.digest,
            known_at=each.known_at,
            recorded_at=each.recorded_at,
            compute_on=each.times.compute_on,
            deposit_on=each.times.deposit_on,
            deposit_by=each.times.deposit_by,
            replaces=each.replaces,
            reason=each.reason,
        )
        for each in store.reserve_computations()
    ]


def _securities_runs(store: Store) -> list[SecuritiesRunRecord]:
    """The newest comparison with custodians' statements; nothing for a firm that made none."""
    run = store.newest_securities_run()
    if run is None:
        return []
    return [
        SecuritiesRunRecord(
            run_id=run.run_id,
            as_of=run.as_of,
            document=run.document.decode(),
            digest=run.digest,
            known_at=run.known_at,
            recorded_at=run.recorded_at,
        )
    ]


def _imported_evidence(store: Store) -> list[ImportedEvidenceRecord]:
    """Everything of others that was taken; it counts in no balance."""
    return [
        ImportedEvidenceRecord(each.evidence_id, EvidenceKind(each.kind), each.document, each.digest, each.recorded_at)
        for each in store.imported_evidence()
    ]


def _possession_reviews(store: Store) -> list[PossessionReviewRecord]:
    """Every review of possession or control on record: what was corrected stays visible."""
    return [
        PossessionReviewRecord(
            review_id=each.review_id,
            as_of=each.as_of,
            document=each.document.decode(),
            digest=each.digest,
            known_at=each.known_at,
            recorded_at=each.recorded_at,
            determined_on=each.determined_on,
            act_by=each.act_by,
            replaces=each.replaces,
            reason=each.reason,
        )
        for each in store.possession_reviews()
    ]


def _reserve_positions(store: Store, settings: Settings, moment: datetime) -> list[ReservePositionRecord]:
    """What lies in the reserve accounts at the bundle's moment; nothing for a firm that states nothing of them."""
    if not in_use(store, moment):
        return []
    position = position_at(store, settings, moment)
    return [ReservePositionRecord(position.on, position.canonical().decode(), position.digest)]


def _prepared(store: Store, actor: str, clock: Callable[[], datetime]) -> JournalHead:
    """The journal entry that is the bundle's moment: the newest one when it is such an entry, else a new one."""
    from verifier.store.journal_view import newest_entries

    newest = newest_entries(store, 1)
    if not newest or newest[0].kind != PREPARED:
        with store.record(PREPARED, actor, {}, clock(), payload_is_the_record=True):
            pass
    head = store.head()
    assert head is not None
    return head


def _standing(store: Store, chain_id: ChainId) -> tuple[SweepSummary, SweepStart]:
    """The completed sweep at the chain's highest block that stands."""
    summary = store.standing_summary(chain_id)
    start = store.sweep(summary.sweep_id) if summary is not None else None
    if summary is None or start is None:
        raise InputError(f"{chain_id} has no completed sweep whose block stands: run `custody sweep` first")
    if not summary.expected:
        raise InputError(
            f"the sweep of {chain_id} compared nothing: import its wallets and sweep again, "
            "or take the chain out of custody.toml"
        )
    return summary, start


def _next_height(store: Store, chain_id: ChainId, summary: SweepSummary, previous: IssuedBundle | None) -> int:
    """The first height whose movements the previous bundle did not have; 0 when there is none before."""
    if previous is None:
        return 0
    before = [sweep for sweep in store.summaries(chain_id) if sweep.finished_at <= previous.head.recorded_at]
    heights = [sweep.block.height for sweep in before if not store.is_orphaned(sweep.block)]
    following = min(max(heights, default=-1) + 1, summary.block.height)
    # What was read afterwards for wallets mapped late lies in blocks that the previous bundle had without it, and so
    # do transfers traced where a balance could be read again only later.
    sequence = previous.head.sequence
    late = (store.backfilled_since(chain_id, sequence), store.traced_since(chain_id, sequence))
    return min([following, *(height for height in late if height is not None)])


def _cases(store: Store, chain_ids: set[ChainId]) -> list[records.CaseRecord]:
    """Every case of the bundle's chains and of the reserve, closed ones too; none that only looks at the head saw."""
    return [
        _case(case, store.case_covers(case.case_id))
        for case in store.cases(include_closed=True)
        if not case.only_looked and (case.finding.rail in OFF_CHAIN or _chain_of(case) in chain_ids)
    ]


def _chain_of(case: Case) -> ChainId | None:
    finding = case.finding
    if finding.block is not None:
        return finding.block.chain_id
    if finding.asset is not None:
        return finding.asset.chain_id
    return ChainId(finding.location_id)  # nothing of a chain could be read: the chain itself is the place


class _ChainPart:
    """What one chain's sweep contributes."""

    def __init__(
        self,
        store: Store,
        start: SweepStart,
        summary: SweepSummary,
        operators: Mapping[str, str],
        since: int,
    ) -> None:
        self.store, self.start, self.summary = store, start, summary
        self._operators = operators
        covered, tip = store.covered_from(start.chain_id), store.covered_tip(start.chain_id)
        reached = covered is not None and tip is not None and covered <= start.block.height <= tip.height
        self._first = max(covered, since) if reached and covered is not None else None
        """First height whose movements are included; None when none is covered up to the pin."""
        self._moved = self._movements() if self._first is not None else []
        self._traces = self._traced() if self._first is not None else {}
        self._wallets: list[Wallet] = store.wallets(start.chain_id, start.known_at)

    def _movements(self) -> list[tuple[Transfer, TransferMatch | None]]:
        """Every movement in the included blocks, with its match where it is outgoing."""
        heights = {"first_height": self._first, "last_height": self.start.block.height}
        matches = {match.transfer.transfer_id: match for match in self.store.matches(self.start.chain_id, **heights)}
        transfers = self.store.transfers(self.start.chain_id, **heights)
        return [(transfer, matches.get(transfer.transfer_id)) for transfer in transfers]

    def _traced(self) -> dict[str, records.TraceRecord]:
        """Who saw each internal transfer."""
        assert self._first is not None
        heights = {"first_height": self._first, "last_height": self.start.block.height}
        traced = {}
        for transfer_id, (method, joined) in self.store.traces(self.start.chain_id, **heights).items():
            nodes = split_node_ids(joined)
            witnesses = tuple(records.WitnessRecord(node_id, self._operator(node_id)) for node_id in nodes)
            several = len({witness.operator.strip().casefold() for witness in witnesses}) > 1
            evidence = AnchorEvidence.AGREED if several else AnchorEvidence.SINGLE
            traced[transfer_id] = records.TraceRecord(method, evidence, witnesses)
        return traced

    def transaction_proofs(self) -> list[TransactionProofRecord]:
        """The proofs of transactions with an exception, of the included movements."""
        exceptions = {
            (transfer.block.block_hash, transfer.tx_id)
            for transfer, match in self._moved
            if match is not None and (match.outcome not in IN_ORDER_OUTCOMES or match.commingling)
        }
        return transaction_proof_records(self.store, self.start.chain_id, exceptions)

    def mapped(self) -> set[Address]:
        """The addresses of the mapped wallets, closed ones too."""
        return {wallet.address for wallet in self._wallets}

    def assets(self) -> list[records.AssetRecord]:
        found: list[AssetRecord] = self.store.assets(self.start.chain_id, self.start.known_at)
        return [
            records.AssetRecord(
                asset_id=row.asset.asset_id,
                symbol=row.asset.symbol,
                decimals=row.asset.decimals,
                legal_class=row.legal_class.value,
                legal_class_from=row.legal_class_from,
                legal_class_reference=row.legal_class_reference,
                dust_limit=row.dust_limit,
            )
            for row in found
        ]

    def wallets(self) -> list[records.WalletRecord]:
        return [
            records.WalletRecord(
                chain_id=wallet.chain_id,
                address=wallet.address,
                structure=wallet.structure.value,
                titling=wallet.titling,
                custodian=wallet.custodian,
                mpc_vault=wallet.mpc_vault,
                key_scheme=wallet.key_scheme,
                threshold=wallet.threshold,
                share_count=wallet.share_count,
                share_holders=tuple(records.ShareHolder(holder, shares) for holder, shares in wallet.share_holders),
                firm_alone_can_sign=wallet.firm_alone_can_sign,
                others_can_sign_without_firm=wallet.others_can_sign_without_firm,
                opened_on=wallet.opened_on,
                closed_on=wallet.closed_on,
                gas_float_limit=wallet.gas_float_limit,
            )
            for wallet in self._wallets
        ]

    def pools(self) -> list[records.PoolRecord]:
        """Memberships in force at the block; others would count a wallet twice."""
        on = self.start.block.timestamp.date()
        members: list[PoolMember] = self.store.pool_members(self.start.chain_id, self.start.known_at)
        return [
            records.PoolRecord(member.pool_id, member.chain_id, member.address, member.from_date, member.to_date)
            for member in members
            if member.from_date <= on and (member.to_date is None or on <= member.to_date)
        ]

    def balances(self) -> list[records.BalanceRecord]:
        """Of mapped wallets; what addresses hold that only the custodian lists stands in their cases."""
        start, block = self.start, self.start.block
        mapped = {wallet.address for wallet in self._wallets}
        return [
            records.BalanceRecord(
                sweep_id=start.sweep_id,
                chain_id=start.chain_id,
                address=seen.holding.address,
                asset_id=seen.holding.asset.asset_id,
                base_units=seen.base_units,
                status=seen.status,
                reason=seen.reason,
                height=block.height,
                block_hash=block.block_hash,
                parent_hash=block.parent_hash,
                block_time=block.timestamp,
                finality=str(start.finality),
                method=seen.method,
                node_id=split_node_ids(seen.node_id)[0],
                operator=self._operator(split_node_ids(seen.node_id)[0]),
                state=seen.state,
                anchor=seen.anchor,
                grade=overall_grade(seen.state, seen.anchor),
                header_checked=start.header_checked,
            )
            for seen in self.store.observations(start)
            if seen.holding.address in mapped
        ]

    def _operator(self, node_id: str) -> str:
        """Who runs the node; a node that is no longer configured stands for itself."""
        return self._operators.get(node_id, node_id)

    def _witnesses(self) -> tuple[records.WitnessRecord, ...]:
        """Every node that gave the pinned block: those that it was pinned at, and those whose reads by its hash stand.

        They differ when a node failed on the way and another took its place.
        """
        joined = [self.start.node_id, *dict.fromkeys(seen.node_id for seen in self.store.observations(self.start))]
        node_ids = dict.fromkeys(node_id for names in joined for node_id in split_node_ids(names))
        return tuple(records.WitnessRecord(node_id, self._operator(node_id)) for node_id in node_ids)

    def allocations(self) -> list[records.AllocationRecord]:
        """What each owner had at the block's time, as known to the sweep."""
        start = self.start
        figures = self.store.allocations(start.chain_id, start.block.timestamp, start.known_at)
        return [
            records.AllocationRecord(
                client_id=key.client_id,
                account_class=records.AccountClass(key.account_class.value),
                location=key.location_id,
                asset_id=key.asset_id,
                base_units=base_units,
                is_gas_float=key.is_gas_float,
            )
            for key, base_units in figures.items()
        ]

    def reconciliations(self) -> list[records.ReconciliationRecord]:
        return [_reconciliation(found) for found in self.store.reconciliations(self.start.sweep_id)]

    def transfers(self) -> list[records.TransferRecord]:
        """Those of mapped wallets; addresses that only the custodian lists are watched too."""
        mapped = {wallet.address for wallet in self._wallets}
        return [
            _transfer(transfer, match, self._traces.get(transfer.transfer_id))
            for transfer, match in self._moved
            if {transfer.sender, transfer.receiver} & mapped
        ]

    def authorizations(self) -> list[records.AuthorizationRecord]:
        """Those the included transfers name, and those in force at any time of the included blocks.

        So whoever reads the bundle sees what was approved and not executed too.
        """
        matches = [match for _, match in self._moved if match is not None]
        named = {match.authorization_id for match in matches}
        named |= {use.authorization_id for match in matches for use in match.uses}
        at = self.start.block.timestamp
        first = self.store.covered_block(self.start.chain_id, self._first) if self._first is not None else None
        since = min(first.timestamp, at) if first is not None else at
        found: list[TransferAuthorization] = self.store.authorizations(self.start.chain_id, self.start.known_at)
        return [
            records.AuthorizationRecord(
                authorization_id=row.authorization_id,
                chain_id=row.chain_id,
                wallet=row.wallet,
                asset_id=row.asset_id,
                base_units_max=row.base_units_max,
                destination=row.destination,
                fee_max=row.fee_max,
                valid_from=row.valid_from,
                valid_until=row.valid_until,
                purpose=row.purpose.value,
                requested_by=row.requested_by,
                approved_by=row.approved_by,
                approved_at=row.approved_at,
                reference=row.reference,
                client_id=row.client_id,
            )
            for row in found
            if row.authorization_id in named or (row.valid_from <= at and row.valid_until >= since)
        ]

    def sweep(self) -> records.SweepRecord:
        start, summary = self.start, self.summary
        return records.SweepRecord(
            sweep_id=start.sweep_id,
            chain_id=start.chain_id,
            height=start.block.height,
            block_hash=start.block.block_hash,
            parent_hash=start.block.parent_hash,
            block_time=start.block.timestamp,
            finality=str(start.finality),
            header_checked=start.header_checked,
            witnesses=self._witnesses(),
            expected=summary.expected,
            matched=summary.matched,
            diverged=summary.diverged,
            unverified=summary.unverified,
            coverage_first=self._first,
            coverage_last=start.block.height if self._first is not None else None,
            started_at=summary.started_at,
            finished_at=summary.finished_at,
        )


def _reconciliation(found: Reconciliation) -> records.ReconciliationRecord:
    return records.ReconciliationRecord(
        sweep_id=found.sweep_id,
        rail=records.Rail(found.rail.value),
        location=found.location_id,
        asset_id=found.asset.asset_id,
        claimed=found.claimed,
        gas_float_recorded=found.gas_float_recorded,
        gas_float_observed=found.gas_float_observed,
        observed=found.observed,
        difference=found.difference,
        status=records.Status(found.status.value),
        reason=found.reason,
        claimed_as_of=found.claimed_as_of,
        known_at=found.known_at,
        observed_as_of=found.observed_as_of,
        statement=_statement(found.statement) if found.statement is not None else None,
    )


def _statement(check: StatementCheck) -> records.StatementRecord:
    return records.StatementRecord(
        base_units=check.base_units,
        as_of=check.as_of,
        stated_by=check.stated_by,
        statement_id=check.statement_id,
        status=records.Status(check.status.value),
        reason=check.reason,
    )


def _transfer(
    transfer: Transfer, match: TransferMatch | None, trace: records.TraceRecord | None
) -> records.TransferRecord:
    return records.TransferRecord(
        chain_id=transfer.block.chain_id,
        height=transfer.block.height,
        block_hash=transfer.block.block_hash,
        block_time=transfer.block.timestamp,
        tx_id=transfer.tx_id,
        index=transfer.index,
        kind=transfer.kind,
        asset_id=transfer.asset.asset_id,
        sender=transfer.sender,
        receiver=transfer.receiver,
        base_units=transfer.base_units,
        outcome=records.Outcome(match.outcome.value) if match is not None else None,
        authorization_id=match.authorization_id if match is not None else "",
        uses=tuple(records.UseRecord(use.authorization_id, use.base_units) for use in match.uses) if match else (),
        commingling=match.commingling if match is not None else False,
        for_review=match.for_review if match is not None else False,
        reason=match.reason if match is not None else "",
        trace=trace,
    )


def _case(case: Case, covers: Sequence[tuple[LocationId, AssetId]]) -> records.CaseRecord:
    finding = case.finding
    stands = case.proposal if case.checkers or case.state is CaseState.PROPOSED else None
    in_chain = finding.rail not in OFF_CHAIN  # what is on no chain is no asset of a bundle; the text says the amounts
    return records.CaseRecord(
        case_id=case.case_id,
        kind=finding.kind.value,
        status=records.CaseStatus(case.state.value),
        rail=records.Rail(finding.rail.value),
        location=finding.location_id,
        asset_id=finding.asset.asset_id if in_chain and finding.asset is not None else None,
        base_units=finding.base_units if in_chain else None,
        opened_at=case.opened_at,
        text=finding.text,
        tx_ids=(finding.tx_id,) if finding.tx_id else (),
        height=finding.block.height if finding.block is not None else None,
        block_hash=finding.block.block_hash if finding.block is not None else None,
        covers=tuple(records.CoverRecord(location, asset_id) for location, asset_id in covers),
        maker=stands.maker if stands is not None else "",
        proposed_at=stands.made_at if stands is not None else None,
        checkers=case.checkers,
        decided_at=case.decided_at if case.checkers else None,
    )
