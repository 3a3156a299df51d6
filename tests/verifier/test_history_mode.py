"""How a chain's movements are read is configured by name, and a name that is none is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from verifier.config import ChainSettings

CHAIN: dict[str, Any] = {
    "chain_id": "eip155:1",
    "name": "mainnet",
    "genesis_hash": "0x" + "11" * 32,
    "native_asset": {"asset_id": "eip155:1/slip44:60", "symbol": "ETH"},
    "nodes": [{"node_id": "node-1", "operator": "operator-1", "url": "http://127.0.0.1:8545"}],
}


@pytest.mark.parametrize("mode", ["logs", "verified"])
def test_the_mode_reaches_the_reader(mode: str) -> None:
    assert ChainSettings.model_validate({**CHAIN, "history_mode": mode}).resolve().history_mode == mode
    assert ChainSettings.model_validate(CHAIN).resolve().history_mode == "logs"


def test_another_mode_is_refused() -> None:
    with pytest.raises(ValidationError, match="history_mode"):
        ChainSettings.model_validate({**CHAIN, "history_mode": "traces"})
