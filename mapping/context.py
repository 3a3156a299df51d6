"""What reading a row needs besides the row: the chains' adapters, and the assets known so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chains.errors import InvalidValue, UnknownChain
from chains.reader import AddressBranch, ChainPlugin, read_descriptor
from chains.types import (
    Address,
    Asset,
    AssetId,
    ChainId,
    LocationId,
    account_location,
    asset_chain_id,
    parse_asset_id,
    parse_chain_id,
    parse_location_id,
)

OFF_CHAIN_PREFIXES = ("dtc", "bank", "prime")
"""Locations outside any chain: a DTC participant account, a bank account, a prime broker's account."""


class RowContext:
    """Reads the fields that need more than their own text: chains, addresses, assets, locations.

    Texts that repeat (locations, assets) are read once and remembered.
    """

    def __init__(
        self,
        plugins: Callable[[ChainId], ChainPlugin],
        assets: Mapping[AssetId, Asset],
        *,
        accept_unchecksummed: bool = False,
    ) -> None:
        self._plugins = plugins
        self._assets = dict(assets)
        self._accept_unchecksummed = accept_unchecksummed
        self._locations: dict[str, LocationId] = {}
        self._addresses: dict[tuple[ChainId, str], Address] = {}
        self._asset_ids: dict[str, AssetId] = {}
        self._descriptors: dict[tuple[ChainId, str], AddressBranch] = {}
        self.unchecked: dict[str, Address] = {}
        """Addresses accepted without a checksum, as written, with the spelling they were recorded in."""

    def learn_asset(self, asset: Asset) -> None:
        """Make an asset known to the rows that follow."""
        self._assets[asset.asset_id] = asset

    def chain(self, text: str) -> ChainId:
        """A CAIP-2 chain id that an installed adapter reads."""
        chain_id = parse_chain_id(text)
        self._plugin(chain_id)
        return chain_id

    def address(self, chain_id: ChainId, text: str) -> Address:
        """An address of a chain in its canonical spelling, checked by the chain's adapter."""
        known = self._addresses.get((chain_id, text))
        if known is None:
            known = self._addresses[chain_id, text] = self._read_address(chain_id, text)
        return known

    def _read_address(self, chain_id: ChainId, text: str) -> Address:
        if len(text) > 128:
            raise InvalidValue("an address has at most 128 characters")
        try:
            return self._plugin(chain_id).parse_address(chain_id, text)
        except InvalidValue as error:
            # An adapter marks an address that only lacks its checksum by giving its canonical spelling.
            canonical: Address | None = getattr(error, "canonical", None)
            if canonical is None or not self._accept_unchecksummed or text != text.lower():
                raise
            self.unchecked[text] = canonical
            return canonical

    def descriptor(self, chain_id: ChainId, text: str) -> AddressBranch:
        """An output descriptor of a chain whose adapter reads them."""
        key = (chain_id, text)
        if key not in self._descriptors:
            self._descriptors[key] = read_descriptor(self._plugin(chain_id), chain_id, text)
        return self._descriptors[key]

    def new_asset_id(self, text: str) -> AssetId:
        """An asset id in its canonical spelling, whether the asset is known or not."""
        asset_id = parse_asset_id(text)
        chain_id = asset_chain_id(asset_id)
        return asset_id if chain_id is None else self._plugin(chain_id).parse_asset_id(text)

    def asset_id(self, text: str) -> AssetId:
        """The id of an asset of the reviewed table."""
        known = self._asset_ids.get(text)
        if known is None:
            known = self.new_asset_id(text)
            if known not in self._assets:
                raise InvalidValue("this asset is not known: add it to assets.csv first")
            self._asset_ids[text] = known
        return known

    def asset(self, asset_id: AssetId) -> Asset:
        """A known asset."""
        return self._assets[asset_id]

    def native_asset(self, chain_id: ChainId) -> Asset:
        """The chain's own coin, which fees are paid in; raises `InvalidValue` unless there is exactly one."""
        found = [asset for asset in self._assets.values() if asset.is_native and asset.chain_id == chain_id]
        if len(found) != 1:
            raise InvalidValue(f"assets.csv has {len(found)} native assets of {chain_id}, one is needed here")
        return found[0]

    def location(self, text: str) -> LocationId:
        """A location: a chain account (CAIP-10), `pool:ID`, or one outside any chain such as `dtc:0123`."""
        known = self._locations.get(text)
        if known is None:
            known = self._locations[text] = self._read_location(text)
        return known

    def _read_location(self, text: str) -> LocationId:
        if len(text) > 200:
            raise InvalidValue("a location has at most 200 characters")
        prefix, _, rest = text.partition(":")
        if prefix == "pool" or prefix in OFF_CHAIN_PREFIXES:
            return parse_location_id(text)
        reference, colon, address = rest.partition(":")
        if not colon:
            raise InvalidValue("a location is a chain account (eip155:1:0x…), pool:ID, dtc:ID, bank:ID or prime:ID")
        chain_id = self.chain(f"{prefix}:{reference}")
        return account_location(chain_id, self.address(chain_id, address))

    def _plugin(self, chain_id: ChainId) -> ChainPlugin:
        try:
            return self._plugins(chain_id)
        except UnknownChain:
            raise InvalidValue(f"no adapter is installed for chain {chain_id}") from None
