"""The three pages `/healthz`, `/readyz` and `/metrics`, for any server: a path in, a status and a text out.

They show codes, chains, jobs and counts. No secret, URL, client or text of a case is in any of them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder

from verifier.logs import log_file_fails
from verifier.telemetry.books import BooksCollector
from verifier.telemetry.kept import KeptAnswer
from verifier.telemetry.process import ProcessMetrics
from verifier.telemetry.readiness import Check, checks

if TYPE_CHECKING:
    from verifier.config import Settings

READY_KEPT_SECONDS: Final = 2.0
"""A readiness that was just found is told again, so that nobody can load the database by asking."""
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    status: int
    media: str
    body: bytes


class Telemetry:
    """What one process tells. `process` is told what happens; `page` may be asked by any thread."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], datetime],
        *,
        chain_ids: Collection[str] = (),
        leases: Collection[str] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`chain_ids` are followed by this process, `leases` must be held by it or another for it to be ready."""
        self._registry = CollectorRegistry()
        self.process = ProcessMetrics(self._registry, monotonic)
        ProcessCollector(registry=self._registry)
        self._registry.register(BooksCollector(settings, self.process, clock, monotonic))

        def look() -> tuple[list[Check], float]:
            return checks(settings, tuple(chain_ids), tuple(leases), self.process), READY_KEPT_SECONDS

        self._ready = KeptAnswer(look, [Check("database", False, "no-answer")], monotonic=monotonic)

    def page(self, path: str, accept: str = "") -> Page | None:
        """One of the pages; None for any other path."""
        if path == "/healthz":
            return Page(200, _JSON, json.dumps({"alive": True, "log_written": not log_file_fails()}).encode() + b"\n")
        if path == "/readyz":
            return self._readiness()
        if path == "/metrics":
            encode, media = choose_encoder(accept)
            return Page(200, media, encode(self._registry))
        return None

    def _readiness(self) -> Page:
        found = self._ready.get()
        ready = all(each.ok for each in found)
        told = {
            "ready": ready,
            "checks": [{"name": each.name, "ok": each.ok, "code": each.code or None} for each in found],
        }
        return Page(200 if ready else 503, _JSON, json.dumps(told).encode() + b"\n")
