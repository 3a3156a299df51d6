"""The source `https`: files at one URL, or at one for each business date, of a host on the list.

The server's certificate is checked, redirects are refused, and so is a name that resolves to an address inside, unless
the section says otherwise. URL, token and passphrase are read when a pull begins and appear in no text.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from chains.errors import ChainConfigError, ReadError
from chains.reader import NodeConfig, ReadLimits
from verifier.statement_sources.types import FetchedFile, NotFetched, SourceFailed, SourceRequest

if TYPE_CHECKING:
    from verifier.config import HttpsSettings, SourceSettings

DATE: Final = "{date}"
COMPACT_DATE: Final = "{compact_date}"
ATTEMPTS: Final = 3
NOT_THERE: Final = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class HttpsPlugin:
    """The plugin of that name."""

    name: str = "https"

    def open(self, settings: SourceSettings, hosts: Sequence[str]) -> HttpsSource:
        """A source; raises `SourceFailed` for a URL off the list, and for files and variables that are not there."""
        section = settings.https
        assert section is not None
        url = _text(section.url.get_secret_value() if section.url else "", section.url_env, section.url_file, "url")
        _check(url, hosts)
        headers: tuple[tuple[str, str], ...] = ()
        if section.token_env is not None or section.token_file is not None:
            headers = (("authorization", f"Bearer {_text('', section.token_env, section.token_file, 'token')}"),)
        return HttpsSource(settings, section, url, headers, _tls(section))


@dataclass(frozen=True, slots=True)
class HttpsSource:
    """Fetches the files of one section."""

    settings: SourceSettings
    section: HttpsSettings
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    tls: ssl.SSLContext | None = field(repr=False)

    def fetch(self, request: SourceRequest) -> Iterator[FetchedFile | NotFetched]:
        """One file for each business date where the URL names one, else the one that is there."""
        newest = request.business_dates[-1]
        for day in request.business_dates if _is_dated(self.url) else [newest]:
            name = self._name(day)
            try:
                may_miss = name in request.known or (_is_dated(self.url) and day == newest)
                yield self._one(name, day, request.known.get(name, ""), may_miss=may_miss)
            except SourceFailed as error:
                yield NotFetched(name, error)

    def close(self) -> None:
        """Nothing is kept open between files."""

    def _name(self, day: date) -> str:
        dated = f"{self.settings.name}-{DATE}" if _is_dated(self.url) else self.settings.name
        return _filled(self.section.file_name or dated, day)

    def _one(self, name: str, day: date, validator: str, *, may_miss: bool) -> FetchedFile | NotFetched:
        from chains.transport import HttpExchange

        who = self.settings.name
        seconds = self.settings.seconds_max
        limits = ReadLimits(
            connect_timeout_seconds=min(10.0, seconds),
            read_timeout_seconds=seconds,
            call_deadline_seconds=seconds,
            body_bytes_max=self.settings.bytes_max,
            attempts_max=ATTEMPTS,
        )
        node = NodeConfig(who, who, _filled(self.url, day), self.headers)
        try:
            exchange = HttpExchange(node, limits, tls=self.tls, public_only=not self.section.inside)
            try:
                answer = exchange.fetch(validator)
            finally:
                exchange.close()
        except ReadError as error:
            raise SourceFailed(error.fault or "connection", _said(str(error), who)) from None
        except ChainConfigError as error:
            raise SourceFailed("config", _said(str(error), who)) from None
        if answer.status == 304:
            return NotFetched(name)
        if answer.status in NOT_THERE and may_miss:
            return NotFetched(name, text="" if validator else "is not there")
        if answer.status != 200:
            raise SourceFailed("refused", f"source {who}: answered HTTP {answer.status}")
        return FetchedFile.of(name, answer.body, answer.validator)


def _said(text: str, who: str) -> str:
    return text.replace(f"node {who}: ", f"source {who}: ", 1)


def _is_dated(url: str) -> bool:
    return DATE in url or COMPACT_DATE in url


def _filled(text: str, day: date) -> str:
    return text.replace(DATE, day.isoformat()).replace(COMPACT_DATE, f"{day:%Y%m%d}")


def _text(given: str, variable: str | None, file: Path | None, what: str) -> str:
    """A secret from where the section says it is. The names of variables are no secrets, what is in them is."""
    found = given
    if variable is not None:
        found = os.environ.get(variable, "")
        if not found:
            raise SourceFailed("config", f"environment variable {variable} is not set")
    elif file is not None:
        try:
            found = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SourceFailed("config", f"{what}_file cannot be read") from None
    if not found:
        raise SourceFailed("config", f"the {what} is empty")
    return found


def _check(url: str, hosts: Sequence[str]) -> None:
    try:
        parts = urlsplit(url)
        host, scheme = (parts.hostname or "").lower(), parts.scheme.lower()
    except ValueError:
        raise SourceFailed("config", "the URL cannot be read") from None
    if scheme != "https":
        raise SourceFailed("config", "the URL must begin with https://")
    if host not in {each.lower() for each in hosts}:
        raise SourceFailed("config", "the host of the URL is not in [statements] hosts")
    if _is_dated(parts.netloc):
        raise SourceFailed("config", "a date belongs into the path or the query of the URL")


def _tls(section: HttpsSettings) -> ssl.SSLContext | None:
    """Whom to trust and what to show; None is what the transport does by itself. Certificate and name are checked."""
    if section.ca_file is None and section.certificate_file is None:
        return None
    # Not `create_default_context`, which lets the environment write the session's keys to a file.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if section.ca_file is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(section.ca_file)
        except (OSError, ssl.SSLError):
            raise SourceFailed("config", "ca_file holds no certificates that can be read") from None
    if section.certificate_file is not None:
        # Without a passphrase OpenSSL would ask at the terminal.
        word = _text("", section.certificate_passphrase_env, None, "") if section.certificate_passphrase_env else ""
        try:
            context.load_cert_chain(section.certificate_file, section.certificate_key_file, lambda: word)
        except (OSError, ssl.SSLError, ValueError):
            reason = "certificate_file and its key cannot be read, do not fit, or need another passphrase"
            raise SourceFailed("config", reason) from None
    return context


plugin: Final = HttpsPlugin()
