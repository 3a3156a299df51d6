"""Errors name the node they are about, once."""

from __future__ import annotations

import pytest

from chains.bitcoin.follower import NotOnboarded
from chains.errors import InvalidValue, MalformedAnswer, NodeRefused, ReadError
from chains.naming import names_its_node


class Reader:
    """Fails as it is told."""

    node_id = "own-node"

    @names_its_node
    def fail(self, error: Exception) -> None:
        raise error


@pytest.mark.parametrize("error", [MalformedAnswer("no JSON"), NotOnboarded(7, 3)])
def test_an_error_without_a_node_gets_the_readers(error: ReadError) -> None:
    said = str(error)
    with pytest.raises(type(error)) as caught:
        Reader().fail(error)
    assert caught.value is error, "what else it carries stays with it"
    assert (caught.value.node_id, str(caught.value)) == ("own-node", f"node own-node: {said}")


def test_an_error_of_another_node_keeps_its_name() -> None:
    with pytest.raises(NodeRefused) as caught:
        Reader().fail(NodeRefused("no", node_id="other"))
    assert (caught.value.node_id, str(caught.value)) == ("other", "node other: no")


def test_other_errors_pass() -> None:
    with pytest.raises(InvalidValue, match=r"^five$"):
        Reader().fail(InvalidValue("five"))
