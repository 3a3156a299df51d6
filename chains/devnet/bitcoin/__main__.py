"""Start a regtest node by hand: `python -m chains.devnet.bitcoin --help`."""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import threading
from collections.abc import Sequence

from chains.devnet.bitcoin.front import User
from chains.devnet.bitcoin.kernel_chain import KernelMissing
from chains.devnet.bitcoin.kernel_node import KernelNode
from chains.errors import ChainError

DEFAULT_PORT = 18443


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until interrupted; the exit code is 2 where the node cannot start."""
    options = _parser().parse_args(arguments)
    password = options.password or secrets.token_hex(16)
    stopped = threading.Event()
    try:
        with KernelNode(users={options.user: User(password)}, port=options.port) as kernel:
            if options.history:
                kernel.node.mine_history(options.history, options.to)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stopped.set())
            sys.stdout.write(f"regtest node at height {kernel.node.height}: {kernel.node.url}\n")
            sys.stdout.flush()
            while not stopped.wait(options.block_seconds or None):
                kernel.node.mine(to=options.to)
    except KernelMissing as error:
        sys.stderr.write(f"{error}. {error.advice}\n")
        return 2
    except ChainError as error:
        sys.stderr.write(f"{error} ({error.advice})\n")
        return 2
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"the port {options.port} cannot be used: {error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m chains.devnet.bitcoin",
        description="A Bitcoin regtest node on loopback, for tests and development. Its chain is gone when it ends.",
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one (default %(default)s)")
    parser.add_argument("--user", default="tester", help="for JSON-RPC (default %(default)s)")
    parser.add_argument("--password", default="", help="for JSON-RPC (default: a random one, printed in the URL)")
    parser.add_argument("--history", type=int, default=101, metavar="BLOCKS", help="blocks to begin with")
    parser.add_argument("--to", metavar="ADDRESS", help="who gets the coins of blocks (default: nobody)")
    parser.add_argument(
        "--block-seconds", type=float, default=0.0, metavar="SECONDS", help="mine a block this often (default: never)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
