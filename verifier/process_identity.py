"""Which process on which machine: a name that another process of the machine can ask whether it still lives."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process. The start tells it from a later one that got the same number."""

    host: str
    process_id: int
    start: str
    """When the process began, in the system's own ticks; empty where the system does not say."""

    @classmethod
    def own(cls) -> Self:
        """This process."""
        return cls(_host(), os.getpid(), _start_of(os.getpid()))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The process of a text that `str` made; None for any other text."""
        host, _, rest = text.rpartition("/")
        process_id, _, start = rest.partition("@")
        if not host or not (process_id.isascii() and process_id.isdigit()):
            return None
        return cls(host, int(process_id), start)

    def __str__(self) -> str:
        return f"{self.host}/{self.process_id}@{self.start}"

    @property
    def is_gone(self) -> bool:
        """Whether the process is known to have ended; False for one of another machine, which cannot be asked."""
        if self.host != _host():
            return False
        try:
            os.kill(self.process_id, 0)
        except ProcessLookupError:
            return True
        except OSError:  # it is somebody else's
            return False
        return _start_of(self.process_id) != self.start or _has_ended(self.process_id)


def _host() -> str:
    return socket.gethostname() or "localhost"


def _start_of(process_id: int) -> str:
    fields = _stat_of(process_id)
    return fields[19] if fields else ""  # field 22 of proc(5)


def _has_ended(process_id: int) -> bool:
    """Whether it only waits for its parent to take notice of its end."""
    return _stat_of(process_id)[:1] in (["Z"], ["X"])


def _stat_of(process_id: int) -> list[str]:
    """What the system says of a process, from its state on; empty where it says nothing."""
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return stat.rpartition(")")[2].split()  # the name, in brackets, may hold blanks
