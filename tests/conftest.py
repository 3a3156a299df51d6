"""What every test of the project has at hand."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is slow, not wrong: how long one example takes is the benchmarks' question.
settings.register_profile("project", deadline=None, print_blob=True)
settings.load_profile("project")

pytest_plugins = ["pytester", "tests.fault_report"]
