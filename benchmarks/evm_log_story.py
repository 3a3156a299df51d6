"""A devnet with very many Transfer logs, written quickly: a small contract emits them by the dozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from chains.devnet.anvil import AnvilNode
from chains.evm import abi
from chains.evm.addresses import checksum_address
from chains.evm.assembler import assemble
from chains.reader import ChainConfig, NodeConfig
from chains.types import Address, Asset, AssetId, ChainId, Finality

TOKEN: Final = bytes.fromhex("70c0" * 10)
WATCHED_BASE: Final = int.from_bytes(bytes.fromhex("c0ffee" + "11" * 17)) & ~0xFFFFFFFF
STRANGER_BASE: Final = int.from_bytes(bytes.fromhex("5eed" * 10)) & ~0xFFFFFFFF
SPACING: Final = 10
"""Of so many blocks the first holds transfers; Anvil takes ten milliseconds for a block that is not empty."""

_EMITTER: Final = """
    ; call data: number of the first transfer, how many. Transfer i moves i + 1 base units between watched address
    ; i mod {watched} and a stranger of its own: out when i is even, in when it is odd.
    PUSH 0 CALLDATALOAD PUSH 32 CALLDATALOAD DUP2 ADD       ; i end
    @next
    DUP1 DUP3 LT ISZERO PUSH @done JUMPI
    PUSH 1 DUP3 ADD PUSH 0 MSTORE
    PUSH {watched} DUP3 MOD PUSH 0x{base} ADD               ; i end watched
    DUP3 PUSH 0x{stranger} ADD                              ; i end watched stranger
    DUP2 DUP2 XOR PUSH 1 DUP6 AND PUSH 0 SUB AND            ; ... what to swap: all or nothing
    DUP1 SWAP2 XOR                                          ; i end watched swap receiver
    SWAP2 XOR                                               ; i end receiver sender
    PUSH 0x{topic} PUSH 32 PUSH 0 LOG3                      ; i end
    SWAP1 PUSH 1 ADD SWAP1 PUSH @next JUMP
    @done
    STOP
"""


def emitter(watched: int) -> bytes:
    """Code of the contract for this number of watched addresses."""
    return assemble(
        _EMITTER.format(
            watched=watched,
            base=f"{WATCHED_BASE:040x}",
            stranger=f"{STRANGER_BASE:040x}",
            topic=abi.TRANSFER_TOPIC.hex(),
        )
    )


@dataclass(slots=True)
class LogStory:
    """A chain whose every tenth block holds the same number of transfers, and what they are by construction."""

    node: AnvilNode
    watched_count: int
    transfers_per_group: int
    config: ChainConfig
    token: Asset
    first_height: int
    blocks: int = 0
    _sender: str = field(default="")

    @property
    def watched(self) -> list[Address]:
        """The addresses whose transfers are scanned."""
        return [_address(WATCHED_BASE + number) for number in range(self.watched_count)]

    @property
    def count(self) -> int:
        """Transfers so far."""
        return self.blocks // SPACING * self.transfers_per_group

    @property
    def expected(self) -> list[tuple[int, str, str, int]]:
        """(height, sender, receiver, base units) of every transfer, in the order of the chain."""
        watched = self.watched
        rows: list[tuple[int, str, str, int]] = []
        for number in range(self.count):
            ends = (watched[number % self.watched_count], _address(STRANGER_BASE + number))
            sender, receiver = ends if number % 2 == 0 else ends[::-1]
            rows.append(
                (self.first_height + number // self.transfers_per_group * SPACING, sender, receiver, number + 1)
            )
        return rows

    def grow(self, blocks: int) -> None:
        """Mine blocks up to this number, a multiple of `SPACING`; the first of so many holds all the transfers."""
        while self.blocks < blocks:
            group = self.blocks // SPACING
            words = abi.word(group * self.transfers_per_group) + abi.word(self.transfers_per_group)
            transaction = {"from": self._sender, "to": abi.hex_text(TOKEN), "data": abi.hex_text(words)}
            self.node.rpc("eth_sendTransaction", transaction | {"gas": hex(self._gas), "nonce": hex(group)})
            self.node.mine(SPACING)
            self.blocks += SPACING

    @property
    def _gas(self) -> int:
        return 100_000 + 5_000 * self.transfers_per_group


def empty_story(node: AnvilNode, watched: int = 1_000, transfers_per_group: int = 100) -> LogStory:
    """The emitter in its place, and no transfer yet."""
    chain_id = ChainId(f"eip155:{node.chain_id}")
    node.set_code(abi.hex_text(TOKEN), abi.hex_text(emitter(watched)))
    config = ChainConfig(
        chain_id=chain_id,
        name="devnet",
        genesis_hash=node.block_hash(0),
        nodes=(NodeConfig("anvil", "local", node.url),),
        finality=Finality.parse("latest"),
        native_asset=Asset(AssetId(f"{chain_id}/slip44:60"), "ETH", 18),
        head_age_seconds_max=86_400,
        head_future_seconds_max=86_400,
    )
    token = Asset(AssetId(f"{chain_id}/erc20:{checksum_address(TOKEN)}"), "MANY", 6)
    first = node.block_number() + 1
    story = LogStory(node, watched, transfers_per_group, config, token, first, _sender=node.accounts()[0])
    node.set_automine(False)
    return story


def _address(number: int) -> Address:
    return checksum_address(number.to_bytes(20, "big"))
