"""The approvals as people read them: what became of each, who asked and who approved, and what executed it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from chains.types import Asset, ChainId, Transfer, utc_text
from mapping.types import TransferAuthorization
from verifier.rules.execution import ApprovalState, approval_state
from verifier.rules.statements import figure
from verifier.store import Store
from verifier.transfer_judgement import read_span


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """One approval, what the transfers that are known took from it, and its state as of the newest sweep's block."""

    authorization: TransferAuthorization
    asset: Asset
    state: ApprovalState
    as_of: datetime | None
    """Time of the block the state speaks of; None when the chain was not swept yet."""
    recorded_at: datetime
    executions: tuple[tuple[Transfer, int], ...]
    """Transfers with the base units each took from it, in the order of the chain."""

    @property
    def used(self) -> int:
        """Base units taken from it."""
        return sum(base_units for _, base_units in self.executions)

    def cells(self) -> tuple[str, ...]:
        """For a table."""
        of = self.authorization
        return (
            of.authorization_id,
            self.state.value.replace("_", " "),
            figure(self.used, self.asset).removesuffix(f" {self.asset.symbol}"),
            figure(of.base_units_max, self.asset),
            f"{of.valid_until:%Y-%m-%d}",  # the time of day is in the JSON
            f"{of.requested_by}, {of.approved_by}",
        )

    def to_dict(self) -> dict[str, object]:
        """For `--json`. Amounts are strings of base units."""
        of = self.authorization
        return {
            "authorization_id": of.authorization_id,
            "state": self.state.value,
            "as_of": utc_text(self.as_of) if self.as_of is not None else None,
            "chain_id": of.chain_id,
            "wallet": of.wallet,
            "destination": of.destination,
            "asset_id": of.asset_id,
            "symbol": self.asset.symbol,
            "base_units_max": str(of.base_units_max),
            "base_units_used": str(self.used),
            "quantity_max": self.asset.format_quantity(of.base_units_max),
            "quantity_used": self.asset.format_quantity(self.used),
            "fee_max": str(of.fee_max) if of.fee_max is not None else None,
            "valid_from": utc_text(of.valid_from),
            "valid_until": utc_text(of.valid_until),
            "purpose": of.purpose.value,
            "client_id": of.client_id or None,
            "requested_by": of.requested_by,
            "approved_by": of.approved_by,
            "approved_at": utc_text(of.approved_at),
            "recorded_at": utc_text(self.recorded_at),
            "reference": of.reference,
            "transfers": [
                {
                    "tx_id": transfer.tx_id,
                    "height": transfer.block.height,
                    "block_hash": transfer.block.block_hash,
                    "time": utc_text(transfer.block.timestamp),
                    "base_units": str(base_units),
                    "of_base_units": str(transfer.base_units),
                }
                for transfer, base_units in self.executions
            ],
        }


def approval_rows(
    store: Store, known_at: datetime, *, chain_ids: Collection[str] = (), states: Collection[ApprovalState] = ()
) -> list[ApprovalRow]:
    """Every approval by its id; of some chains or in some states only where they are named."""
    by_chain: dict[ChainId, list[TransferAuthorization]] = defaultdict(list)
    for authorization in store.authorizations(None, known_at):
        if not chain_ids or authorization.chain_id in chain_ids:
            by_chain[authorization.chain_id].append(authorization)
    assets = {record.asset.asset_id: record.asset for record in store.assets(None, known_at)}
    rows = []
    for chain_id, authorizations in by_chain.items():
        summary = store.standing_summary(chain_id)
        span = read_span(store, chain_id, summary.block.timestamp if summary is not None else None)
        recorded_at = store.authorizations_recorded(chain_id, known_at)
        executions: dict[str, list[tuple[Transfer, int]]] = defaultdict(list)
        for match in store.matches(chain_id):
            for use in match.uses:
                executions[use.authorization_id].append((match.transfer, use.base_units))
        for each in authorizations:
            taken = executions[each.authorization_id]
            state = approval_state(each, sum(base_units for _, base_units in taken), span)
            if not states or state in states:
                name = each.authorization_id
                rows.append(ApprovalRow(each, assets[each.asset_id], state, span.last, recorded_at[name], tuple(taken)))
    return sorted(rows, key=lambda row: row.authorization.authorization_id)
