"""A file system of a known size, to be filled to its last byte."""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

LIBC = ctypes.CDLL(None, use_errno=True)


@contextmanager
def small_disk(size_bytes: int) -> Iterator[Path]:
    """A file system of its own, of a known size. The test is skipped where this user may not mount one."""
    folder = Path(tempfile.mkdtemp(prefix="custody-small-disk-"))
    folder.chmod(0o755)  # the server may run as another user
    if LIBC.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, f"size={size_bytes},mode=0755".encode()):
        folder.rmdir()
        pytest.skip(f"no file system can be mounted here: {os.strerror(ctypes.get_errno())}")
    try:
        yield folder
    finally:
        LIBC.umount2(str(folder).encode(), 2)  # MNT_DETACH: whoever still has a file open keeps it
        with suppress(OSError):
            folder.rmdir()


def fill(folder: Path) -> None:
    """Leave not one byte."""
    ballast = os.open(folder / "ballast", os.O_WRONLY | os.O_CREAT)
    try:
        for size in (1 << 16, 512):
            with suppress(OSError):
                while os.write(ballast, b"x" * size):
                    pass
    finally:
        os.close(ballast)
    assert not shutil.disk_usage(folder).free
