"""Which installed plugin opens which sources (entry points `custody_verifier.statements`)."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Final, cast

from verifier.statement_sources.types import SourceFailed, StatementPlugin

ENTRY_POINT_GROUP: Final = "custody_verifier.statements"
BUILT_IN: Final = {"https": "verifier.statement_sources.https:plugin"}
"""What no other package can take the place of."""


def installed_plugins() -> tuple[str, ...]:
    """The names of all plugins, sorted; nothing is loaded."""
    return tuple(sorted({*BUILT_IN, *(entry.name for entry in entry_points(group=ENTRY_POINT_GROUP))}))


def statement_plugin(name: str) -> StatementPlugin:
    """The plugin of a name. Raises `SourceFailed` where there is none, two, or one that is not what it says."""
    found = {entry.value: entry for entry in entry_points(group=ENTRY_POINT_GROUP, name=name)}
    if name in BUILT_IN:
        found.setdefault(BUILT_IN[name], EntryPoint(name, BUILT_IN[name], ENTRY_POINT_GROUP))
    if not found:
        known = ", ".join(installed_plugins()) or "none"
        raise SourceFailed("config", f"no plugin {name} is installed (installed: {known})")
    if len(found) > 1:
        raise SourceFailed("config", f"two plugins are installed as {name}; uninstall one")
    try:
        plugin = cast("StatementPlugin", next(iter(found.values())).load())
    except (ImportError, AttributeError) as error:
        raise SourceFailed("config", f"the plugin {name} cannot be loaded: {type(error).__name__}") from None
    if getattr(plugin, "name", None) != name:
        raise SourceFailed("config", f"the plugin registered as {name} calls itself otherwise")
    return plugin
