"""Errors say which node's answer they are about, also those of code that decodes without knowing whose it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from chains.errors import ReadError


class _OfNode(Protocol):
    @property
    def node_id(self) -> str:
        """The node that is asked."""


S = TypeVar("S", bound=_OfNode)
P = ParamSpec("P")
R = TypeVar("R")


def names_its_node(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Put the reader's own node on a `ReadError` of its method that names none."""

    @wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(self, *args, **kwargs)
        except ReadError as error:
            error.name_node(self.node_id)
            raise

    return call
