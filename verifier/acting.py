"""What every act in the store carries besides its actor: from where it comes, and what the firm demands of approvals.

The command line and the web each open a store and prepare it here; nothing else sets these.
"""

from __future__ import annotations

import getpass
import os
import socket
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store

ORIGIN_MAX: Final = 200


def prepare(store: Store, settings: Settings, origin: str) -> None:
    """Give a store what its acts carry. `origin` is `terminal_origin()` or `web_origin(address)`."""
    store.origin = origin
    store.second_above = dict(settings.approvals.second_above)


def web_origin(address: str, session_key: str = "") -> str:
    """Where a request came from: its address, and the name (never the secret) of its session or token."""
    return _cleaned(f"web {address or 'unknown address'}" + (f" session {session_key}" if session_key else ""))


def terminal_origin() -> str:
    """Where this process runs: user, host, terminal, and the address of a remote login where there is one."""
    parts = [f"{_user()}@{socket.gethostname()}", _terminal()]
    remote = os.environ.get("SSH_CONNECTION", "").split(" ")[0]
    return _cleaned(
        "command line " + " ".join([each for each in parts if each] + ([f"from {remote}"] if remote else []))
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        return f"uid-{os.getuid()}"


def _terminal() -> str:
    for stream in (sys.stdin, sys.stderr):
        try:
            return os.ttyname(stream.fileno())
        except (OSError, ValueError, AttributeError):
            continue
    return ""


def _cleaned(text: str) -> str:
    return "".join(each for each in text if each.isprintable())[:ORIGIN_MAX]
