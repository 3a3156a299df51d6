"""Which installed adapter reads which chain, by CAIP-2 namespace (entry points `custody_verifier.chains`)."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import cast

from chains.errors import ChainConfigError, UnknownChain
from chains.reader import ChainConfig, ChainPlugin, ChainReader, NodeConfig
from chains.types import ChainId, chain_namespace

ENTRY_POINT_GROUP = "custody_verifier.chains"


def installed_namespaces() -> tuple[str, ...]:
    """The CAIP-2 namespaces an adapter is installed for, sorted; nothing is loaded."""
    return tuple(sorted({entry.name for entry in entry_points(group=ENTRY_POINT_GROUP)}))


@cache
def _load(namespace: str) -> ChainPlugin:
    found = entry_points(group=ENTRY_POINT_GROUP, name=namespace)
    targets = {entry.value for entry in found}
    if not targets:
        known = ", ".join(installed_namespaces()) or "none"
        raise UnknownChain(f"no adapter reads {namespace} chains (installed: {known})")
    if len(targets) > 1:
        raise ChainConfigError(f"two adapters are installed for {namespace} chains; uninstall one")
    try:
        plugin = cast("ChainPlugin", next(iter(found)).load())
    except (ImportError, AttributeError) as error:
        raise ChainConfigError(f"the adapter of {namespace} chains cannot be loaded: {error}") from error
    if plugin.namespace != namespace:
        raise ChainConfigError(f"the adapter registered for {namespace} says it is for {plugin.namespace}")
    return plugin


def plugin_for(chain_id: ChainId) -> ChainPlugin:
    """The adapter of a chain, loaded at first use; raises `UnknownChain` when none is installed."""
    return _load(chain_namespace(chain_id))


def open_reader(config: ChainConfig, node: NodeConfig) -> ChainReader:
    """A reader of the chain through one node. The caller closes it."""
    return plugin_for(config.chain_id).open(config, node)
