"""The JSON-RPC methods about coins and transactions, in blocks and waiting."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from chains.bitcoin.networks import COIN
from chains.devnet.bitcoin import describe
from chains.devnet.bitcoin.core_json import Satoshis
from chains.devnet.bitcoin.describe import Json
from chains.devnet.bitcoin.kernel_chain import Entry
from chains.devnet.bitcoin.mempool import MIN_RELAY_FEE, UNCONFIRMED_HEIGHT, TransactionRefused, Waiting
from chains.devnet.bitcoin.rpc_arguments import block_argument, hash_argument, verbosity_argument
from chains.devnet.bitcoin.rpc_calls import (
    DESERIALIZATION_ERROR,
    INVALID_ADDRESS_OR_KEY,
    INVALID_PARAMETER,
    MISC_ERROR,
    RpcError,
)
from chains.devnet.bitcoin.scan import scanned_scripts
from chains.devnet.bitcoin.script_json import script_json
from chains.devnet.bitcoin.state import NodeState
from chains.devnet.bitcoin.wire import display, transaction_of

FEE_RATE_MAX: Final = Decimal("0.10")
"""Bitcoins per 1,000 virtual bytes above which `sendrawtransaction` thinks of a mistake."""


class CoinMethods:
    """One function a method, by its name."""

    def __init__(self, state: NodeState) -> None:
        self._state = state
        self._chain = state.chain
        self._pool = state.mempool

    def scantxoutset(self, action: str, scanobjects: list[Any] | None = None) -> Any:
        if action == "status":
            return {"progress": 1} if self._state.scanning else None
        if action == "abort":
            return self._state.scanning
        if action != "start":
            raise RpcError(INVALID_PARAMETER, f"Invalid action '{action}'")
        if self._state.scanning:
            raise RpcError(INVALID_PARAMETER, 'Scan already in progress, use action "abort" or "status"')
        if scanobjects is None:
            raise RpcError(MISC_ERROR, "scanobjects argument is required for the start action")
        wanted = scanned_scripts(scanobjects)
        found = sorted((outpoint, coin) for outpoint, coin in self._chain.coins.items() if coin.script in wanted)
        tip = self._chain.tip
        unspents = [
            {
                "txid": display(txid),
                "vout": vout,
                "scriptPubKey": coin.script.hex(),
                "desc": wanted[coin.script],
                "amount": Satoshis(coin.value),
                "coinbase": coin.coinbase,
                "height": coin.height,
                "blockhash": display(self._chain.active[coin.height].hash),
                "confirmations": tip.height - coin.height + 1,
            }
            for (txid, vout), coin in found
        ]
        total = Satoshis(sum(coin.value for _, coin in found))
        counts: Json = {"success": True, "txouts": len(self._chain.coins), "height": tip.height}
        return counts | {"bestblock": display(tip.hash), "unspents": unspents, "total_amount": total}

    def gettxout(self, txid: str, n: int, include_mempool: bool = True) -> Json | None:
        outpoint = (hash_argument(txid, "txid"), n)
        coin = self._pool.coin(outpoint) if include_mempool in (True, None) else self._chain.coins.get(outpoint)
        if coin is None or (include_mempool in (True, None) and self._pool.spender(outpoint)):
            return None
        waiting = coin.height == UNCONFIRMED_HEIGHT
        return {
            "bestblock": display(self._chain.tip.hash),
            "confirmations": 0 if waiting else self._chain.tip.height - coin.height + 1,
            "value": Satoshis(coin.value),
            "scriptPubKey": script_json(coin.script),
            "coinbase": coin.coinbase,
        }

    def gettxspendingprevout(self, outputs: list[Any]) -> list[Json]:
        described = []
        for each in outputs:
            spender = self._pool.spender((hash_argument(each["txid"], "txid"), each["vout"]))
            spent: Json = {"txid": each["txid"], "vout": each["vout"]}
            described.append(spent | ({"spendingtxid": display(spender)} if spender else {}))
        return described

    def sendrawtransaction(self, hexstring: str, maxfeerate: Any = None, _maxburnamount: Any = None) -> str:
        rate = FEE_RATE_MAX if maxfeerate is None else Decimal(maxfeerate)
        try:
            transaction = transaction_of(bytes.fromhex(hexstring))
        except (ValueError, KeyError):
            text = "TX decode failed. Make sure the tx has at least one input."
            raise RpcError(DESERIALIZATION_ERROR, text) from None
        try:
            self._pool.accept(transaction, self._state.now(), fee_rate_max=int(rate * COIN))
        except TransactionRefused as refused:
            raise RpcError(refused.code, str(refused)) from None
        return display(transaction.txid)

    def decoderawtransaction(self, hexstring: str, _iswitness: bool | None = None) -> Json:
        try:
            return describe.transaction_json(transaction_of(bytes.fromhex(hexstring)), with_hex=False)
        except (ValueError, KeyError):
            raise RpcError(DESERIALIZATION_ERROR, "TX decode failed") from None

    def getrawtransaction(self, txid: str, verbosity: Any = 0, blockhash: str | None = None) -> Any:
        wanted = hash_argument(txid, "parameter 1")
        level = verbosity_argument(verbosity, 0)
        block = block_argument(self._chain, blockhash, "parameter 3", "Block hash not found") if blockhash else None
        entry = block or self._chain.transaction_blocks.get(wanted)
        waiting = self._pool.waiting.get(wanted) if block is None else None
        if waiting is not None:
            raw = waiting.transaction.raw.hex()
            return describe.transaction_json(waiting.transaction) if level else raw
        listed = entry.block.transactions if entry is not None else ()
        found = next((index for index, each in enumerate(listed) if each.txid == wanted), None)
        if entry is None or found is None:
            where = "transaction found in the provided block" if block else "mempool or blockchain transaction"
            raise RpcError(INVALID_ADDRESS_OR_KEY, f"No such {where}. Use gettransaction for wallet transactions.")
        transaction = listed[found]
        if not level:
            return transaction.raw.hex()
        spent = self._chain.spent_coins(entry)
        if level >= 2 and found and spent is None:
            text = "Undo data expected but can't be read. This could be due to disk corruption or a conflict with a "
            raise RpcError(-32603, text + "pruning event.")
        coins = spent[found - 1] if level >= 2 and found and spent is not None else None
        described: Json = {"in_active_chain": self._chain.is_active(entry)} if block else {}
        described |= describe.transaction_json(transaction, coins, previous=level >= 2)
        return described | self._place(entry)

    def getrawmempool(self, verbose: bool = False, _mempool_sequence: bool | None = None) -> Any:
        if verbose:
            return {display(txid): self._waiting(txid, each) for txid, each in self._pool.waiting.items()}
        return [display(txid) for txid in self._pool.waiting]

    def getmempoolentry(self, txid: str) -> Json:
        wanted = hash_argument(txid, "txid")
        waiting = self._pool.waiting.get(wanted)
        if waiting is None:
            raise RpcError(INVALID_ADDRESS_OR_KEY, "Transaction not in mempool")
        return self._waiting(wanted, waiting)

    def getmempoolinfo(self) -> Json:
        waiting = self._pool.waiting.values()
        return {
            "loaded": True,
            "size": len(waiting),
            "bytes": sum(each.transaction.virtual_size for each in waiting),
            "usage": sum(len(each.transaction.raw) for each in waiting),
            "total_fee": Satoshis(sum(each.fee for each in waiting)),
            "maxmempool": 300000000,
            "mempoolminfee": Satoshis(MIN_RELAY_FEE),
            "minrelaytxfee": Satoshis(MIN_RELAY_FEE),
            "incrementalrelayfee": Satoshis(MIN_RELAY_FEE),
            "unbroadcastcount": len(waiting),
            "permitbaremultisig": True,
            "maxdatacarriersize": 100000,
            "limitclustercount": 64,
            "limitclustersize": 101000,
            "optimal": True,
        }

    def _place(self, entry: Entry) -> Json:
        place: Json = {"blockhash": display(entry.hash)}
        if not self._chain.is_active(entry):
            return place | {"confirmations": 0}
        time = entry.block.header.time
        return place | {"confirmations": self._chain.confirmations(entry), "time": time, "blocktime": time}

    def _waiting(self, txid: bytes, waiting: Waiting) -> Json:
        pool = self._pool
        below = pool.with_descendants([txid])
        above = [txid, *self._ancestors(txid)]
        return {
            "vsize": waiting.transaction.virtual_size,
            "weight": waiting.transaction.weight,
            "time": waiting.time,
            "height": waiting.height,
            "descendantcount": len(below),
            "descendantsize": pool.virtual_size(below),
            "ancestorcount": len(above),
            "ancestorsize": pool.virtual_size(above),
            "wtxid": display(waiting.transaction.wtxid),
            "fees": {
                "base": Satoshis(waiting.fee),
                "modified": Satoshis(waiting.fee),
                "ancestor": Satoshis(pool.fees(above)),
                "descendant": Satoshis(pool.fees(below)),
            },
            "depends": sorted({display(each.txid) for each in waiting.transaction.inputs if each.txid in pool.waiting}),
            "spentby": [
                display(other)
                for other, each in pool.waiting.items()
                if any(one.txid == txid for one in each.transaction.inputs)
            ],
            "bip125-replaceable": any(each.sequence < 0xFFFFFFFE for each in waiting.transaction.inputs),
            "unbroadcast": True,
        }

    def _ancestors(self, txid: bytes) -> list[bytes]:
        found: list[bytes] = []
        queue = [txid]
        while queue:
            for each in self._pool.waiting[queue.pop()].transaction.inputs:
                if each.txid in self._pool.waiting and each.txid not in found:
                    found.append(each.txid)
                    queue.append(each.txid)
        return found
