"""Whether configured assets are on chain what the asset table says.

An ERC-20 token: code, decimals, a balanceOf that gives a number. A collection: code, and its own word that it is what
the asset id says (ERC-165); without it a plain token listed as a collection would look like one that nobody owns.
"""

from __future__ import annotations

from collections.abc import Sequence

from chains.errors import ReadError
from chains.evm import abi
from chains.evm.addresses import Token, TokenStandard, token_of
from chains.evm.balances import Transport
from chains.evm.quantity import data
from chains.evm.strategy import is_contract_failure, pinned
from chains.jsonrpc import RpcCall
from chains.types import Asset, AssetId, BlockRef

_INTERFACES = {
    TokenStandard.ERC721: bytes.fromhex("80ac58cd"),
    TokenStandard.ERC1155: bytes.fromhex("d9b67a26"),
}
"""Interface ids by ERC-165."""
_ANY_HOLDER = bytes(31) + b"\x01"
"""An address word to ask balanceOf for; whether it holds anything does not matter."""


def asset_problems(transport: Transport, block: BlockRef, native: Asset, assets: Sequence[Asset]) -> dict[AssetId, str]:
    """What is wrong with each asset at the block; nothing for those that fit.

    A problem is a fact about the asset. A node that cannot answer raises its `ReadError` instead.
    """
    problems: dict[AssetId, str] = {}
    tokens: list[tuple[Asset, str]] = []
    collections: list[tuple[Asset, Token]] = []
    for asset in assets:
        token = token_of(asset.asset_id)
        if token is not None and token.standard in _INTERFACES:
            collections.append((asset, token))
        elif token is not None:
            tokens.append((asset, abi.hex_text(token.contract)))
        elif asset.decimals != native.decimals:
            problems[asset.asset_id] = f"the native coin has {native.decimals} decimals"
    calls: list[RpcCall] = []
    for _, address in tokens:
        calls.append(RpcCall("eth_getCode", (address, pinned(block))))
        calls.extend(
            RpcCall("eth_call", ({"to": address, "data": abi.hex_text(call_data)}, pinned(block)))
            for call_data in (abi.DECIMALS, abi.BALANCE_OF + _ANY_HOLDER)
        )
    answers = transport.batch(calls) if calls else []
    for number, (asset, _) in enumerate(tokens):
        if problem := _token_problem(asset, answers[3 * number : 3 * number + 3]):
            problems[asset.asset_id] = problem
    return problems | _collection_problems(transport, block, collections)


def _collection_problems(
    transport: Transport, block: BlockRef, collections: Sequence[tuple[Asset, Token]]
) -> dict[AssetId, str]:
    """What is wrong with collections, each contract asked once."""
    contracts = sorted({(token.contract, token.standard) for _, token in collections})
    calls: list[RpcCall] = []
    for contract, standard in contracts:
        to, question = abi.hex_text(contract), abi.SUPPORTS_INTERFACE + _INTERFACES[standard].ljust(32, b"\0")
        calls.append(RpcCall("eth_getCode", (to, pinned(block))))
        calls.append(RpcCall("eth_call", ({"to": to, "data": abi.hex_text(question)}, pinned(block))))
    answers = transport.batch(calls) if calls else []
    found = {
        contract: _collection_problem(contract[1], *answers[2 * number : 2 * number + 2])
        for number, contract in enumerate(contracts)
    }
    return {
        asset.asset_id: problem for asset, token in collections if (problem := found[token.contract, token.standard])
    }


def _collection_problem(standard: TokenStandard, code: object, supports: object) -> str:
    if isinstance(code, ReadError):
        raise code
    if not data(code):
        return "there is no contract at this address on this chain"
    if isinstance(supports, ReadError) and not is_contract_failure(supports):
        raise supports
    if isinstance(supports, ReadError) or data(supports) != abi.word(1):
        return f"the contract does not say that it is an {standard} collection (ERC-165)"
    return ""


def _token_problem(asset: Asset, answers: Sequence[object]) -> str:
    """What is wrong with a token by its code, decimals() and balanceOf; empty when nothing is."""
    code, decimals, balance = answers
    if isinstance(code, ReadError):
        raise code
    if not data(code):
        return "there is no contract at this address on this chain"
    for answer in (decimals, balance):
        if isinstance(answer, ReadError) and not is_contract_failure(answer):
            raise answer
    if isinstance(balance, ReadError) or len(data(balance)) != 32:
        return "its balanceOf does not answer with one number"
    if isinstance(decimals, ReadError) or len(data(decimals)) != 32:
        return "it has no decimals() to compare with the asset table"
    on_chain = int.from_bytes(data(decimals), "big")
    if on_chain != asset.decimals:
        return f"decimals are {on_chain} on chain, {asset.decimals} in the asset table"
    return ""
