"""The sections `[[chains]]`: what each chain is, which nodes are asked, and within which limits."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, model_validator

from chains.agreement import Witness, operator_count
from chains.errors import InvalidValue
from chains.evm.encumbrance_types import EncumbranceSettings
from chains.reader import ChainConfig, NodeConfig, ReadLimits
from chains.state_proofs import StateProofMode
from chains.types import Asset, Finality, parse_asset_id, parse_chain_id
from verifier.errors import ConfigError
from verifier.settings.section import BundleText, Section


class LimitSettings(Section):
    """Limits of reading one chain; each default is in `chains.reader.ReadLimits`."""

    connect_timeout_seconds: float = Field(default=5.0, gt=0)
    read_timeout_seconds: float = Field(default=20.0, gt=0)
    call_deadline_seconds: float = Field(default=60.0, gt=0)
    sweep_budget_seconds: float = Field(default=900.0, gt=0)
    body_bytes_max: int = Field(default=64 * 1024 * 1024, gt=0)
    batch_size_max: int = Field(default=500, ge=1)
    attempts_max: int = Field(default=4, ge=1)
    retry_wait_seconds_max: float = Field(default=10.0, ge=0)
    state_proof_seconds_max: float = Field(default=300.0, ge=0)


class NodeSettings(Section):
    """One node of a chain."""

    node_id: str = Field(pattern=r"^[a-z0-9][-a-z0-9_.]{0,39}$")
    operator: BundleText
    url: SecretStr | None = None
    url_env: str | None = None
    url_file: Path | None = None
    ws_url: SecretStr | None = None
    """A WebSocket of the same node that announces new blocks (EVM); without one it is asked again and again."""
    ws_url_env: str | None = None

    @model_validator(mode="after")
    def _one_url(self) -> NodeSettings:
        if sum(given is not None for given in (self.url, self.url_env, self.url_file)) != 1:
            raise ValueError("give exactly one of url, url_env, url_file")
        if self.ws_url is not None and self.ws_url_env is not None:
            raise ValueError("give at most one of ws_url, ws_url_env")
        return self

    def resolve(self) -> NodeConfig:
        """The node with its URL; raises `ConfigError` when the variable or file that holds it is missing."""
        if self.url is not None:
            url = self.url.get_secret_value()
        elif self.url_env is not None:
            url = os.environ.get(self.url_env, "")
            if not url:
                raise ConfigError(f"node {self.node_id}: environment variable {self.url_env} is not set")
        else:
            assert self.url_file is not None
            try:
                url = self.url_file.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ConfigError(f"node {self.node_id}: url_file cannot be read ({error.strerror})") from None
        return NodeConfig(node_id=self.node_id, operator=self.operator, url=url, ws_url=self._resolve_ws())

    def _resolve_ws(self) -> str:
        if self.ws_url is not None:
            return self.ws_url.get_secret_value()
        if self.ws_url_env is None:
            return ""
        if not (url := os.environ.get(self.ws_url_env, "")):
            raise ConfigError(f"node {self.node_id}: environment variable {self.ws_url_env} is not set")
        return url


NAMESPACE_DEFAULTS: dict[str, dict[str, object]] = {
    # Bitcoin's blocks come ten minutes apart on average, two hours now and then, and their times may be two hours off;
    # a block with six confirmations is an hour old on average.
    "bip122": {
        "state_proofs": "off",
        "finality": "confirmed(6)",
        "header_format": "bitcoin",
        "head_age_seconds_max": 7_200,
        "head_future_seconds_max": 7_200,
        "heartbeat_seconds_max": 21_600,
    }
}
"""What a chain of another kind than Ethereum's means by a setting that is not given."""


class NativeAssetSettings(Section):
    """The chain's own coin, in which fees are paid."""

    asset_id: str
    symbol: str
    decimals: int = 18


class EncumbranceSection(Section):
    """Who else could move what is in the wallets; see docs/encumbrances.md."""

    enabled: bool = True
    """Asked in every sweep of a chain whose adapter can."""
    approvals_from_height: int = Field(default=0, ge=0)
    """First block whose approvals are looked for; from 1 on, what was approved before stays an open gap."""
    approval_blocks_per_sweep_max: int = Field(default=1_000_000, ge=1)
    """Blocks of a long history looked through in one sweep; the next sweeps go on."""
    spenders_always_asked: list[str] = Field(default=[])
    """Addresses whose allowance is asked for on every token and wallet; Permit2 always is."""
    paused_questions: list[str] = Field(default=list(EncumbranceSettings().paused_questions))
    frozen_questions: list[str] = Field(default=list(EncumbranceSettings().frozen_questions))

    @model_validator(mode="after")
    def _readable(self) -> EncumbranceSection:
        for question in self.paused_questions:
            if not re.fullmatch(r"[A-Za-z_]\w*\(\)", question, re.ASCII):
                raise ValueError(f"{question!r} is not a function without arguments, such as paused()")
        for question in self.frozen_questions:
            if not re.fullmatch(r"[A-Za-z_]\w*\(address\)", question, re.ASCII):
                raise ValueError(f"{question!r} is not a function of one holder, such as isFrozen(address)")
        try:
            self.settings()
        except InvalidValue as error:
            raise ValueError(str(error)) from None
        return self

    def settings(self) -> EncumbranceSettings:
        """What is asked; raises `InvalidValue` for an address without its checksum."""
        from chains.evm.addresses import parse_address

        return EncumbranceSettings(
            spenders_always_asked=tuple(parse_address(each) for each in self.spenders_always_asked),
            paused_questions=tuple(self.paused_questions),
            frozen_questions=tuple(self.frozen_questions),
        )


class ChainSettings(Section):
    """One chain that holds client assets."""

    chain_id: str
    name: str
    genesis_hash: str = Field(pattern=r"^(0x)?[0-9a-f]{64}$")
    finality: str = "finalized"
    history_from_height: int | None = Field(default=None, ge=0)
    """First block whose movements are covered; the default is the block of the first sweep.

    On Bitcoin a balance is the sum of its movements: it must not be above the first block that paid any wallet, and
    the default is the first block of the chain.
    """
    state_directory: Path | None = None
    """Where the ledgers of Bitcoin chains are kept; the default is `ledgers` beside the database file."""
    catch_up_blocks_max: int = Field(default=20_000, ge=1)
    """Most past blocks that a sweep reads by itself for wallets that are new to a ledger."""
    header_format: str = "ethereum"
    history_mode: Literal["logs", "verified"] = "logs"
    """How movements are read; `verified` holds every block against its header, and costs more. See docs/history.md."""
    head_age_seconds_max: int = Field(default=900, ge=1)
    head_future_seconds_max: int = Field(default=60, ge=0)
    heartbeat_seconds_max: int | None = Field(default=None, ge=1)
    """As in `[sweep]`, for this chain; without it the firm's limit, or the age of a head that is accepted if larger."""
    state_proofs: StateProofMode = StateProofMode.WHEN_OFFERED
    """Whether balances are proven against the block's header (EVM); see docs/state-proofs.md."""
    keep_answers: bool = False
    """Whether the nodes' answers that balances were decoded from are kept, for bundles (EVM)."""
    quorum: int = Field(default=1, ge=1)
    """Operators that must give the same answer. With 1 the nodes are asked in turn, the next when one fails."""
    native_asset: NativeAssetSettings
    limits: LimitSettings = LimitSettings()
    encumbrances: EncumbranceSection = EncumbranceSection()
    nodes: Annotated[list[NodeSettings], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _of_its_namespace(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("chain_id"), str):
            return given
        return NAMESPACE_DEFAULTS.get(given["chain_id"].partition(":")[0], {}) | given

    @model_validator(mode="after")
    def _ids(self) -> ChainSettings:
        try:
            parse_chain_id(self.chain_id)
            Finality.parse(self.finality)
            parse_asset_id(self.native_asset.asset_id)
        except InvalidValue as error:
            raise ValueError(str(error)) from None
        if self.keep_answers and not self.chain_id.startswith("eip155:"):
            raise ValueError("keep_answers is for EVM chains: elsewhere no node is asked for balances")
        names = [node.node_id for node in self.nodes]
        if len(set(names)) != len(names):
            raise ValueError("two nodes have the same node_id")
        operators = operator_count(Witness(node.node_id, node.operator) for node in self.nodes)
        if operators < self.quorum:
            raise ValueError(f"quorum is {self.quorum} operators, but the nodes are run by {operators}")
        return self

    def resolve(self) -> ChainConfig:
        """The chain's configuration in the chain package's own types."""
        return ChainConfig(
            chain_id=parse_chain_id(self.chain_id),
            name=self.name,
            genesis_hash=self.genesis_hash,
            nodes=tuple(node.resolve() for node in self.nodes),
            finality=Finality.parse(self.finality),
            native_asset=Asset(
                parse_asset_id(self.native_asset.asset_id), self.native_asset.symbol, self.native_asset.decimals
            ),
            header_format=self.header_format,
            head_age_seconds_max=self.head_age_seconds_max,
            head_future_seconds_max=self.head_future_seconds_max,
            limits=ReadLimits(**self.limits.model_dump()),
            history_mode=self.history_mode,
            quorum=self.quorum,
            state_proofs=self.state_proofs,
            keep_answers=self.keep_answers,
            history_from_height=self.history_from_height,
            state_directory=self.state_directory,
            catch_up_blocks_max=self.catch_up_blocks_max,
        )
