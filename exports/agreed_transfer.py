"""Whether movements on a chain are the small transfer that a challenge agreed on. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from chains.types import Address, Transfer
from exports.key_challenge import KeyChallenge, transfer_amount

_TX_ID: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class TransferProblem(NamedTuple):
    """Why something is not the agreed transfer."""

    code: str
    text: str


def transfer_problem(
    challenge: KeyChallenge, address: Address, tx_id: str, moved: Iterable[Transfer]
) -> TransferProblem | None:
    """Why a transaction is not the transfer that the challenge agreed on with a wallet; None when it is.

    What it moves from the wallet to the agreed address must be exactly the amount, in all its parts, in a block above
    the challenge's and before the challenge expires. `moved` are final movements of the wallet.
    """
    if not _TX_ID.fullmatch(tx_id):
        return TransferProblem("signature-form", "a transfer is named by its transaction id, 64 lower-case hex digits")
    paid = [
        each.base_units
        for each in moved
        if each.tx_id == tx_id
        and (each.sender, each.receiver) == (address, challenge.transfer_to)
        and each.block.height > challenge.height
        and each.block.timestamp < challenge.expires_at
    ]
    if not paid:
        return TransferProblem(
            "no-such-transfer",
            "no final block above the challenge's has such a transfer from the wallet to the agreed address; "
            "if it waits for confirmations, give the answer again",
        )
    wanted = transfer_amount(challenge, address)
    if sum(paid) != wanted:
        return TransferProblem("wrong-amount", f"the transfer is of {sum(paid)} base units, and not of {wanted}")
    return None
