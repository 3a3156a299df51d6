"""What harnesses of a real node have in common: readers of it, opened as a configuration would have them."""

from __future__ import annotations

from dataclasses import replace

from chains.reader import ChainConfig, ChainReader, NodeConfig
from chains.registry import open_reader
from chains.types import AnchorEvidence, Finality

NOBODY_LISTENS = "http://127.0.0.1:1"


class OpenedReaders:
    """Opens readers and closes them together. `prepare` is called once, before the first is opened."""

    supports_height_history = True
    node_id = "node-1"
    anchor = AnchorEvidence.SINGLE

    def prepare(self, config: ChainConfig, url: str) -> None:
        """Which chain is read, and where its node is."""
        self._config, self._url = config, url
        self._opened: list[ChainReader] = []

    def reader(self, *, finality: Finality | None = None, wrong_genesis: bool = False) -> ChainReader:
        """A reader of the node that is up."""
        config = replace(self._config, finality=finality or self._config.finality)
        if wrong_genesis:
            config = replace(config, genesis_hash=config.genesis_hash[:-64] + "11" * 32)
        return self._open(config, self._url)

    def stopped_reader(self) -> ChainReader:
        """A reader of a port where nobody listens."""
        return self._open(self._config, NOBODY_LISTENS)

    def close(self) -> None:
        """Close every reader."""
        for reader in self._opened:
            reader.close()

    def _open(self, config: ChainConfig, url: str) -> ChainReader:
        reader = open_reader(config, NodeConfig("node-1", "operator-1", url))
        self._opened.append(reader)
        return reader
