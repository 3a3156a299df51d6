"""Writing: a bundle appears whole or not at all, whatever happens, and a retry gives the same digest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from exports.bundle import bundle_digest, write_bundle
from exports.errors import BundleNotWritten
from exports.strictzip import write_zip
from tests.exports.sample import Firm, make_firm, sample_bundle, small_bundle, verify, write


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


class Crash(BaseException):
    """The process ends here."""


@contextmanager
def failing_at(call: int, error: Callable[[], BaseException], patch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Let the n-th system call of writing fail: open, write, flush to disk, rename."""
    made: list[str] = []

    def wrapped(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call_it(*arguments: Any, **options: Any) -> Any:
            made.append(name)
            if len(made) == call:
                raise error()
            return real(*arguments, **options)

        return call_it

    with patch.context() as patched:
        patched.setattr(os, "open", wrapped("open", os.open))
        patched.setattr(os, "fsync", wrapped("fsync", os.fsync))
        patched.setattr("exports.bundle.write_zip", wrapped("write", write_zip))
        patched.setattr(Path, "replace", wrapped("replace", Path.replace))
        yield made


@pytest.mark.fault("E13")
@pytest.mark.parametrize("error", [lambda: OSError(28, "No space left on device"), Crash])
def test_a_failure_at_any_call_leaves_the_old_file_or_the_new_one(
    error: Callable[[], BaseException], tmp_path: Path, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, firm, small_bundle())
    old, new = bundle_digest(small_bundle()), bundle_digest(sample_bundle())
    call = 0
    while True:
        call += 1
        with failing_at(call, error, monkeypatch) as made:
            try:
                write_bundle(sample_bundle(), [firm.signer], path)
            except (BundleNotWritten, Crash) as caught:
                told = str(caught)
            else:
                break
        assert str(tmp_path) not in told
        report = verify(path, firm.trusted)
        assert report.exit_code == 0
        assert report.bundle is not None
        assert report.bundle.digest in (old, new)
        assert list(tmp_path.iterdir()) == [path], f"something is left behind after call {call}, {made[-1]}"
    assert set(made) == {"open", "write", "fsync", "replace"}
    assert call == len(made) + 1 >= 6
    report = verify(path, firm.trusted)
    assert report.bundle is not None
    assert report.bundle.digest == new


@pytest.mark.fault("E13")
def test_the_folder_is_flushed_after_the_rename(tmp_path: Path, firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    with failing_at(0, Crash, monkeypatch) as made:
        write(tmp_path, firm, small_bundle())
    assert made == ["open", "write", "fsync", "replace", "open", "fsync"]


@pytest.mark.fault("E13")
def test_kill_at_any_moment_never_shows_half_a_file(tmp_path: Path, firm: Firm) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from exports.bundle import write_bundle; from exports.keys import load_signer\n"
        "from tests.exports.sample import sample_bundle\n"
        "signer = load_signer('file2:' + sys.argv[1]); print('ready', flush=True)\n"
        "while True: write_bundle(sample_bundle(), [signer], Path(sys.argv[2]))\n"
    )
    path = tmp_path / "bundle.zip"
    digests = set()
    for delay, wait_for_file in ((0.001, False), (0.004, False), (0.009, False), (0.017, False), (0.031, True)):
        arguments = [sys.executable, "-c", program, str(firm.private_path), str(path)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(delay)
            deadline = time.monotonic() + 120
            while wait_for_file and not path.exists() and time.monotonic() < deadline:
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
        if path.exists():
            report = verify(path, firm.trusted)
            assert report.exit_code == 0
            assert report.bundle is not None
            digests.add(report.bundle.digest)
    assert digests == {bundle_digest(sample_bundle())}


@pytest.mark.fault("E13")
def test_a_folder_that_is_not_there_is_told_plainly(tmp_path: Path, firm: Firm) -> None:
    with pytest.raises(BundleNotWritten, match=r"bundle\.zip: No such file"):
        write(tmp_path / "missing", firm, small_bundle())


@pytest.mark.fault("E16")
def test_no_secret_url_or_path_is_in_the_file(tmp_path: Path, firm: Firm) -> None:
    data = write(tmp_path, firm, sample_bundle()).read_bytes()
    assert b"node-a" in data
    for secret in (b"://", b"PRIVATE", b"PUBLIC", str(tmp_path).encode(), str(firm.private_path).encode()):
        assert secret not in data
