"""What every test of the project has at hand."""

from __future__ import annotations

pytest_plugins = ["pytester", "tests.fault_report"]
