"""Where the log goes, and what may stand in it.

    event --> level --> time --> contained --> text or JSON, one line --> standard error, or a file within limits

`contained` is the last word: control characters are escaped, so that no name from outside ends a line or moves a
terminal; what looks like a URL is left out; long texts are cut; of an exception only its kind is told, for its text and
its locals could hold a secret. A log that cannot be written never stops the work: lines go to standard error instead.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
import sys
import time
from collections.abc import Callable, MutableMapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import structlog

if TYPE_CHECKING:
    from verifier.config import LogSettings

TEXT_CHARACTERS_MAX: Final = 2_000
"""Longest text of one field."""
FIELDS_DEEP_MAX: Final = 4
"""Fields inside fields; what is deeper is left out."""
RETRY_SECONDS: Final = 30.0
"""How long after a failure the file is tried again."""

LOCK_TRIES: Final = 20
LOCK_SECONDS: Final = 0.005
"""How often, and after which pause, a process asks whether another is done putting the file aside."""

_URL: Final = re.compile(r"\b([a-zA-Z][a-zA-Z0-9+.-]{1,30})://[^\s'\"<>]*")


def configure_logs(settings: LogSettings | None = None, *, verbose: bool = False) -> None:
    """Send the log of this process, and warnings of the libraries it uses, where the configuration says."""
    level = logging.DEBUG if verbose else getattr(logging, settings.level.upper()) if settings else logging.WARNING
    as_json = settings is not None and settings.form == "json"
    file: StandardError | LogFile = StandardError()
    if settings is not None and settings.file is not None:
        file = LogFile(settings.file, settings.file_bytes_max, settings.files_kept)
    _configured[:] = [file] if isinstance(file, LogFile) else []
    is_terminal = isinstance(file, StandardError) and sys.stderr.isatty()
    colours = not as_json and is_terminal and "NO_COLOR" not in os.environ
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=colours)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            contained,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=file),  # type: ignore[arg-type]  # it writes and flushes
    )
    if settings is not None:
        _hear_libraries()


_configured: Final[list[LogFile]] = []
"""The file of this process, where it has one."""


def log_file_fails() -> bool:
    """Whether the configured log file cannot be written just now, so that lines go to standard error."""
    return any(file.fails for file in _configured)


def contained(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Every field as something that is safe to show; see the module."""
    if (error := event.pop("exc_info", None)) is not None:
        kind = error[0] if isinstance(error, tuple) else type(error) if isinstance(error, BaseException) else None
        kind = sys.exc_info()[0] if error is True else kind
        event["raised"] = getattr(kind, "__name__", "")
    # The renderer writes these on lines of their own.
    shown = {name: value for name, value in event.items() if name not in ("exception", "stack", "stack_info")}
    return {_text(str(name)): _contained(value, 0) for name, value in shown.items()}


def _contained(value: object, deep: int) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if deep >= FIELDS_DEEP_MAX:
        return "…"
    if isinstance(value, dict):
        return {_text(str(name)): _contained(each, deep + 1) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_contained(each, deep + 1) for each in value]
    return _text(type(value).__name__ if isinstance(value, BaseException) else str(value))


def _text(text: str) -> str:
    text = _URL.sub(r"\1://…", text[: 2 * TEXT_CHARACTERS_MAX])
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)
    return shown if len(shown) <= TEXT_CHARACTERS_MAX else f"{shown[: TEXT_CHARACTERS_MAX - 1]}…"


class StandardError:
    """Standard error as it is when a line is written: whoever exchanged it meanwhile gets the line. Never raises."""

    def write(self, text: str) -> int:
        """Write; a stream that is closed or gone gets nothing."""
        _complain(text)
        return len(text)

    def flush(self) -> None:
        """Nothing: every line is written at once."""


class LogFile:
    """A file that is put aside when it is full: FILE, FILE.1 (the newest put aside), FILE.2 and so on.

    It is opened for each line: nothing is held meanwhile, and a file that somebody moves away is begun anew. Several
    processes may write to one file, as commands beside a process that runs: each line is one write, and of those that
    find it full one puts it aside.
    """

    def __init__(
        self, path: Path, bytes_max: int, kept: int, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._path, self._bytes_max, self._kept, self._monotonic = path, bytes_max, kept, monotonic
        self._lock = Lock()
        self._said = False
        self._not_before = float("-inf")

    @property
    def fails(self) -> bool:
        """Whether the file could not be written when it was tried last."""
        return self._said

    def write(self, text: str) -> int:
        """Write, or say it on standard error where the file cannot be written. Never raises."""
        with self._lock:
            if self._monotonic() < self._not_before:
                _complain(text)
                return len(text)
            try:
                self._write(text.encode("utf-8", "backslashreplace"))
            except OSError as error:
                self._not_before = self._monotonic() + RETRY_SECONDS
                if not self._said:
                    self._said = True
                    _complain(f"the log file cannot be written ({error.strerror}); the log goes to standard error\n")
                _complain(text)
            else:
                self._said = False
        return len(text)

    def flush(self) -> None:
        """Nothing: every line is written at once."""

    def _write(self, line: bytes) -> None:
        descriptor = self._opened()
        try:
            size = os.fstat(descriptor).st_size
            if not size or size + len(line) <= self._bytes_max or not self._may_put_aside(descriptor):
                _append(descriptor, line)
                return
            with contextlib.suppress(FileNotFoundError):  # another process did, and has not begun it anew yet
                if os.fstat(descriptor).st_ino == self._path.stat().st_ino:
                    self._put_aside()
        finally:
            os.close(descriptor)
        descriptor = self._opened()
        try:
            _append(descriptor, line)
        finally:
            os.close(descriptor)

    def _opened(self) -> int:
        # What happens in a firm is nobody else's matter on this machine.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        try:
            return os.open(self._path, flags, 0o600)
        except FileNotFoundError:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self._path, flags, 0o600)

    @staticmethod
    def _may_put_aside(descriptor: int) -> bool:
        """Whether no other process is putting the file aside; until it is closed none will."""
        for _ in range(LOCK_TRIES):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(LOCK_SECONDS)
            else:
                return True
        return False  # one that stands still meanwhile: the line goes where it puts the file

    def _put_aside(self) -> None:
        for number in range(self._kept, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path.with_name(f"{self._path.name}.{number - 1}") if number > 1 else self._path
            with contextlib.suppress(FileNotFoundError):
                newer.replace(older)


def _append(descriptor: int, line: bytes) -> None:
    """Write the whole line, or nothing of it: half of one on a full disk would spoil the next."""
    written = os.write(descriptor, line)
    if written == len(line):
        return
    try:
        while written < len(line):
            written += os.write(descriptor, line[written:])
    except OSError:
        end = os.lseek(descriptor, 0, os.SEEK_CUR)
        if os.fstat(descriptor).st_size == end:  # nobody wrote after it
            os.ftruncate(descriptor, end - written)
        raise


def _complain(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()


class _Through(logging.Handler):
    """Warnings of libraries go the way of our own."""

    def emit(self, record: logging.LogRecord) -> None:
        if not structlog.is_configured():
            return  # it would print to standard output, which belongs to what a command answers
        log = structlog.get_logger(record.name)
        say = log.error if record.levelno >= logging.ERROR else log.warning
        with contextlib.suppress(Exception):
            say(record.getMessage(), exc_info=record.exc_info) if record.exc_info else say(record.getMessage())


def _hear_libraries() -> None:
    root = logging.getLogger()
    if not any(isinstance(each, _Through) for each in root.handlers):
        root.addHandler(_Through(level=logging.WARNING))
