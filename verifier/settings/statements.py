"""The section `[statements]`: where custodians' statements come from by themselves."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, model_validator

from verifier.settings.section import Section


class HttpsSettings(Section):
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


class SourceSettings(Section):
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
    options: dict[str, SecretStr] = Field(default={})
    """For plugins of other packages: what each of them says it needs."""

    @model_validator(mode="after")
    def _of_its_plugin(self) -> SourceSettings:
        if (self.plugin == "https") != (self.https is not None):
            raise ValueError("the plugin https needs a section [statements.sources.https], and no other one takes it")
        return self


class StatementSettings(Section):
    """Where custodians' statements come from by themselves."""

    folder: Path | None = None
    """Each new file here is imported once."""
    every_minutes: int = Field(default=5, ge=1, le=24 * 60)
    """How often `custody watch` looks there."""
    hosts: list[str] = Field(default=[])
    """Hosts that statements may be fetched from over HTTPS; no other one is asked."""
    sources: list[SourceSettings] = Field(default=[])

    @model_validator(mode="after")
    def _distinct_sources(self) -> StatementSettings:
        names = [source.name for source in self.sources]
        if len(set(names)) != len(names):
            raise ValueError("two sources have the same name")
        return self
