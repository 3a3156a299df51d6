"""Looking for an event in a transaction's receipt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Log:
    """An event with the arguments it should carry, after the manner of pytest-ethereum.

        assert Log(token.events.Transfer, receiver=accounts[1], amount=5).is_present(receipt)

    Arguments that are not named may be anything. Logs of other contracts and events never count.
    """

    def __init__(self, event: Any, **args: object) -> None:
        """
        Args:
            event: An event of a web3 contract that has an address, for example `token.events.Transfer`.
            args: Expected values by the event's own argument names. A name it does not have is a ValueError,
                for a misspelt name would be an assertion that can never hold.
        """
        self._event = event() if isinstance(event, type) else event
        self._args = args
        names = {entry["name"] for entry in self._event.abi["inputs"]}
        if unknown := sorted(set(args) - names):
            raise ValueError(f"event {self._event.event_name} has no argument {', '.join(unknown)}")

    def matches(self, receipt: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The arguments of every log of the receipt that is this event of this contract with these values."""
        from web3.logs import DISCARD

        own = {**receipt, "logs": [log for log in receipt["logs"] if self._is_own(log)]}
        found = [dict(log["args"]) for log in self._event.process_receipt(own, errors=DISCARD)]
        return [args for args in found if all(args[name] == value for name, value in self._args.items())]

    def is_present(self, receipt: Mapping[str, Any]) -> bool:
        """Whether the receipt has at least one such log."""
        return bool(self.matches(receipt))

    def not_present(self, receipt: Mapping[str, Any]) -> bool:
        """Whether the receipt has no such log."""
        return not self.matches(receipt)

    def _is_own(self, log: Mapping[str, Any]) -> bool:
        address = self._event.address
        return address is None or str(log["address"]).lower() == str(address).lower()
