"""The hand that disturbs: chosen by a seed are what it strikes, when and for how long."""

from __future__ import annotations

import heapq
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count

from tests.chaos.company import LEASE, SERVICES, Company
from tests.chaos.gate import Gate
from tests.chaos.machines import Node, Server

VISITOR = "visitor"
"""The name under which people's commands run."""
JUMPS = (-86_400, -3_600, -7, 7, 3_600, 86_400)


class Hand:
    """Strikes while a chapter is played. What it began is over before the chapter is."""

    def __init__(
        self, seed: int, company: Company, server: Server, node: Node, gate: Gate, *, strikes_nodes: bool
    ) -> None:
        """`strikes_nodes`: the node and the way to it are lost at times, too."""
        self.random = random.Random(f"hand {seed}")
        self.company, self.server, self.node, self.gate = company, server, node, gate
        self.struck: Counter[str] = Counter()
        """How often what was struck, for the report."""
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._kinds: list[Callable[[], None]] = [
            *[self.kill_service] * 4,
            *[self.sleep_service] * 2,
            *[self.kill_visitor] * 2,
            *[self.kill_server] * 2,
            self.kill_connection,
            self.pause_network,
            self.jump,
        ]
        if strikes_nodes:
            self._kinds += [*[self.kill_node] * 4, *[self.cut_network] * 4]

    def plan(self, seconds: float) -> None:
        """Choose the strikes of a chapter that takes about so long undisturbed."""
        for _ in range(self.random.randint(2, 5)):
            self.later(self.random.uniform(0, 1.3 * seconds), self.random.choice(self._kinds))

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something then."""
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), act))

    def turn(self) -> None:
        """Do what is due."""
        while self._due and self._due[0][0] <= time.monotonic():
            heapq.heappop(self._due)[2]()

    @property
    def has_lost_nodes(self) -> bool:
        """Whether a node was away at any time."""
        return bool(self.struck["killed the node"] + self.struck["cut the network"])

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to come, and nothing is disturbed any more."""
        return not self._due

    def note(self, kind: str, happened: bool = True) -> None:
        """Count a strike that met something."""
        if happened:
            self.struck[kind] += 1

    # What can happen

    def kill_service(self) -> None:
        """A scheduler or a worker dies, and is started again at once."""
        name = self.random.choice(sorted(SERVICES))
        self.note(f"killed {name}", self.company.kill(name))

    def kill_visitor(self) -> None:
        """The command that somebody gave dies."""
        self.note("killed a command", self.company.kill(VISITOR))

    def sleep_service(self) -> None:
        """A scheduler or a worker stands still, sometimes for longer than its lease lasts."""
        name, seconds = self.random.choice(sorted(SERVICES)), self.random.uniform(0.1, 2.5 * LEASE)
        self.note(f"{name} slept", self.company.sleep(name))
        self.later(seconds, lambda: self.company.wake(name))

    def kill_server(self) -> None:
        """PostgreSQL dies, and comes back after a while."""
        self.server.kill()
        self.note("killed PostgreSQL")
        self.later(self.random.uniform(0, 2), self.server.bring_back)

    def kill_connection(self) -> None:
        """One process of PostgreSQL dies."""
        self.server.kill_one_connection(self.random)
        self.note("killed a process of PostgreSQL")

    def kill_node(self) -> None:
        """The node dies, and comes back with its chain."""
        self.node.kill()
        self.note("killed the node")
        self.later(self.random.uniform(0, 2), self.node.bring_back)

    def cut_network(self) -> None:
        """Requests are lost for a while, some in the middle of their answer."""
        self.gate.is_cut = True
        self.note("cut the network")
        self.later(self.random.uniform(0.1, 2), self.join_network)

    def join_network(self) -> None:
        """Requests pass again."""
        self.gate.is_cut = False

    def pause_network(self) -> None:
        """Nothing passes for a while, and then all of it."""
        self.gate.stand_still(self.random.uniform(0.5, 3))
        self.note("paused the network")

    def jump(self) -> None:
        """The machine's clock is wrong from now on, or right again."""
        self.company.set_clock(self.random.choice((0, *JUMPS)))
        self.note("moved the clock")


def summary(struck: Counter[str]) -> Sequence[str]:
    """What was struck how often, in words."""
    return [f"{kind}: {times}" for kind, times in sorted(struck.items())]
