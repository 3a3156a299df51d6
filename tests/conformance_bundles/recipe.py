"""What one bundle of the conformance folder is: its bytes, who reads it, and which check must refuse it.

One function makes one bundle. To add one, write a function with `@bad(CHECK, "what is wrong")` or `@good("what it
shows")` in the module of its check, and run `python -m tests.conformance_bundles.make --index`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from exports.bundle import Bundle
from exports.profiles import Profile
from tests.conformance_bundles.firm import SIGNERS, TRUSTED
from tests.exports.sample import pack, signed_members
from tests.exports.test_own_node import OwnNode


@dataclass(frozen=True)
class Made:
    """The bytes of a file, and what its reader has besides it."""

    data: bytes
    trusted: str = TRUSTED
    """Name of the reader's file of trusted keys."""
    after: tuple[int, str] | None = None
    """Sequence number and digest of an earlier bundle that this one must follow."""
    node: OwnNode | None = None
    """What the reader's own node says; None for a reader without one."""
    profile: Profile | None = None
    """The profile that the reader asked for; None for one who asked for nothing less than a full bundle."""


@dataclass(frozen=True)
class Recipe:
    """One bundle."""

    name: str
    what: str
    make: Callable[[], Made]
    check: int | None
    """The check that must refuse it; None for a good one."""
    also: tuple[int, ...] = ()
    """Checks that cannot help refusing it too."""
    possible: bool = True
    """False where the check cannot be made, instead of contradicting."""
    node_says: str = field(default="", kw_only=True)
    """What the reader's own node says, in words; empty for a reader without one."""

    @property
    def file(self) -> str:
        """Its place in the folder."""
        return f"{'good' if self.check is None else 'bad'}/{self.name}.zip"


RECIPES: dict[str, Recipe] = {}
"""All of them by name, in the order in which they are written."""

Maker = Callable[[], "Made | Bundle | bytes"]


def good(what: str) -> Callable[[Maker], Maker]:
    """The function makes a bundle that every check accepts."""
    return lambda maker: _enter(maker, Recipe(_name(maker), what, lambda: _made(maker()), None))


def bad(
    check: int, what: str, *, also: tuple[int, ...] = (), possible: bool = True, node_says: str = ""
) -> Callable[[Maker], Maker]:
    """The function makes a bundle that this check, and no other but those of `also`, refuses."""
    return lambda maker: _enter(
        maker,
        Recipe(_name(maker), what, lambda: _made(maker()), check, also, possible, node_says=node_says),
    )


def _enter(maker: Maker, recipe: Recipe) -> Maker:
    if recipe.name in RECIPES:
        raise ValueError(f"two recipes have the name {recipe.name}")
    RECIPES[recipe.name] = recipe
    return maker


def _name(maker: Maker) -> str:
    return maker.__name__.replace("_", "-")


def _made(found: Made | Bundle | bytes) -> Made:
    """A bundle is signed by everybody who should sign it, and packed as it must be."""
    if isinstance(found, Bundle):
        return Made(pack(signed_members(found, SIGNERS)))
    return found if isinstance(found, Made) else Made(found)


def read_by(bundle: Bundle, node: OwnNode) -> Made:
    """A bundle whose reader asks a node of their own."""
    return replace(_made(bundle), node=node)
