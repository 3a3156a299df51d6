"""The demonstration's firm and chain, to go on from after its clean day."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from chains.devnet.node import AnvilNode
from tests.cli.command import Answer, Firm, custody
from verifier.demo import books
from verifier.demo.world import World, build_world, usdx


@dataclass(frozen=True)
class Scene:
    """A firm before a real chain."""

    firm: Firm
    world: World

    @staticmethod
    def set_up(node: AnvilNode, folder: Path) -> Scene:
        """The firm, its books, and one sweep in which all matched."""
        world = build_world(node)
        assert custody("init", "--dir", folder, "--devnet", node.url, "--firm", "Example Brokerage LLC").code == 0
        scene = Scene(Firm(folder), world)
        books.write_books(world, folder / "books")
        assert scene.firm("import", folder / "books").code == 0
        assert scene.sweep().code == 0
        return scene

    def copied(self, folder: Path) -> Scene:
        """The same firm in a folder of its own. Nothing may have the database open meanwhile."""
        shutil.copytree(self.firm.folder, folder)
        return replace(self, firm=Firm(folder))

    def sweep(self, *options: str) -> Answer:
        """Make all that happened final, and sweep."""
        self.world.confirm()
        return self.firm("sweep", "--json", *options)

    def steal(self) -> str:
        """A payment that nobody approved; returns its transaction."""
        return self.world.pay(self.world.usdx, self.world.omnibus, self.world.stranger, usdx("12345.678901"))

    def export(self, name: str = "audit.zip") -> Path:
        """Export and return the file."""
        path = self.firm.path(name)
        answer = self.firm("export", "--out", path, "--json")
        assert answer.code == 0, answer
        return path

    def verify(self, path: Path, *options: object) -> Answer:
        """Verify with the firm's trusted keys, as JSON."""
        return custody("verify", path, "--trusted-keys", self.firm.path("trusted-keys.json"), *options, "--json")
