"""What the tests of the importer share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mapping.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk at which clients, assets, wallets and a pool are known."""
    return Desk(tmp_path)


@pytest.fixture
def empty_desk(tmp_path: Path) -> Desk:
    """A desk at which nothing is known."""
    return Desk(tmp_path, empty=True)
