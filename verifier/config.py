"""The configuration: one `custody.toml`, overridden by the environment, secrets kept out of sight.

Order of strength: environment variables `CUSTODY_SECTION__KEY`, then the file. A node's URL can hold an API
key, so it may be given by the name of an environment variable (`url_env`) or of a file (`url_file`) instead,
and is shown nowhere.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from verifier.errors import ConfigError
from verifier.settings.alerts import AlertSettings
from verifier.settings.bundles import SALT_FILE_NAME, BundleSettings, SignerSettings
from verifier.settings.chains import ChainSettings, EncumbranceSection, LimitSettings, NativeAssetSettings, NodeSettings
from verifier.settings.firm import (
    ApprovalSettings,
    ArchiveSettings,
    CustodianSettings,
    FirmSettings,
    ReservePolicySettings,
    ReserveSettings,
    SupervisionSettings,
)
from verifier.settings.running import (
    HEAD_FILE_NAME,
    DatabaseSettings,
    ImportSettings,
    LogSettings,
    MetricsSettings,
    ScheduleSettings,
    SweepSettings,
    WatchSettings,
    WorkerSettings,
)
from verifier.settings.statements import HttpsSettings, SourceSettings, StatementSettings
from verifier.settings.web import WebSettings

__all__ = [
    "CONFIG_FILE",
    "ENV_PREFIX",
    "HEAD_FILE_NAME",
    "SALT_FILE_NAME",
    "AlertSettings",
    "ApprovalSettings",
    "ArchiveSettings",
    "BundleSettings",
    "ChainSettings",
    "CustodianSettings",
    "DatabaseSettings",
    "EncumbranceSection",
    "FirmSettings",
    "HttpsSettings",
    "ImportSettings",
    "LimitSettings",
    "LogSettings",
    "MetricsSettings",
    "NativeAssetSettings",
    "NodeSettings",
    "ReservePolicySettings",
    "ReserveSettings",
    "ScheduleSettings",
    "Settings",
    "SignerSettings",
    "SourceSettings",
    "StatementSettings",
    "SupervisionSettings",
    "SweepSettings",
    "WatchSettings",
    "WebSettings",
    "WorkerSettings",
    "load_settings",
]

CONFIG_FILE = "custody.toml"
ENV_PREFIX = "CUSTODY_"


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
