"""The roles of bitcoinlib, an optional extra (decision 0004): a second opinion and a second signer, for tests only.

    blocks     a second decoder of whole blocks, which must agree with ours
    keys       public derivation (BIP-32), which must agree with ours
    signed     payments signed for the test node
    scripts, addresses   what it makes of addresses and scripts; wrong in cases that are kept as tests

It runs in a process of its own: importing it makes files, so it gets a private folder; and it is cut off from the
network, since it would ask strangers about addresses. `ask` starts that process; nothing else here imports bitcoinlib.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

SECONDS_MAX: Final = 120
ROOT: Final = Path(__file__).parents[3]

Asked = Mapping[str, Sequence[Any]]
"""Per role, what is asked."""


class SecondOpinionFailed(Exception):
    """The process with bitcoinlib did not answer."""


def is_installed() -> bool:
    """Whether the extra `bitcoinlib` is there."""
    return importlib.util.find_spec("bitcoinlib") is not None


def ask(folder: Path, asked: Asked) -> dict[str, list[Any]]:
    """The answers of bitcoinlib, each in its order, from a process whose files are all in a folder.

    Raises `SecondOpinionFailed` with the end of what it said.
    """
    ended = subprocess.run(  # noqa: S603 - this module itself
        [sys.executable, "-W", "ignore", "-m", __name__],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
        cwd=folder,
        env={
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
            "BCL_DATA_DIR": str(folder / "bitcoinlib"),
            "LC_ALL": "C.UTF-8",
        },
    )
    if ended.returncode:
        raise SecondOpinionFailed(ended.stderr[-2000:])
    answered: dict[str, list[Any]] = json.loads(ended.stdout.splitlines()[-1])
    return answered


def _block(raw: str) -> dict[str, Any]:
    from bitcoinlib.blocks import Block

    block = Block.parse(bytes.fromhex(raw), parse_transactions=True)
    return {
        "hash": block.block_hash.hex(),
        "merkle_root": block.merkle_root.hex(),
        "transactions": [
            {
                "txid": each.txid,
                "inputs": [[i.prev_txid.hex(), i.output_n_int, i.unlocking_script.hex()] for i in each.inputs],
                "outputs": [[o.value, (o.lock_script or o.script.serialize()).hex()] for o in each.outputs],
            }
            for each in block.transactions
        ],
    }


def _key(asked: Mapping[str, Any]) -> dict[str, str]:
    """The extended key below another by unhardened steps, and its public key."""
    from bitcoinlib.keys import HDKey

    key = HDKey(asked["key"], network=asked["network"])
    for step in asked["steps"]:
        key = key.child_public(step)
    return {"key": key.wif_public(), "public_key": key.public_hex}


def _signed(payment: Mapping[str, Any]) -> str:
    from bitcoinlib.keys import Key
    from bitcoinlib.transactions import Transaction

    key = Key(payment["secret"], network="regtest")
    kind = {"p2wpkh": "segwit", "p2sh-p2wpkh": "p2sh-segwit", "p2pkh": "legacy"}[payment["kind"]]
    made = Transaction(network="regtest", witness_type="legacy" if kind == "legacy" else "segwit")
    # Told the output script as well, 0.7.10 signs P2SH-P2WPKH for a script that is not the one behind the address.
    made.add_input(payment["txid"], payment["vout"], keys=key, value=payment["value"], witness_type=kind)
    for value, output in payment["outputs"]:
        made.add_output(value, lock_script=bytes.fromhex(output))
    made.sign(key)
    return str(made.raw_hex())


def _script(asked: Sequence[str]) -> str:
    from bitcoinlib.transactions import Output

    address, network = asked
    return str(Output(0, address=address, network=network).lock_script.hex())


def _address(script: str) -> str:
    from bitcoinlib.transactions import Output

    return str(Output(0, lock_script=bytes.fromhex(script), network="bitcoin").address)


def _lookup(_: object) -> None:
    """What it must not be able to do; for the test that says so."""
    import socket

    socket.create_connection(("127.0.0.1", 1), timeout=1)


def _tried(role: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The name of the error where it refuses."""

    def tried(asked: Any) -> Any:
        try:
            return role(asked)
        except Exception as error:  # noqa: BLE001 - it has many of its own
            return type(error).__name__

    return tried


_ROLES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "blocks": _block,
    "keys": _key,
    "signed": _signed,
    "scripts": _tried(_script),
    "addresses": _tried(_address),
    "lookup": _lookup,
}


def _no_network(*_: object, **__: object) -> NoReturn:
    raise OSError("bitcoinlib may not use the network")


def main() -> None:
    """Answer what stands on the standard input."""
    import socket

    # Before bitcoinlib is imported: whatever it does, it asks nobody.
    socket.socket.connect = _no_network  # type: ignore[method-assign]
    socket.getaddrinfo = _no_network
    asked: Asked = json.load(sys.stdin)
    told = {role: [_ROLES[role](each) for each in asked[role]] for role in asked}
    sys.stdout.write(f"\n{json.dumps(told)}\n")


if __name__ == "__main__":
    main()
