"""The commands' clock, which a test turns."""

from __future__ import annotations

import importlib
import pkgutil
from datetime import datetime

import pytest

import verifier.cli


def turned_clock(monkeypatch: pytest.MonkeyPatch, at: datetime) -> list[datetime]:
    """Every command takes the one moment of this list for now."""
    moment = [at]
    for found in pkgutil.iter_modules(verifier.cli.__path__):
        module = importlib.import_module(f"verifier.cli.{found.name}")
        if hasattr(module, "now"):
            monkeypatch.setattr(module, "now", lambda: moment[0])
    return moment
