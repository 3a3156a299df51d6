"""What every finding of one sweep of one chain needs beside its own comparison."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from chains.types import Address, Asset, AssetId, BlockRef, LocationId
from mapping.types import AssetRecord, Wallet
from verifier.records import Finding, FindingKind, Rail


class MappedWallets(Mapping[Address, Wallet]):
    """The mapped wallets of a chain, whose records are read when somebody asks for one of them."""

    def __init__(self, addresses: Collection[Address], read: Callable[[], Iterable[Wallet]]) -> None:
        self._addresses = addresses
        self._read = read

    @cached_property
    def _records(self) -> dict[Address, Wallet]:
        return {wallet.address: wallet for wallet in self._read()}

    def __contains__(self, address: object) -> bool:
        return address in self._addresses

    def __getitem__(self, address: Address) -> Wallet:
        if address not in self._addresses:
            raise KeyError(address)
        return self._records[address]

    def __iter__(self) -> Iterator[Address]:
        return iter(self._addresses)

    def __len__(self) -> int:
        return len(self._addresses)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the findings of one sweep of one chain need to know beside the comparisons."""

    block: BlockRef
    on: date
    """The block's date: whether a wallet is closed is judged on it."""
    wallets: Mapping[Address, Wallet]
    """Every mapped wallet of the chain, closed ones too."""
    dust_limits: Mapping[AssetId, int]
    """Base units; an asset that is not named has no limit, so that nothing of it is dust."""
    provisional: bool = False
    """The block was chosen at a finality below the configured one."""

    @property
    def chain_location(self) -> LocationId:
        """The chain itself (its CAIP-2 id) as a place, for findings that belong to no single wallet."""
        return LocationId(self.block.chain_id)

    def is_closed(self, address: Address) -> bool:
        """Whether the wallet was closed before the block's date."""
        wallet = self.wallets.get(address)
        return wallet is not None and wallet.closed_on is not None and wallet.closed_on < self.on

    def finding(
        self,
        kind: FindingKind,
        location_id: LocationId,
        asset: Asset | None,
        base_units: int | None,
        subject: str,
        text: str,
        *,
        block: BlockRef | None = None,
        tx_id: str = "",
    ) -> Finding:
        """A finding of this sweep, at its own block unless another is given."""
        return Finding(
            kind=kind,
            rail=Rail.DIGITAL,
            location_id=location_id,
            asset=asset,
            base_units=base_units,
            subject=subject,
            text=text,
            block=block or self.block,
            tx_id=tx_id,
            provisional=self.provisional,
        )


def dust_limits(records: Iterable[AssetRecord]) -> dict[AssetId, int]:
    """The dust limit of each asset, in base units, from the reviewed asset table."""
    return {record.asset.asset_id: record.dust_limit for record in records}
