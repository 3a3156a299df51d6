"""What the sweep of one chain contributes to a bundle, in the bundle's own record types."""

from __future__ import annotations

from collections.abc import Mapping

from chains.agreement import split_node_ids
from chains.types import Address, AnchorEvidence, Transfer, overall_grade
from exports import records
from exports.proof_records import TransactionProofRecord
from mapping.types import AssetRecord, PoolMember, TransferAuthorization, Wallet
from verifier.proof_bundling import transaction_proof_records
from verifier.records import IN_ORDER_OUTCOMES, Reconciliation, StatementCheck, SweepSummary, TransferMatch
from verifier.store import Store, SweepStart


class ChainPart:
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
        """The reviewed assets of the chain, as known to the sweep."""
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
        """The mapped wallets, closed ones too, with how their keys are governed."""
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
        """Claimed against observed, as the sweep judged it."""
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
        """The sweep itself: its block, who gave it, its counts, and the blocks whose movements are included."""
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
