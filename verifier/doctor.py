"""Whether everything is in place: what a newcomer, or an operator after an upgrade, would otherwise find out late."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from chains.errors import ChainError
from exports.errors import BundleError
from verifier.config import Settings, SourceSettings, load_settings
from verifier.errors import VerifierError

IMPORT_NAMES = ("chains", "mapping", "exports", "verifier")
PYTHON_OLDEST, PYTHON_NEWEST = (3, 11), (3, 13)


class Health(StrEnum):
    """The outcome of one question."""

    GOOD = "good"
    BAD = "bad"
    """A command that needs it will end with an error."""
    OPTIONAL = "optional"
    """Not there; only the named commands need it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and its answer."""

    what: str
    health: Health
    found: str
    advice: str = ""


def examine(config: Path | None, now: datetime) -> Iterator[Answer]:
    """Ask every question, the quick ones first. Nothing is changed; the nodes are asked who they are."""
    yield _python()
    yield _import_names()
    yield _database_part()
    yield _ask(
        "local devnet",
        _anvil,
        otherwise=Health.OPTIONAL,
        needed_by="Only `custody devnet` and `custody demo` need it. ",
    )
    settings: list[Settings] = []

    def configuration() -> str:
        settings.append(load_settings(config))
        count = len(settings[0].chains)
        return f"{settings[0].firm.name}, {count} chain{'' if count == 1 else 's'}"

    yield _ask("configuration", configuration)
    if not settings:
        return
    yield _ask("database", lambda: _database(settings[0]))
    yield _ask("signing key", lambda: _signing_key(settings[0]))
    yield _ask("liabilities secret", lambda: _liabilities_secret(settings[0]))
    for source in settings[0].statements.sources:
        yield _ask(
            f"statement source {source.name}",
            lambda named=source: _statement_source(settings[0], named),  # type: ignore[misc]
        )
    for section in settings[0].chains:
        for node in section.nodes:
            yield _ask(
                f"{section.chain_id} node {node.node_id}",
                lambda chain=section.chain_id, name=node.node_id: _node(settings[0], chain, name, now),  # type: ignore[misc]
            )


def _ask(what: str, question: Callable[[], str], *, otherwise: Health = Health.BAD, needed_by: str = "") -> Answer:
    try:
        return Answer(what, Health.GOOD, question())
    except (VerifierError, ChainError, BundleError) as error:
        return Answer(what, otherwise, f"[{error.code}] {error}", needed_by + error.advice)
    except ModuleNotFoundError as error:
        return Answer(what, otherwise, f"no module {error.name}", "Install it: pip install 'custody-verifier[server]'")


def _statement_source(settings: Settings, source: SourceSettings) -> str:
    """Its section, files and variables; the server is not asked."""
    from verifier.statement_sources.registry import statement_plugin

    statement_plugin(source.plugin).open(source, settings.statements.hosts).close()
    return f"plugin {source.plugin}"


def _python() -> Answer:
    version = ".".join(str(part) for part in sys.version_info[:3])
    supported = PYTHON_OLDEST <= sys.version_info[:2] <= PYTHON_NEWEST
    return Answer(
        "Python",
        Health.GOOD if supported else Health.BAD,
        version,
        "" if supported else "Use Python 3.11, 3.12 or 3.13.",
    )


def _import_names() -> Answer:
    """The four names are generic: another distribution may own one of them in this environment."""
    home = Path(__file__).resolve().parent.parent
    strangers = []
    for name in IMPORT_NAMES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None or Path(spec.origin).resolve().parent.parent != home:
            strangers.append(name)
    if strangers:
        advice = "Another package has the same name: install custody-verifier in an environment of its own."
        return Answer("import names", Health.BAD, f"not ours: {', '.join(strangers)}", advice)
    return Answer("import names", Health.GOOD, ", ".join(IMPORT_NAMES))


def _database_part() -> Answer:
    missing = [name for name in ("alembic", "sqlalchemy", "sqlmodel") if not _is_installed(name)]
    if missing:
        advice = "Only `custody verify` works without it. Install it: pip install 'custody-verifier[server]'"
        return Answer("optional part 'server'", Health.OPTIONAL, f"no module {', '.join(missing)}", advice)
    return Answer("optional part 'server'", Health.GOOD, "installed")


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _anvil() -> str:
    from chains.devnet.anvil import find_anvil

    if os.environ.get("ANVIL_RPC_URL"):
        return "ANVIL_RPC_URL names a node"
    return str(find_anvil())


def _database(settings: Settings) -> str:
    from verifier.known_head import require_ready
    from verifier.store import open_store

    store = open_store(settings.database.url.get_secret_value())
    try:
        require_ready(store, settings)
        head = store.head()
        return f"schema {store.schema_version()}, journal entry {head.sequence if head else 0}"
    finally:
        store.close()


def _signing_key(settings: Settings) -> str:
    from verifier.signing import signers_of

    return ", ".join(f"key {signer.public_key.keyid[:16]}…" for signer in signers_of(settings))


def _liabilities_secret(settings: Settings) -> str:
    from verifier.signing import liabilities_secret_of

    return f"a private file with {len(liabilities_secret_of(settings))} bytes"


def _node(settings: Settings, chain_id: str, node_id: str, now: datetime) -> str:
    """Chain id and first block, proved as before a sweep, and a block that a sweep could read."""
    from chains.registry import plugin_for

    config = settings.chain(chain_id).resolve()
    node = next(each for each in config.nodes if each.node_id == node_id)
    reader = plugin_for(config.chain_id).open(config, node)
    try:
        identity = reader.identify()
        pin = reader.pin(now=now)
    finally:
        reader.close()
    return f"{identity.client_version}; would sweep block {pin.block.height:,} ({config.finality})"
