"""A plugin whose readers call back before or after a method: the moment in mid sweep at which something happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chains.reader import ChainConfig, ChainPlugin, ChainReader, NodeConfig
from chains.types import Address, AssetId, ChainId

Hook = Callable[[], None]


class HookedPlugin:
    """Opens another plugin's readers; `before` and `after` name a reader's method and what to do then.

    A hook runs at every call; one that is to run once says so itself (`once`).
    """

    def __init__(
        self, plugin: ChainPlugin, *, before: dict[str, Hook] | None = None, after: dict[str, Hook] | None = None
    ) -> None:
        self._plugin = plugin
        self.namespace = plugin.namespace
        self.before, self.after = before or {}, after or {}

    def parse_address(self, chain_id: ChainId, text: str) -> Address:
        """As the plugin behind it."""
        return self._plugin.parse_address(chain_id, text)

    def parse_asset_id(self, text: str) -> AssetId:
        """As the plugin behind it."""
        return self._plugin.parse_asset_id(text)

    def open(
        self, config: ChainConfig, node: NodeConfig, *, capabilities: Mapping[str, str] | None = None
    ) -> ChainReader:
        """A reader of the plugin behind it that calls back."""
        reader = self._plugin.open(config, node, capabilities=capabilities)
        return _HookedReader(reader, self)


class _HookedReader:
    def __init__(self, reader: ChainReader, hooks: HookedPlugin) -> None:
        self._reader, self._hooks = reader, hooks

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._reader, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            if hook := self._hooks.before.get(name):
                hook()
            answer = found(*args, **kwargs)
            if hook := self._hooks.after.get(name):
                hook()
            return answer

        return call


def times(count: int, hook: Hook) -> Hook:
    """A hook that does something the first so many times, and nothing after."""
    left = count

    def limited() -> None:
        nonlocal left
        if left:
            left -= 1
            hook()

    return limited
