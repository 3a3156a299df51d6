"""A program at the firm's API: it reads all the time, and writes what must be done once, whatever dies meanwhile."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

Json = dict[str, Any]

READ: Final = ("/status", "/sweeps?limit=100", "/holdings?limit=500", "/cases?state=all&limit=200", "/chains")
PAUSE_SECONDS: Final = 0.3
AGAIN_SECONDS: Final = 0.5
"""Before a request is sent again: a process that died may have asked for one last commit."""
ANSWER_SECONDS: Final = 300.0
LOST: Final = 0
"""In the place of a status: no whole answer came."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: Json
    is_replayed: bool = False


class Program:
    """Asks the API of one address with one token."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token
        self.answered: Counter[int] = Counter()
        """Reads by their status."""
        self.wrong: list[str] = []
        """What may never be answered, whatever is disturbed."""
        self._stopping = threading.Event()
        self._reading = threading.Thread(target=self._read_on, name="reads", daemon=True)

    def start(self) -> None:
        """Read from now on."""
        self._reading.start()

    def stop(self) -> None:
        """Read no more."""
        self._stopping.set()
        if self._reading.is_alive():
            self._reading.join()

    def ask(self, method: str, path: str, body: Mapping[str, object] | None = None, key: str = "") -> Answer:
        """One request, sent once."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        connection = HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_SECONDS)
        try:
            sent = json.dumps(body).encode() if body is not None else None
            connection.request(method, f"/api/v1{path}", sent, headers)
            with connection.getresponse() as response:
                text = response.read()
                replayed = response.headers.get("Idempotency-Replayed") == "true"
                return Answer(response.status, json.loads(text), replayed)
        except (OSError, HTTPException, ValueError):
            return Answer(LOST, {})
        finally:
            connection.close()

    def write(self, path: str, body: Mapping[str, object], key: str, was_done: Callable[[], bool]) -> None:
        """Have something done once, as docs/api.md says: the same key again, until it is known how it ended.

        Raises `AssertionError` for an answer that the API may not give, or that differs when it is given again.
        """
        number = 1
        while True:
            answer = self.ask("POST", path, body, f"{key}-{number}")
            if answer.status in (200, 201):
                break
            if answer.status == 409 and answer.body.get("code") in ("request-running", "request-cut-off"):
                time.sleep(AGAIN_SECONDS)  # nobody runs it: this program sent it and lost the answer
                if was_done():
                    return
                number += 1
                continue
            assert answer.status in (LOST, 503), f"POST {path}: {answer}"
            time.sleep(AGAIN_SECONDS)
        first = answer
        while (answer := self.ask("POST", path, body, f"{key}-{number}")).status in (LOST, 503):
            time.sleep(AGAIN_SECONDS)
        assert answer.is_replayed, f"POST {path} was done again: {answer}"
        assert (answer.status, answer.body) == (first.status, first.body), f"POST {path}: {first}, again {answer}"

    def look(self, path: str) -> Json:
        """What a path says, as soon as it can be had."""
        while (answer := self.ask("GET", path)).status != 200:
            assert answer.status in (LOST, 503), f"GET {path}: {answer}"
            time.sleep(AGAIN_SECONDS)
        return answer.body

    def _read_on(self) -> None:
        while not self._stopping.wait(PAUSE_SECONDS):
            for path in READ:
                answer = self.ask("GET", path)
                self.answered[answer.status] += 1
                self.wrong += wrong_with(path, answer)


def wrong_with(path: str, answer: Answer) -> list[str]:
    """What an answer says that can never be, as lines: the database may be away, figures may not be made up."""
    if answer.status != 200:
        return [] if answer.status in (LOST, 503) else [f"GET {path}: {answer}"]
    items = answer.body.get("items", [])
    if path.startswith("/sweeps"):
        return [f"I1: {each}" for each in items if not _adds_up(each)]
    if path.startswith("/holdings"):
        return [f"I2: {each}" for each in items if not _is_sound(each)]
    return []


def _adds_up(sweep: Json) -> bool:
    """I1 of a sweep, as it is shown."""
    return bool(sweep["expected"] == sweep["matched"] + sweep["diverged"] + sweep["unverified"] > 0)


def _is_sound(holding: Json) -> bool:
    """I2 of a holding, as it is shown: what matched has no difference, what was not read has no figure."""
    if holding["status"] == "unverified":
        return bool(holding["reason"])
    if holding["observed"] is None or holding["difference"] is None:
        return False
    return bool((holding["status"] == "matched") == (int(holding["difference"]) == 0))
