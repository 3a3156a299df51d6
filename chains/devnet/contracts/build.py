"""Compile the test contracts into `contracts.json`: `python -m chains.devnet.contracts.build`.

Needs the dependency group `contracts` (Vyper). The result depends on the sources and the compiler alone: a
second run writes the same bytes.
"""

from __future__ import annotations

import json
import sys
import warnings
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
COMPILER_VERSION = "0.4.3"


def build() -> str:
    """The text of `contracts.json`; raise ImportError without Vyper, RuntimeError with another version of it."""
    import vyper
    from vyper.compiler import compile_code

    if vyper.__version__.split("+")[0] != COMPILER_VERSION:
        raise RuntimeError(f"Vyper {vyper.__version__} is installed; the contracts are built with {COMPILER_VERSION}")
    contracts = {}
    for path in sorted(FOLDER.glob("*.vy")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Vyper warns of selfdestruct, which one contract is there to do
            compiled = compile_code(
                path.read_text(encoding="utf-8"), output_formats=["abi", "bytecode", "bytecode_runtime"]
            )
        contracts[path.stem] = {
            "abi": compiled["abi"],
            "bytecode": compiled["bytecode"],
            "runtime": compiled["bytecode_runtime"],
            "source_sha256": sha256(path.read_bytes()).hexdigest(),
        }
    document = {"compiler": f"vyper {COMPILER_VERSION}", "contracts": contracts}
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write the file and say what changed."""
    target = FOLDER / "contracts.json"
    before = target.read_text(encoding="utf-8") if target.exists() else ""
    text = build()
    target.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{target.name}: {'unchanged' if text == before else 'written'}, {len(text)} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
