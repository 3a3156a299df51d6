"""The peer: web3.py as its documentation shows it, on a sample, since its cost per balance is the same for any number.

It reads by block number. By hash it would first ask for the block's number each time and so be slower still; by
number it is not safe against a reorganisation, which ours is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import requests
from web3 import HTTPProvider, Web3

from chains.evm.addresses import token_address
from chains.types import Address, Asset

BATCH_CALLS: Final = 300
"""Calls in one of web3's batches."""
_ABI: Final = [
    {
        "type": "function",
        "name": "balanceOf",
        "stateMutability": "view",
        "inputs": [{"name": "holder", "type": "address"}],
        "outputs": [{"name": "", "type": "uint256"}],
    }
]


class Web3Peer:
    """web3.py with its defaults, on a kept connection."""

    def __init__(self, url: str, height: int, assets: Sequence[Asset]) -> None:
        self._session = requests.Session()
        self._web3 = Web3(HTTPProvider(url, session=self._session))
        self._height = height
        tokens = [token for asset in assets if (token := token_address(asset.asset_id)) is not None]
        self._contracts: list[Any] = [
            self._web3.eth.contract(Web3.to_checksum_address(token), abi=_ABI) for token in tokens
        ]

    def one_by_one(self, addresses: Sequence[Address]) -> list[int]:
        """ETH and each token of every address, each by its own call."""
        return [int(read) for address in addresses for read in self._reads(address)]

    def batched(self, addresses: Sequence[Address]) -> list[int]:
        """The same through `batch_requests`."""
        per_batch = max(1, BATCH_CALLS // (1 + len(self._contracts)))
        found: list[int] = []
        for first in range(0, len(addresses), per_batch):
            with self._web3.batch_requests() as batch:
                for address in addresses[first : first + per_batch]:
                    for read in self._reads(address):
                        batch.add(read)
                answers: Any = batch.execute()
                found.extend(answers)
        return found

    def _reads(self, address: Address) -> list[Any]:
        """Each read's value, or within a batch the request for it."""
        checksummed = Web3.to_checksum_address(address)
        native: Any = self._web3.eth.get_balance(checksummed, self._height)
        reads = [native]
        reads += [
            contract.functions.balanceOf(checksummed).call(block_identifier=self._height)
            for contract in self._contracts
        ]
        return reads

    def close(self) -> None:
        """Close the connection."""
        self._session.close()
