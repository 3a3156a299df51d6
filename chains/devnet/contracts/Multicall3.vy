# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title The part of Multicall3's interface that readers use, written anew for devnets
@notice Unlike the deployed Multicall3, an answer is cut after 128 bytes and a call takes at most 128 bytes.
"""

CALLS_MAX: constant(uint256) = 2048

struct Call3:
    target: address
    allowFailure: bool
    callData: Bytes[128]

struct Result:
    success: bool
    returnData: Bytes[128]


@external
@payable
def aggregate3(calls: DynArray[Call3, CALLS_MAX]) -> DynArray[Result, CALLS_MAX]:
    results: DynArray[Result, CALLS_MAX] = []
    for each: Call3 in calls:
        success: bool = False
        answer: Bytes[128] = b""
        success, answer = raw_call(each.target, each.callData, max_outsize=128, revert_on_failure=False)
        assert success or each.allowFailure, "Multicall3: call failed"
        results.append(Result(success=success, returnData=answer))
    return results


@external
@view
def getEthBalance(holder: address) -> uint256:
    return holder.balance


@external
@view
def getBlockNumber() -> uint256:
    return block.number


@external
@view
def getBlockHash(height: uint256) -> bytes32:
    return blockhash(height)


@external
@view
def getLastBlockHash() -> bytes32:
    return blockhash(block.number - 1)


@external
@view
def getCurrentBlockTimestamp() -> uint256:
    return block.timestamp


@external
@view
def getChainId() -> uint256:
    return chain.id
