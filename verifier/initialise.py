"""Setting up a folder: configuration, keys, trusted-keys file, database. What exists is never overwritten."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from verifier.config import CONFIG_FILE, Settings, load_settings
from verifier.errors import InputError, MissingExtra

KEY_FILE = Path("keys") / "signing-key.pem"
ROOT_KEY_FILE = Path("keys") / "root-key.pem"
"""Signs lists of trusted keys only; to be kept away from this machine once the folder is set up."""
TRUSTED_KEYS_FILE = "trusted-keys.json"
TRUSTED_FOR = timedelta(days=365)
"""How long a trusted-keys file made here is valid; an auditor asks for the current one after that."""


@dataclass(frozen=True, slots=True)
class Initialised:
    """What was made, what was kept, and the schema the database has now."""

    created: list[str]
    kept: list[str]
    schema: str


def initialise(folder: Path, *, config_text: Callable[[], str], actor: str, now: datetime) -> Initialised:
    """Make what is missing in the folder and bring the database up to date; safe to run again at any time."""
    try:
        from verifier.store import open_store
    except ModuleNotFoundError as error:
        raise MissingExtra("server", f"the database (no module {error.name})") from None

    created: list[str] = []
    kept: list[str] = []
    config = folder / CONFIG_FILE
    if config.exists():
        kept.append(CONFIG_FILE)
    else:
        text = config_text()
        folder.mkdir(parents=True, exist_ok=True)
        # Private from its first moment: a node's URL in it may hold an API key.
        descriptor = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        created.append(CONFIG_FILE)
    _make_keys(folder, now, created, kept)
    settings = load_settings(config)
    _make_secret(settings.bundle.liabilities_secret_file, created, kept)
    store = open_store(settings.database.url.get_secret_value())
    try:
        schema = store.migrate(actor, now)
    finally:
        store.close()
    prepare_workers(settings)
    return Initialised(created, kept, schema)


def prepare_workers(settings: Settings) -> None:
    """Make the workers' queue, where sweeps are configured to have workers; see `custody worker --prepare`."""
    if settings.workers.enabled:
        from verifier.store.work_queue import prepare_queue

        prepare_queue(settings.database.url.get_secret_value())


def _make_keys(folder: Path, now: datetime, created: list[str], kept: list[str]) -> None:
    """A signing key, the file an auditor needs to trust it, and the root key that signs that file's next version."""
    from exports.keys import create_key_pair, load_signer, sign_list
    from exports.trust import ROOT, trusted_key, trusted_keys

    key, root, trusted = folder / KEY_FILE, folder / ROOT_KEY_FILE, folder / TRUSTED_KEYS_FILE
    if key.exists():
        kept.extend(str(name) for name in (KEY_FILE, ROOT_KEY_FILE, TRUSTED_KEYS_FILE) if (folder / name).exists())
        return
    if trusted.exists():
        raise InputError(f"{TRUSTED_KEYS_FILE} is here, but the key it speaks of ({KEY_FILE}) is not")
    key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    entries = (
        trusted_key("operations", create_key_pair(key), "operations"),
        trusted_key(ROOT, create_key_pair(root), ROOT),
    )
    unsigned = trusted_keys(entries, expires=now.replace(microsecond=0) + TRUSTED_FOR)
    trusted.write_bytes(sign_list(unsigned, [load_signer(f"file2:{root}")]).to_bytes())
    created.extend([str(KEY_FILE), str(ROOT_KEY_FILE), TRUSTED_KEYS_FILE])


def _make_secret(path: Path | None, created: list[str], kept: list[str]) -> None:
    """The secret that salts the liabilities tree, beside the signing key unless configured elsewhere."""
    from exports.firm_secret import create_secret

    if path is None:
        return
    shown = str(Path(path.parent.name) / path.name)
    if path.exists():
        kept.append(shown)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    create_secret(path)
    created.append(shown)
