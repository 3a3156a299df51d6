"""One wallet over time: what completed sweeps read of it, and what moved between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from chains.types import Address, Asset, AssetId, BlockRef, ChainId, Transfer, account_location
from verifier.store.engine import Database
from verifier.store.sweep_store import COVERED, END, ORPHANED_HASHES, SWEEP, TRANSFER, block_of, live_transfers
from verifier.store.tables import AssetValueRow, BalanceObservationRow, InternedTextRow, WalletRow, table

OBSERVATION, ASSET, TEXT = table(BalanceObservationRow), table(AssetValueRow), table(InternedTextRow)
WALLET = table(WalletRow)


@dataclass(frozen=True, slots=True)
class BalanceSeen:
    """One balance as a completed sweep read it."""

    sweep_id: str
    block: BlockRef
    asset: Asset
    base_units: int | None
    """None when the read failed."""
    reason: str


class WalletStore(Database):
    """The side of the store that a wallet's page is made from."""

    def wallet_counts(self, known_at: datetime) -> dict[ChainId, int]:
        """How many wallets are mapped on each chain, closed ones too; chains without any are left out."""
        count = sa.func.count(sa.distinct(WALLET.c.address))
        query = sa.select(WALLET.c.chain_id, count).where(WALLET.c.recorded_at <= known_at).group_by(WALLET.c.chain_id)
        with self.read() as connection:
            return {ChainId(chain_id): wallets for chain_id, wallets in connection.execute(query)}

    def balances_seen(self, chain_id: ChainId, address: Address, *, sweeps_max: int) -> list[BalanceSeen]:
        """What the newest completed sweeps of a chain read of an address, in blocks that stand; the oldest first."""
        newest = (
            sa.select(SWEEP.c.record_id)
            .join_from(SWEEP, END, END.c.sweep_key == SWEEP.c.record_id)
            .where(SWEEP.c.chain_id == chain_id, END.c.abandoned == "", SWEEP.c.block_hash.not_in(ORPHANED_HASHES))
            .order_by(SWEEP.c.record_id.desc())
            .limit(sweeps_max)
        )
        query = (
            sa.select(
                SWEEP,
                OBSERVATION.c.base_units,
                OBSERVATION.c.reason,
                ASSET.c.asset_id,
                ASSET.c.symbol,
                ASSET.c.decimals,
            )
            .join_from(OBSERVATION, SWEEP, OBSERVATION.c.sweep_key == SWEEP.c.record_id)
            .join(TEXT, OBSERVATION.c.location_key == TEXT.c.record_id)
            .join(ASSET, OBSERVATION.c.asset_key == ASSET.c.record_id)
            .where(TEXT.c.text == account_location(chain_id, address), SWEEP.c.record_id.in_(newest))
            .order_by(SWEEP.c.height, SWEEP.c.record_id, ASSET.c.asset_id)
        )
        with self.read() as connection:
            return [
                BalanceSeen(
                    row.sweep_id,
                    block_of(row),
                    Asset(AssetId(row.asset_id), row.symbol, row.decimals),
                    row.base_units,
                    row.reason or "",
                )
                for row in connection.execute(query)
            ]

    def transfers_of(self, chain_id: ChainId, address: Address, first_height: int, last_height: int) -> list[Transfer]:
        """The canonical movements to and from an address in a range of blocks, in the order of the chain."""
        conditions = (
            sa.or_(TRANSFER.c.sender == address, TRANSFER.c.receiver == address),
            COVERED.c.height >= first_height,
            COVERED.c.height <= last_height,
        )
        with self.read() as connection:
            return [transfer for _, transfer in live_transfers(connection, chain_id, *conditions)]
