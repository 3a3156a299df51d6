"""Transactions and blocks as the JSON of Bitcoin Core describes them (version 31)."""

from __future__ import annotations

from typing import Any

from chains.devnet.bitcoin.core_json import Fraction, Satoshis
from chains.devnet.bitcoin.kernel_chain import Coin, Entry, KernelChain
from chains.devnet.bitcoin.script_json import assembly, script_json
from chains.devnet.bitcoin.wire import Transaction, TxInput, display

Json = dict[str, Any]


def transaction_json(
    transaction: Transaction, spent: list[Coin] | None = None, *, previous: bool = False, with_hex: bool = True
) -> Json:
    """A transaction; the fee where the spent coins are known, the outputs it spends with `previous`."""
    described: Json = {
        "txid": display(transaction.txid),
        "hash": display(transaction.wtxid),
        "version": transaction.version & 0xFFFFFFFF,
        "size": len(transaction.raw),
        "vsize": transaction.virtual_size,
        "weight": transaction.weight,
        "locktime": transaction.lock_time,
        "vin": [
            _input_json(transaction, each, spent[index] if previous and spent is not None else None)
            for index, each in enumerate(transaction.inputs)
        ],
        "vout": [
            {"value": Satoshis(output.value), "n": vout, "scriptPubKey": script_json(output.script)}
            for vout, output in enumerate(transaction.outputs)
        ],
    }
    if spent is not None and not transaction.is_coinbase:
        paid = sum(coin.value for coin in spent) - sum(output.value for output in transaction.outputs)
        described["fee"] = Satoshis(paid)
    return described | ({"hex": transaction.raw.hex()} if with_hex else {})


def header_json(chain: KernelChain, entry: Entry) -> Json:
    """A block header with its place in the chain."""
    header = entry.block.header
    described: Json = {
        "hash": display(entry.hash),
        "confirmations": chain.confirmations(entry),
        "height": entry.height,
        "version": header.version,
        "versionHex": f"{header.version & 0xFFFFFFFF:08x}",
        "merkleroot": display(header.merkle_root),
        "time": header.time,
        "mediantime": entry.median_time,
        "nonce": header.nonce,
        **work_json(entry),
        "chainwork": f"{entry.chain_work:064x}",
        "nTx": len(entry.block.transactions),
    }
    if entry.parent is not None:
        described["previousblockhash"] = display(entry.parent.hash)
    following = chain.next_of(entry)
    if following is not None:
        described["nextblockhash"] = display(following.hash)
    return described


def work_json(entry: Entry) -> Json:
    """What the block's hash had to meet."""
    header = entry.block.header
    return {"bits": f"{header.bits:08x}", "target": f"{header.target:064x}", "difficulty": difficulty(header.bits)}


def difficulty(bits: int) -> Fraction:
    """How much rarer a hash must be than the main network first asked for; of regtest 4.656542373906925e-10."""
    shift = (bits >> 24) & 0xFF
    number = 0x0000FFFF / (bits & 0x00FFFFFF) * 256.0 ** (29 - shift)
    return Fraction(f"{number:.16g}")


def block_json(chain: KernelChain, entry: Entry, verbosity: int) -> Json:
    """A block: with ids only (1), with transactions (2), or also with the outputs they spend (3)."""
    block = entry.block
    coinbase = block.transactions[0]
    spent = chain.spent_coins(entry)
    first = coinbase.inputs[0]
    made: Json = {
        "version": coinbase.version & 0xFFFFFFFF,
        "locktime": coinbase.lock_time,
        "sequence": first.sequence,
        "coinbase": first.script.hex(),
    }
    if first.witness:
        made["witness"] = first.witness[0].hex()
    listed: list[Any] = [display(transaction.txid) for transaction in block.transactions]
    if verbosity >= 2:
        listed = [
            transaction_json(
                transaction, spent[index - 1] if index and spent is not None else None, previous=verbosity >= 3
            )
            for index, transaction in enumerate(block.transactions)
        ]
    return header_json(chain, entry) | {
        "strippedsize": block.stripped_size,
        "size": len(block.raw),
        "weight": 3 * block.stripped_size + len(block.raw),
        "coinbase_tx": made,
        "tx": listed,
    }


def _input_json(transaction: Transaction, each: TxInput, coin: Coin | None) -> Json:
    described: Json
    if transaction.is_coinbase:
        described = {"coinbase": each.script.hex()}
    else:
        described = {
            "txid": display(each.txid),
            "vout": each.vout,
            "scriptSig": {"asm": assembly(each.script, signatures=True), "hex": each.script.hex()},
        }
    if each.witness:
        described["txinwitness"] = [item.hex() for item in each.witness]
    if coin is not None:
        described["prevout"] = {
            "generated": coin.coinbase,
            "height": coin.height,
            "value": Satoshis(coin.value),
            "scriptPubKey": script_json(coin.script),
        }
    return described | {"sequence": each.sequence}
