"""The benchmark's firm as `custody worker` finds it: a configuration file, a database, and a chain behind it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.evm_holders import Crowd
from verifier.config import Settings, load_settings

WALLETS_PER_SHARD: Final = 5_000
"""As configured where nobody says otherwise."""
SHARDS_MIN: Final = 4
"""A small crowd is cut smaller than that, so that there is something to share."""
PATIENCE_SECONDS: Final = 3_600
"""A worker plans as the sweep does before it takes its first shard; the benchmark's sweep reads none meanwhile."""


@dataclass(frozen=True, slots=True)
class Case:
    """One way to sweep: with so many workers, in a database and a folder of its own."""

    workers: int
    url: str
    config: Path
    settings: Settings

    @property
    def name(self) -> str:
        """As it is printed."""
        return {0: "no worker", 1: "1 worker"}.get(self.workers, f"{self.workers} workers")


def make_case(crowd: Crowd, folder: Path, url: str, workers: int) -> Case:
    """Write the configuration into a folder of its own and read it as the worker will."""
    config = folder / f"workers-{workers}" / "custody.toml"
    config.parent.mkdir()
    config.write_text(_configuration(crowd, url), encoding="utf-8")
    return Case(workers, url, config, load_settings(config))


def _configuration(crowd: Crowd, database_url: str) -> str:
    chain, native, node = crowd.config, crowd.config.native_asset, crowd.config.nodes[0]
    per_shard = min(WALLETS_PER_SHARD, max(1, len(crowd.addresses) // SHARDS_MIN))
    sections: dict[str, dict[str, object]] = {
        "[firm]": {"name": "Benchmark"},
        "[database]": {"url": database_url},
        "[sweep]": {"wallets_per_shard": per_shard, "as_of_skew_seconds_max": 86_400},
        "[workers]": {"enabled": True, "patience_seconds": PATIENCE_SECONDS},
        "[[chains]]": {
            "chain_id": chain.chain_id,
            "name": chain.name,
            "genesis_hash": chain.genesis_hash,
            "finality": str(chain.finality),
            "head_age_seconds_max": 86_400,
            "state_proofs": chain.state_proofs.value,
        },
        "[chains.native_asset]": {
            "asset_id": native.asset_id,
            "symbol": native.symbol,
            "decimals": native.decimals,
        },
        "[chains.encumbrances]": {"enabled": False},
        "[[chains.nodes]]": {"node_id": node.node_id, "operator": node.operator, "url": node.url},
    }
    return "\n".join(
        f"{title}\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in section.items())
        for title, section in sections.items()
    )


def wait_for_own_clock(crowd: Crowd) -> None:
    """Wait until our clock is past the newest block, which Anvil may date a little ahead: workers go by ours."""
    newest = int(crowd.node.block()["timestamp"], 16)
    while time.time() <= newest:
        time.sleep(0.05)
