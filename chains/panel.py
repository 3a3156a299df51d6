"""Putting one question to all nodes of a chain at once, and leaving out those that fail while a quorum stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from chains.agreement import Witness, joined_node_ids, operator_count
from chains.errors import ChainError, QuorumNotReached, ReadError
from chains.reader import ChainReader

Answer = TypeVar("Answer")

Failures = dict[Witness, ChainError]
"""The nodes that gave no usable answer, and why."""


class Panel:
    """The readers of one chain, one for each node."""

    def __init__(self, readers: Mapping[Witness, ChainReader], quorum: int) -> None:
        self.readers: Final = dict(readers)
        """In the order of the configuration."""
        self.left_out: dict[Witness, str] = {}
        """The nodes that are asked nothing while a quorum stands without them, and why: code and sentence."""
        self._quorum: Final = quorum

    @property
    def present(self) -> tuple[Witness, ...]:
        """The nodes that are asked, in the order of the configuration."""
        return tuple(node for node in self.readers if node not in self.left_out)

    def ask(self, question: Callable[[ChainReader], Answer]) -> dict[Witness, Answer]:
        """The answers of at least a quorum of operators, in the order of the configuration.

        A node that fails is left out from then on. When there would be no quorum without them, those left out earlier
        prove who they are and are asked too. When there is none all the same, nobody is newly left out, and the error
        is of the kind of all the failures where they are of one kind, else `QuorumNotReached`.
        """
        answers, failures = self.put(self.present, lambda _, reader: question(reader))
        if operator_count(answers) < self._quorum and self.left_out:

            def ask_again(_: Witness, reader: ChainReader) -> Answer:
                reader.identify()
                return question(reader)

            returned, still_failing = self.put(tuple(self.left_out), ask_again)
            answers, failures = answers | returned, failures | still_failing
        if operator_count(answers) < self._quorum:
            raise self._failure(answers, failures)
        for node in answers:
            self.left_out.pop(node, None)
        self.leave_out(failures)
        return {node: answers[node] for node in self.readers if node in answers}

    def put(
        self, nodes: Iterable[Witness], question: Callable[[Witness, ChainReader], Answer]
    ) -> tuple[dict[Witness, Answer], Failures]:
        """Put a question to nodes at the same time, each in a thread of its own, and wait for all of them."""
        answers: dict[Witness, Answer] = {}
        failures: Failures = {}
        with ThreadPoolExecutor(len(self.readers)) as pool:
            pending = {node: pool.submit(question, node, self.readers[node]) for node in nodes}
            for node, future in pending.items():
                try:
                    answers[node] = future.result()
                except ChainError as error:
                    failures[node] = error
        return answers, failures

    def leave_out(self, failures: Failures) -> None:
        """Ask these nodes nothing from now on, while a quorum stands without them."""
        for node, error in failures.items():
            self.left_out[node] = f"{error.code}: {error}"

    def _failure(self, answers: Mapping[Witness, object], failures: Failures) -> ChainError:
        """One error for many, of their own kind where they have one, so that a caller can act on it."""
        text = f"{operator_count(answers)} of the {self._quorum} operators needed answered: " + "; ".join(
            str(error) if getattr(error, "node_id", "") else f"node {node.node_id}: {error}"
            for node, error in failures.items()
        )
        kinds = {_own_kind(error) for error in failures.values()}
        kind = kinds.pop() if len(kinds) == 1 else QuorumNotReached
        return kind(text, node_id=joined_node_ids(self.readers)) if issubclass(kind, ReadError) else kind(text)


def _own_kind(error: ChainError) -> type[ChainError]:
    """The nearest class of `chains.errors`: what an adapter derives from it may be made in another way."""
    return next(kind for kind in type(error).__mro__ if kind.__module__ == ChainError.__module__)
