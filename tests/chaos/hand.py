"""The hand that disturbs: chosen by a seed are what it strikes, when and for how long."""

from __future__ import annotations

import heapq
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count

from tests.chaos.bitcoin_machine import BitcoinMachine
from tests.chaos.channel import Channel
from tests.chaos.company import LEASE, WEB, Company
from tests.chaos.gate import Gate
from tests.chaos.machines import Node, Server

VISITOR = "visitor"
"""The name under which people's commands run."""
NODE, NETWORK, BEHIND, LIE = "killed a node", "cut a network", "held a node back", "had a node lie"
BITCOIN, BITCOIN_NETWORK = "killed the Bitcoin node", "cut the Bitcoin network"
LOST = (NODE, NETWORK, BEHIND, LIE, BITCOIN, BITCOIN_NETWORK)
JUMPS = (-86_400, -3_600, -7, 7, 3_600, 86_400)


class Hand:
    """Strikes while a chapter is played. What it began is over before the chapter is."""

    def __init__(
        self,
        seed: int,
        company: Company,
        server: Server,
        nodes: Sequence[Node],
        bitcoin: BitcoinMachine,
        *,
        strikes_nodes: bool,
        lied_about: tuple[str, str] = ("", ""),
    ) -> None:
        """`strikes_nodes`: nodes and the ways to them are lost at times, too; of the nodes of one chain, one in each
        chapter. `lied_about`: the wallet and the token of which such a node may tell lies.
        """
        self.random = random.Random(f"hand {seed}")
        self.company, self.server, self.nodes, self.bitcoin = company, server, nodes, bitcoin
        self.victim = nodes[0]
        """Which of the nodes of the Ethereum chain can be struck in this chapter."""
        self.lied_about = lied_about
        self.struck: Counter[str] = Counter()
        """How often what was struck, for the report."""
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._kinds: list[Callable[[], None]] = [
            *[self.kill_service] * 4,
            *[self.kill_web] * 2,
            *[self.sleep_service] * 2,
            *[self.kill_visitor] * 2,
            *[self.kill_server] * 2,
            self.kill_connection,
            self.pause_network,
            self.jump,
        ]
        if strikes_nodes:
            self._kinds += [
                *[self.kill_node] * 3,
                *[self.cut_network] * 3,
                *[self.hold_back] * 3,
                *[self.make_lie] * 3,
                *[self.kill_bitcoin] * 3,
                *[self.cut_bitcoin] * 2,
            ]

    def plan(self, seconds: float) -> None:
        """Choose the strikes of a chapter that takes about so long undisturbed."""
        self.victim = self.random.choice(self.nodes)
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
        return any(self.struck[kind] for kind in LOST)

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
        """A scheduler, a worker or the API dies, and is started again at once."""
        name = self.random.choice(sorted(self.company.services))
        self.note(f"killed {name}", self.company.kill(name))

    def kill_visitor(self) -> None:
        """The command that somebody gave dies."""
        self.note("killed a command", self.company.kill(VISITOR))

    def sleep_service(self) -> None:
        """A scheduler, a worker or the API stands still, sometimes for longer than its lease lasts."""
        name, seconds = self.random.choice(sorted(self.company.services)), self.random.uniform(0.1, 2.5 * LEASE)
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

    def kill_web(self) -> None:
        """The API dies, perhaps while it does what somebody asked."""
        self.note(f"killed {WEB}", self.company.kill(WEB))

    def kill_node(self) -> None:
        """A node dies, and comes back with its chain."""
        node = self.victim
        node.kill()
        self.note(NODE)
        self.later(self.random.uniform(0, 2), node.bring_back)

    def kill_bitcoin(self) -> None:
        """The only node of a chain dies, and comes back with its chain and its pool."""
        self.bitcoin.kill()
        self.note(BITCOIN)
        self.later(self.random.uniform(0, 2), self.bitcoin.bring_back)

    def hold_back(self) -> None:
        """A node falls behind by a chapter, and catches up after a while."""
        node = self.victim
        node.fall_behind()
        self.note(BEHIND)
        self.later(self.random.uniform(1, 6), node.be_well)

    def make_lie(self) -> None:
        """A node invents balances and hides movements, and tells the truth again after a while."""
        node = self.victim
        node.lie(*self.lied_about)
        self.note(LIE)
        self.later(self.random.uniform(1, 6), node.be_well)

    def cut_network(self) -> None:
        """Requests to a node are lost for a while, some in the middle of their answer."""
        self.cut(self.victim.gate, NETWORK)

    def cut_bitcoin(self) -> None:
        """So are those to the Bitcoin node."""
        self.cut(self.bitcoin.channel, BITCOIN_NETWORK)

    def cut(self, way: Gate | Channel, kind: str) -> None:
        """Lose what passes there, until it passes again."""
        way.is_cut = True
        self.note(kind)

        def join() -> None:
            way.is_cut = False

        self.later(self.random.uniform(0.1, 2), join)

    def pause_network(self) -> None:
        """Nothing passes for a while, and then all of it."""
        ways: list[Gate | Channel] = [*(node.gate for node in self.nodes), self.bitcoin.channel]
        self.random.choice(ways).stand_still(self.random.uniform(0.5, 3))
        self.note("paused a network")

    def jump(self) -> None:
        """The machine's clock is wrong from now on, or right again."""
        self.company.set_clock(self.random.choice((0, *JUMPS)))
        self.note("moved the clock")


def summary(struck: Counter[str]) -> Sequence[str]:
    """What was struck how often, in words."""
    return [f"{kind}: {times}" for kind, times in sorted(struck.items())]
