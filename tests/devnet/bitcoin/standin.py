"""A stand-in for the `bitcoind` binary: it reads a configuration as bitcoind does and runs the consensus library.

What it cannot show is that a real Bitcoin Core is served by the same code; that needs one, and is counted as not run.
"""

from __future__ import annotations

import sys
from pathlib import Path

SCRIPT = """#!{python}
import configparser, pathlib, sys
from chains.devnet.bitcoin.__main__ import main
folder = next(a.partition("=")[2] for a in sys.argv if a.startswith("-datadir="))
assert "-regtest" in sys.argv and "-rest" in sys.argv
settings = configparser.ConfigParser()
settings.read(pathlib.Path(folder) / "bitcoin.conf")
own = settings["regtest"]
arguments = ["--port", own["rpcport"], "--user", own["rpcuser"], "--password", own["rpcpassword"], "--history", "0"]
sys.exit(main(arguments))
"""


def write_standin(folder: Path, *, fails: bool = False) -> Path:
    """An executable file that takes bitcoind's place; with `fails` it ends with a message."""
    path = folder / "bitcoind"
    body = f"#!{sys.executable}\nimport sys\nsys.exit('Error: the disk is full')\n" if fails else ""
    path.write_text(body or SCRIPT.format(python=sys.executable), encoding="utf-8")
    path.chmod(0o755)
    return path
