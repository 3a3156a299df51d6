"""The JSON-RPC methods about the chain and the node."""

from __future__ import annotations

from typing import Any, Final

from chains.devnet.bitcoin import describe
from chains.devnet.bitcoin.core_json import Satoshis
from chains.devnet.bitcoin.describe import Json
from chains.devnet.bitcoin.kernel_chain import Entry
from chains.devnet.bitcoin.mempool import MIN_RELAY_FEE
from chains.devnet.bitcoin.rpc_arguments import block_argument, verbosity_argument
from chains.devnet.bitcoin.rpc_calls import DESERIALIZATION_ERROR, INVALID_PARAMETER, MISC_ERROR, RpcError
from chains.devnet.bitcoin.state import NodeState
from chains.devnet.bitcoin.wire import display

VERSION: Final = 310000
"""The release of Bitcoin Core whose answers are followed."""
SUBVERSION: Final = "/custody-verifier-regtest:1/"
WARNING: Final = "This is a test node on Bitcoin Core's consensus library"


class ChainMethods:
    """One function a method, by its name."""

    def __init__(self, state: NodeState) -> None:
        self._state = state
        self._chain = state.chain

    def getbestblockhash(self) -> str:
        return display(self._chain.tip.hash)

    def getblockcount(self) -> int:
        return self._chain.tip.height

    def getblockhash(self, height: int) -> str:
        if not 0 <= height <= self._chain.tip.height:
            raise RpcError(INVALID_PARAMETER, "Block height out of range")
        return display(self._chain.active[height].hash)

    def getblockheader(self, blockhash: str, verbose: bool = True) -> Any:
        entry = block_argument(self._chain, blockhash, "hash")
        return describe.header_json(self._chain, entry) if verbose in (True, None) else entry.block.header.raw.hex()

    def getblock(self, blockhash: str, verbosity: Any = 1) -> Any:
        entry = block_argument(self._chain, blockhash, "blockhash")
        level = verbosity_argument(verbosity, 1)
        if self._state.is_pruned(entry.height):
            raise RpcError(MISC_ERROR, "Block not available (pruned data)")
        return describe.block_json(self._chain, entry, level) if level > 0 else entry.block.raw.hex()

    def getblockchaininfo(self) -> Json:
        return self._state.chain_info() | {"warnings": [WARNING]}

    def getchainstates(self) -> Json:
        tip = self._chain.tip
        state: Json = {"blocks": tip.height, "bestblockhash": display(tip.hash), **describe.work_json(tip)}
        state |= {"verificationprogress": self._state.progress(), "coins_db_cache_bytes": 8388608}
        state |= {"coins_tip_cache_bytes": 811597824, "validated": True}
        return {"headers": self._state.headers, "chainstates": [state]}

    def getchaintips(self) -> list[Json]:
        return [
            {
                "height": entry.height,
                "hash": display(entry.hash),
                "branchlen": entry.height - self._chain.fork_height(entry),
                "status": self._status(entry),
            }
            for entry in self._chain.tips()
        ]

    def getindexinfo(self, index_name: str = "") -> Json:
        return {
            name: {"synced": True, "best_block_height": self._chain.tip.height}
            for name in ("txindex",)
            if index_name in ("", name)
        }

    def getnetworkinfo(self) -> Json:
        networks = [
            {
                "name": name,
                "limited": name not in ("ipv4", "ipv6"),
                "reachable": name in ("ipv4", "ipv6"),
                "proxy": "",
                "proxy_randomize_credentials": False,
            }
            for name in ("ipv4", "ipv6", "onion", "i2p", "cjdns")
        ]
        return {
            "version": VERSION,
            "subversion": SUBVERSION,
            "protocolversion": 70016,
            "localservices": "0000000000000c09",
            "localservicesnames": ["NETWORK", "WITNESS", "NETWORK_LIMITED", "P2P_V2"],
            "localrelay": True,
            "timeoffset": 0,
            "networkactive": True,
            "connections": 0,
            "connections_in": 0,
            "connections_out": 0,
            "networks": networks,
            "relayfee": Satoshis(MIN_RELAY_FEE),
            "incrementalfee": Satoshis(MIN_RELAY_FEE),
            "localaddresses": [],
            "warnings": [WARNING],
        }

    def submitblock(self, hexdata: str, _dummy: str | None = None) -> str | None:
        try:
            return self._state.submit(bytes.fromhex(hexdata))
        except (ValueError, KeyError):
            raise RpcError(DESERIALIZATION_ERROR, "Block decode failed") from None

    def setmocktime(self, timestamp: int) -> None:
        if timestamp < 0:
            raise RpcError(INVALID_PARAMETER, f"Mocktime must be in the range [0, 9223372036], not {timestamp}.")
        self._state.mock_time = timestamp or None

    def _status(self, entry: Entry) -> str:
        if self._chain.is_active(entry):
            return "active"
        if entry.invalid:
            return "invalid"
        return "valid-fork" if entry.was_active else "valid-headers"
