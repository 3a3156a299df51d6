"""The JSON-RPC methods that the front answers; every other one is unknown to it."""

from __future__ import annotations

from chains.devnet.bitcoin.rpc_calls import Method
from chains.devnet.bitcoin.rpc_chain import ChainMethods
from chains.devnet.bitcoin.rpc_coins import CoinMethods
from chains.devnet.bitcoin.state import NodeState


def methods_of(state: NodeState) -> dict[str, Method]:
    """All methods by name."""
    chain, coins = ChainMethods(state), CoinMethods(state)
    return {
        "getbestblockhash": Method(chain.getbestblockhash),
        "getblock": Method(chain.getblock, ("blockhash:string", "verbosity|verbose:any"), 1),
        "getblockchaininfo": Method(chain.getblockchaininfo),
        "getblockcount": Method(chain.getblockcount),
        "getblockhash": Method(chain.getblockhash, ("height:number",), 1),
        "getblockheader": Method(chain.getblockheader, ("blockhash:string", "verbose:bool"), 1),
        "getchainstates": Method(chain.getchainstates),
        "getchaintips": Method(chain.getchaintips),
        "getindexinfo": Method(chain.getindexinfo, ("index_name:string",)),
        "getmempoolentry": Method(coins.getmempoolentry, ("txid:string",), 1),
        "getmempoolinfo": Method(coins.getmempoolinfo),
        "getnetworkinfo": Method(chain.getnetworkinfo),
        "getrawmempool": Method(coins.getrawmempool, ("verbose:bool", "mempool_sequence:bool")),
        "getrawtransaction": Method(
            coins.getrawtransaction, ("txid:string", "verbosity|verbose:any", "blockhash:string"), 1
        ),
        "gettxout": Method(coins.gettxout, ("txid:string", "n:number", "include_mempool:bool"), 2),
        "gettxspendingprevout": Method(coins.gettxspendingprevout, ("outputs:array",), 1),
        "decoderawtransaction": Method(coins.decoderawtransaction, ("hexstring:string", "iswitness:bool"), 1),
        "scantxoutset": Method(coins.scantxoutset, ("action:string", "scanobjects:array"), 1),
        "sendrawtransaction": Method(
            coins.sendrawtransaction, ("hexstring:string", "maxfeerate:any", "maxburnamount:any"), 1
        ),
        "setmocktime": Method(chain.setmocktime, ("timestamp:number",), 1),
        "submitblock": Method(chain.submitblock, ("hexdata:string", "dummy:string"), 1),
    }
