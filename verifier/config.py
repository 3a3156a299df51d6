"""The configuration: one `custody.toml`, overridden by the environment, secrets kept out of sight.

Order of strength: environment variables `CUSTODY_SECTION__KEY`, then the file. A node's URL can hold an API
key, so it may be given by the name of an environment variable (`url_env`) or of a file (`url_file`) instead,
and is shown nowhere.
"""

from __future__ import annotations

import os
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from chains.agreement import Witness, operator_count
from chains.errors import InvalidValue
from chains.evm.encumbrance_types import EncumbranceSettings
from chains.reader import ChainConfig, NodeConfig, ReadLimits
from chains.state_proofs import StateProofMode
from chains.types import Asset, Finality, parse_asset_id, parse_chain_id
from exports.codec import to_object
from exports.errors import RecordInvalid
from exports.manifest import SKEW_SECONDS_MAX
from exports.records import FirmRecord
from exports.reserve.errors import PolicyRefused
from exports.reserve.policies import Policy, policies_at
from verifier.alert_settings import AlertSettings
from verifier.errors import ConfigError
from verifier.web_settings import WebSettings

CONFIG_FILE = "custody.toml"
ENV_PREFIX = "CUSTODY_"


class _Section(BaseModel):
    """A section of the file; an unknown key is an error, because a misspelt limit is no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _written_in_bundles(text: str) -> str:
    """Text that a bundle can carry: refused here, and not when the day's bundle is due."""
    try:
        to_object(FirmRecord(text, ""))
    except RecordInvalid as error:
        raise ValueError(f"cannot be written into a bundle: {error}") from None
    return text


BundleText = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_written_in_bundles)]


class FirmSettings(_Section):
    """Who the books belong to."""

    name: BundleText


class DatabaseSettings(_Section):
    """Where records are kept: SQLite by default, PostgreSQL by URL."""

    url: SecretStr = SecretStr("sqlite:///custody.db")
    head_file: Path | None = None
    """Says which journal entry was newest at the last export or backup, so that an older database put back is noticed;
    best kept where the database's backups are not. The default is `known-head.json` beside custody.toml."""


class SweepSettings(_Section):
    """How sweeps compare."""

    as_of_skew_seconds_max: int = Field(default=900, ge=0, le=SKEW_SECONDS_MAX)
    """Largest distance in time between two statements that are still compared; beyond it: unverified."""
    wallets_per_shard: int = Field(default=5_000, ge=1, le=100_000)
    """Wallets read and stored in one transaction: what a crash can cost, and what memory holds."""
    late_blocks_per_sweep_max: int = Field(default=100_000, ge=1)
    """Most blocks that one sweep reads again for wallets and assets mapped late; the next sweep goes on."""
    heartbeat_seconds_max: int = Field(default=7_200, ge=1)
    """How old the newest observation of a chain may be, by its block's time, before that is a finding."""
    change_points: Literal["remainders", "every_block"] = "remainders"
    """Where balances are read to find changes that no event explains: where remainders lead, or at every block, so that
    changes which cancel out are found too. See docs/history.md."""
    change_point_blocks_max: int = Field(default=10_000, ge=1)
    """Most blocks that `every_block` reads in one sweep; more are refused, with a finding."""
    pin_attempts_max: int = Field(default=3, ge=1, le=10)
    """How often a sweep pins anew when the chain reorganises under it."""


class WatchSettings(_Section):
    """How chains are followed."""

    sweep_seconds_min: float = Field(default=60.0, ge=0)
    """Shortest time between two sweeps of one chain."""
    poll_seconds_min: float = Field(default=0.25, gt=0)
    """Shortest pause between two questions for a new block."""
    poll_seconds_max: float = Field(default=4.0, gt=0)
    """Longest pause between two questions for a new block."""


class WorkerSettings(_Section):
    """Sweeps read by several processes on one PostgreSQL; see docs/scaling.md."""

    enabled: bool = False
    """Whether sweeps hand the reading of balances to `custody worker` processes."""
    wallets_per_shard: int | None = Field(default=None, ge=1, le=100_000)
    """Wallets in one shard; as in `[sweep]` where it is not given."""
    lease_seconds: float = Field(default=60.0, ge=1, le=3_600)
    """How long a worker may be silent before another one takes its shard over."""
    attempts_max: int = Field(default=3, ge=1, le=20)
    """Tries of workers at one shard before the sweep tries it itself, and gives it up as unverified."""
    patience_seconds: float = Field(default=10.0, ge=0, le=3_600)
    """How long a sweep waits for a worker to take a shard before it reads one itself."""


CivilTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class ScheduleSettings(_Section):
    """What `custody watch` runs by the clock; times are civil, in `reserve.bank_zone`, of the next business day."""

    enabled: bool = True
    """Whether this process is an alarm clock at all."""
    check_minutes: int = Field(default=15, ge=1, le=24 * 60)
    """How often the reserve, possession or control, and custodians' statements are judged."""
    control_review: bool = False
    """Review possession or control of each business date."""
    control_review_at: CivilTime = "07:15"
    compute: bool = False
    """Compute the reserve of each business date of which a computation is due."""
    compute_at: CivilTime = "07:30"
    reconcile: bool = False
    """Compare the books of each business date with custodians' statements."""
    reconcile_at: CivilTime = "09:00"
    report: bool = False
    """Make the daily report of each business date."""
    report_at: CivilTime = "09:30"
    catch_up_days: int = Field(default=10, ge=0, le=250)
    """Business dates back that are still run after the clock stood still; older ones are recorded as missed."""


class HttpsSettings(_Section):
    """Where a source of the plugin `https` fetches from; `{date}` in it is a business date, `{compact_date}` too."""

    url: SecretStr | None = None
    """Shown nowhere; a user and password in it are sent as Basic authentication."""
    url_env: str | None = None
    url_file: Path | None = None
    file_name: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9._{}-]{0,79})?$")
    """What a file is called here; the source's name and the date when empty."""
    ca_file: Path | None = None
    """Certificates (PEM) of the authorities to trust, in the place of the system's."""
    certificate_file: Path | None = None
    """Our own certificate (PEM), for servers that ask for one."""
    certificate_key_file: Path | None = None
    """Its key (PEM); None where it stands in `certificate_file`."""
    certificate_passphrase_env: str | None = None
    token_env: str | None = None
    """Name of the environment variable with a token, sent as `Authorization: Bearer`."""
    token_file: Path | None = None
    inside: bool = False
    """Whether the host may be this machine, or one of a network inside. Link-local addresses are always refused."""

    @model_validator(mode="after")
    def _one_of_each(self) -> HttpsSettings:
        if sum(given is not None for given in (self.url, self.url_env, self.url_file)) != 1:
            raise ValueError("give exactly one of url, url_env, url_file")
        if self.token_env is not None and self.token_file is not None:
            raise ValueError("give at most one of token_env, token_file")
        if self.certificate_key_file is not None and self.certificate_file is None:
            raise ValueError("certificate_key_file without certificate_file")
        return self


class SourceSettings(_Section):
    """A source that statements are pulled from."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    plugin: str = Field(default="https", pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")
    """Name in the entry point group `custody_verifier.statements`."""
    every_minutes: int = Field(default=15, ge=1, le=24 * 60)
    """How often `custody watch` pulls."""
    lookback_days: int = Field(default=3, ge=1, le=31)
    """Business dates asked for at every pull; more after a time in which nothing was pulled."""
    seconds_max: float = Field(default=60.0, gt=0, le=3_600)
    """Longest time for one file, its tries and waits included."""
    bytes_max: int = Field(default=64 * 1024 * 1024, ge=1)
    """Largest file."""
    https: HttpsSettings | None = None
    options: dict[str, SecretStr] = {}
    """For plugins of other packages: what each of them says it needs."""

    @model_validator(mode="after")
    def _of_its_plugin(self) -> SourceSettings:
        if (self.plugin == "https") != (self.https is not None):
            raise ValueError("the plugin https needs a section [statements.sources.https], and no other one takes it")
        return self


class StatementSettings(_Section):
    """Where custodians' statements come from by themselves."""

    folder: Path | None = None
    """Each new file here is imported once."""
    every_minutes: int = Field(default=5, ge=1, le=24 * 60)
    """How often `custody watch` looks there."""
    hosts: list[str] = []
    """Hosts that statements may be fetched from over HTTPS; no other one is asked."""
    sources: list[SourceSettings] = []

    @model_validator(mode="after")
    def _distinct_sources(self) -> StatementSettings:
        names = [source.name for source in self.sources]
        if len(set(names)) != len(names):
            raise ValueError("two sources have the same name")
        return self


class MetricsSettings(_Section):
    """What is told about a running process; see docs/operations.md."""

    listen: str = Field(default="", pattern=r"^(((?:[A-Za-z0-9.-]+|\[[0-9a-f:]+\]):)?[0-9]{1,5})?$")
    """`PORT` on 127.0.0.1, or `HOST:PORT`; nothing is served when empty."""
    answered_seconds_max: int = Field(default=120, ge=1)
    """How long ago a chain's node must have answered for the process to be ready."""


class LogSettings(_Section):
    """What is logged, and where to."""

    level: Literal["debug", "info", "warning", "error"] = "warning"
    form: Literal["text", "json"] = "text"
    file: Path | None = None
    """A file in the place of standard error, kept within the sizes below."""
    file_bytes_max: int = Field(default=10 * 1024 * 1024, ge=4_096)
    """Size at which the file is put aside and a new one begun."""
    files_kept: int = Field(default=5, ge=1, le=100)
    """Files put aside that are kept."""


class ImportSettings(_Section):
    """What the importer accepts."""

    accept_unchecksummed: bool = False
    """Accept all-lower-case EVM addresses, which carry no checksum; the import names each of them."""
    file_bytes_max: int = Field(default=2 * 1024**3, ge=1)
    file_rows_max: int = Field(default=2_000_000, ge=1)


HEAD_FILE_NAME = "known-head.json"
"""Name of the file beside custody.toml that says which journal entry is known outside the database."""
SALT_FILE_NAME = "liabilities-secret.hex"
"""Name of the file beside the signing key that salts the liabilities tree."""


class SignerSettings(_Section):
    """A key that signs bundles, in a device or a service."""

    uri: str
    """As securesystemslib names it: `hsm:2?label=TOKEN`, `awskms:KEY`, `file2:PATH`."""
    public_key_file: Path | None = None
    """Its public key (PEM); only a key file can do without."""
    passphrase_env: str | None = None
    """Name of the environment variable that holds the PIN or passphrase."""


class BundleSettings(_Section):
    """How bundles are signed."""

    key_file: Path | None = None
    """The signing key (PEM, mode 0600)."""
    passphrase_env: str | None = None
    """Name of the environment variable that holds the key's passphrase."""
    signers: list[SignerSettings] = []
    """Keys that sign every export besides, or instead of, `key_file`."""
    liabilities_secret_file: Path | None = None
    """What salts the liabilities tree (64 hex digits, mode 0600); by default beside the signing key."""


class ReservePolicySettings(_Section):
    """A reading of the rule that the firm chose in the place of a default; see docs/rules.md."""

    name: str
    value: str
    effective_from: date
    source: BundleText
    reason: BundleText


class ReserveSettings(_Section):
    """The reserve computations of 15c3-3(e)."""

    bank_opens: str = Field(default="09:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    """When the reserve banks open for business, in their civil time: a deposit is due one hour later."""
    bank_zone: str = "America/New_York"
    """IANA name of the banks' time zone."""
    closings: list[date] = []
    """Days on which the banks are shut besides the Federal Reserve's holidays."""
    policies: list[ReservePolicySettings] = []
    instruction_days: int = Field(default=2, ge=1, le=10)
    """Banking days after its making on which an instruction may be approved and executed."""
    sweep_credits_from: date | None = None
    """First as-of date whose required deposit customers' swept credits reduce: a staff view (FAQ of 2025-12-08, Q5),
    not in the rule's text, so off unless the firm gives a day."""

    @model_validator(mode="after")
    def _readable(self) -> ReserveSettings:
        try:
            ZoneInfo(self.bank_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"there is no time zone {self.bank_zone}") from None
        try:
            own = [Policy(p.name, p.value, p.effective_from, p.source, p.reason) for p in self.policies]
            policies_at(date.max, own)
        except PolicyRefused as error:
            raise ValueError(str(error)) from None
        return self


class SupervisionSettings(_Section):
    """Where what nobody explained goes."""

    wsp_section: str = Field(default="", max_length=200)
    """Section of the firm's written supervisory procedures, named in each escalation."""


class ApprovalSettings(_Section):
    """What needs a second person besides cases, instructions and control acts; see docs/cases.md."""

    mapping: bool = False
    """Whether imported and posted rows of the mapping wait for another person before they count."""
    policies: bool = False
    """Whether a change of what judges (reserve policies, thresholds) waits for another person before anything runs."""
    second_above: dict[str, str] = {}
    """Quantity in whole units, by asset id or symbol, above which the resolution of a case needs two approvals."""

    @field_validator("second_above")
    @classmethod
    def _quantities(cls, given: dict[str, str]) -> dict[str, str]:
        for name, quantity in given.items():
            whole, _, part = quantity.partition(".")
            if not (whole.isascii() and whole.isdigit() and (not part or (part.isascii() and part.isdigit()))):
                raise ValueError(f'{name}: give a quantity in whole units as text, such as "1000" or "2.5"')
        return given


class ArchiveSettings(_Section):
    """Where computations and reports are kept for examiners; see docs/reserve-reports.md."""

    folder: Path | None = None
    """The default is `archive` beside the database file."""
    retention_years: int = Field(default=6, ge=6, le=100)
    """Years each record is kept from the day it was archived: 17 CFR 240.17a-4 asks for at most six of these."""


class CustodianSettings(_Section):
    """Statements of depositories, banks and prime brokers; times are civil, in `reserve.bank_zone`."""

    closes: str = Field(default="18:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    """The moment of a statement that names a day alone."""
    warn_minutes: int = Field(default=120, ge=0, le=24 * 60)
    """How long before it is due a statement that is not there becomes a finding."""


class LimitSettings(_Section):
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


class NodeSettings(_Section):
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


_NAMESPACE_DEFAULTS: dict[str, dict[str, object]] = {
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


class NativeAssetSettings(_Section):
    """The chain's own coin, in which fees are paid."""

    asset_id: str
    symbol: str
    decimals: int = 18


class EncumbranceSection(_Section):
    """Who else could move what is in the wallets; see docs/encumbrances.md."""

    enabled: bool = True
    """Asked in every sweep of a chain whose adapter can."""
    approvals_from_height: int = Field(default=0, ge=0)
    """First block whose approvals are looked for; from 1 on, what was approved before stays an open gap."""
    approval_blocks_per_sweep_max: int = Field(default=1_000_000, ge=1)
    """Blocks of a long history looked through in one sweep; the next sweeps go on."""
    spenders_always_asked: list[str] = []
    """Addresses whose allowance is asked for on every token and wallet; Permit2 always is."""
    paused_questions: list[str] = list(EncumbranceSettings().paused_questions)
    frozen_questions: list[str] = list(EncumbranceSettings().frozen_questions)

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


class ChainSettings(_Section):
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
        return _NAMESPACE_DEFAULTS.get(given["chain_id"].partition(":")[0], {}) | given

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


class Settings(BaseSettings):
    """The whole configuration."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    firm: FirmSettings
    database: DatabaseSettings = DatabaseSettings()
    sweep: SweepSettings = SweepSettings()
    watch: WatchSettings = WatchSettings()
    workers: WorkerSettings = WorkerSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    statements: StatementSettings = StatementSettings()
    imports: ImportSettings = ImportSettings()
    bundle: BundleSettings = BundleSettings()
    reserve: ReserveSettings = ReserveSettings()
    custodians: CustodianSettings = CustodianSettings()
    supervision: SupervisionSettings = SupervisionSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    archive: ArchiveSettings = ArchiveSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()
    web: WebSettings = WebSettings()
    alerts: list[AlertSettings] = []
    chains: list[ChainSettings] = []

    @model_validator(mode="after")
    def _distinct_channels(self) -> Settings:
        names = [channel.name for channel in self.alerts]
        if len(set(names)) != len(names):
            raise ValueError("two [[alerts]] have the same name")
        return self

    @model_validator(mode="after")
    def _distinct_chains(self) -> Settings:
        ids = [chain.chain_id for chain in self.chains]
        if len(set(ids)) != len(ids):
            raise ValueError("two [[chains]] have the same chain_id")
        return self

    def chain(self, chain_id: str) -> ChainSettings:
        """The settings of one chain; raises `ConfigError` naming the chains there are."""
        for chain in self.chains:
            if chain.chain_id == chain_id:
                return chain
        known = ", ".join(chain.chain_id for chain in self.chains) or "none"
        raise ConfigError(f"chain {chain_id} is not configured (configured: {known})")

    def shown(self) -> dict[str, Any]:
        """The effective configuration without its secrets, for people and logs."""
        shown = self.model_dump(mode="json")
        shown["database"]["url"] = _without_credentials(self.database.url.get_secret_value())
        return shown


def _without_credentials(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}://…@{rest.rpartition('@')[2]}" if separator and "@" in rest else url


def _unreadable(file: Path, why: str | None) -> ConfigError:
    return ConfigError(
        f"{file.name} cannot be read: {why}",
        advice="Make it, and the folder it is in, readable for the user who runs this.",
    )


def load_settings(path: Path | None = None) -> Settings:
    """Read custody.toml (or the given file) and the environment; raise `ConfigError` naming every wrong setting.

    Relative paths in the file, a SQLite file's included, are relative to the file's folder, so that a command
    means the same from wherever it is run.
    """
    file = path if path is not None else Path(os.environ.get("CUSTODY_CONFIG", CONFIG_FILE))
    try:
        is_there = file.is_file()
    except OSError as error:  # a folder that this user may not look into
        raise _unreadable(file, error.strerror) from None
    if not is_there:
        raise ConfigError(
            f"there is no {file.name} here",
            advice="Make one with `custody init --firm NAME`, or name one with --config.",
        )

    class FileSettings(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

    try:
        settings = FileSettings()  # type: ignore[call-arg]  # the sources fill the fields
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file.name} is not TOML: {error}") from None
    except UnicodeDecodeError:
        raise _unreadable(file, "it is not UTF-8") from None
    except OSError as error:
        raise _unreadable(file, error.strerror) from None
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'file'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise ConfigError(f"{file.name}: {problems}") from None
    return _relative_to(settings, file.resolve().parent)


def _relative_to(settings: Settings, folder: Path) -> Settings:
    """The same settings with relative paths made absolute from the configuration's own folder."""
    url = settings.database.url.get_secret_value()
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith("sqlite:////") and url != "sqlite:///:memory:":
        url = f"{prefix}{folder / url.removeprefix(prefix)}"
    bundle = settings.bundle
    if bundle.key_file is not None:
        bundle = bundle.model_copy(update={"key_file": folder / bundle.key_file})
    signers = [
        each.model_copy(update={"public_key_file": folder / each.public_key_file}) if each.public_key_file else each
        for each in bundle.signers
    ]
    bundle = bundle.model_copy(update={"signers": signers})
    secret = bundle.liabilities_secret_file
    if secret is not None:
        bundle = bundle.model_copy(update={"liabilities_secret_file": folder / secret})
    elif bundle.key_file is not None:
        bundle = bundle.model_copy(update={"liabilities_secret_file": bundle.key_file.with_name(SALT_FILE_NAME)})
    database_file = url.removeprefix(prefix) if url.startswith(prefix) else ""
    beside = Path(database_file).parent if database_file not in ("", ":memory:") else folder
    archive = settings.archive
    archive = archive.model_copy(update={"folder": folder / archive.folder if archive.folder else beside / "archive"})
    statements = settings.statements
    if statements.folder is not None:
        statements = statements.model_copy(update={"folder": folder / statements.folder})
    statements = statements.model_copy(update={"sources": [_source_in(folder, each) for each in statements.sources]})
    log = settings.log
    log = log.model_copy(update={"file": folder / log.file}) if log.file is not None else log
    chains = [
        chain.model_copy(
            update={
                "state_directory": folder / chain.state_directory if chain.state_directory else beside / "ledgers",
                "nodes": [
                    node.model_copy(update={"url_file": folder / node.url_file})
                    if node.url_file is not None and not node.url_file.is_absolute()
                    else node
                    for node in chain.nodes
                ],
            }
        )
        for chain in settings.chains
    ]
    database = DatabaseSettings(url=SecretStr(url), head_file=folder / (settings.database.head_file or HEAD_FILE_NAME))
    alerts = [_channel_in(folder, each) for each in settings.alerts]
    changed = {
        "database": database,
        "alerts": alerts,
        "bundle": bundle,
        "archive": archive,
        "statements": statements,
        "chains": chains,
    }
    places = {
        "exports_folder": folder / (settings.web.exports_folder or "exports"),
        "trusted_keys_file": folder / (settings.web.trusted_keys_file or "trusted-keys.json"),
    }
    return settings.model_copy(update=changed | {"log": log, "web": settings.web.model_copy(update=places)})


def _channel_in(folder: Path, channel: AlertSettings) -> AlertSettings:
    """A channel with its relative paths made absolute."""
    given = {name: getattr(channel, name) for name in ("url_file", "ca_file", "secret_file", "smtp_password_file")}
    return channel.model_copy(update={name: folder / path for name, path in given.items() if path is not None})


def _source_in(folder: Path, source: SourceSettings) -> SourceSettings:
    """A source with its relative paths made absolute."""
    if source.https is None:
        return source
    files = ("url_file", "ca_file", "certificate_file", "certificate_key_file", "token_file")
    given = {name: getattr(source.https, name) for name in files}
    absolute = {name: folder / path for name, path in given.items() if path is not None}
    return source.model_copy(update={"https": source.https.model_copy(update=absolute)})
