"""What of a Bitcoin chain's swept balances is immature, from the movements that were recorded; no chain is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chains.bitcoin.maturity import CoinbasePayment, immature_by_address, youngest_immature
from chains.types import Address, Asset, TransferKind
from verifier.records import SweepSummary
from verifier.rules.payments import pays_in_pieces
from verifier.store import Store


@dataclass(frozen=True, slots=True)
class ImmatureCoins:
    """Coins that are counted in the balances at one block and cannot be spent in the block that follows."""

    asset: Asset
    of: Mapping[Address, int]
    """Mapped wallets that have some, and how much, in base units."""
    unread_below: int | None
    """Blocks below this height, young enough to matter, were not read: there may be more. None when all were."""

    def text(self) -> str:
        """For a person; empty when there is nothing to say."""
        if not self.of and self.unread_below is None:
            return ""
        if not self.of:
            return f"blocks below {self.unread_below} were not read: whether coins are immature is not known"
        wallets = "1 wallet" if len(self.of) == 1 else f"{len(self.of)} wallets"
        amount = f"{self.asset.format_quantity(sum(self.of.values()))} {self.asset.symbol}"
        said = f"{amount} at {wallets} is immature: counted, and not to be spent yet"
        if self.unread_below is None:
            return said
        return f"{said}; blocks below {self.unread_below} were not read, so there may be more"

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "base_units": str(sum(self.of.values())),
            "addresses": {address: str(units) for address, units in sorted(self.of.items())},
            "unread_below": self.unread_below,
        }


def immature_coins(store: Store, summary: SweepSummary | None) -> ImmatureCoins | None:
    """As of a sweep's block; None without one, on chains that have no coinbases, and where their coin is not mapped."""
    if summary is None or not pays_in_pieces(summary.chain_id):
        return None
    assets = [record.asset for record in store.assets(summary.chain_id, summary.known_at) if record.asset.is_native]
    if not assets:
        return None
    height = summary.block.height
    first, read_from = youngest_immature(height), store.covered_from(summary.chain_id)
    wallets = {wallet.address for wallet in store.wallets(summary.chain_id, summary.known_at)}
    payments = [
        CoinbasePayment(each.block.height, each.receiver, each.base_units)
        for each in store.transfers(summary.chain_id, first_height=first, last_height=height)
        if each.kind is TransferKind.COINBASE and each.receiver in wallets
    ]
    unread = height + 1 if read_from is None else read_from
    return ImmatureCoins(assets[0], immature_by_address(payments, height), unread if unread > first else None)
