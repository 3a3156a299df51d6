"""House rules that no linter knows. Each rule is tried on the project, and on a line that breaks it."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.fault_catalogue import load_catalogue

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("chains", "exports", "mapping", "verifier")
SKIPPED_FOLDERS = {".git", ".venv", "node_modules", "build", "dist", "__pycache__"}


@cache
def project_files() -> tuple[Path, ...]:
    """The project's own files: what git tracks or would track, or everything where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if not SKIPPED_FOLDERS & set(path.relative_to(ROOT).parts)]
    return tuple(sorted(path for path in found if path.is_file()))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def modules(*prefixes: str) -> list[Path]:
    """The Python files below the given folders (or the files themselves), relative to the root."""
    return [
        path.relative_to(ROOT)
        for path in project_files()
        if path.suffix == ".py" and path.relative_to(ROOT).as_posix().startswith(prefixes)
    ]


def module_name(path: Path) -> str:
    """`chains/evm/__init__.py` is `chains.evm`."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imports(tree: ast.Module) -> Iterator[str]:
    """The full names of everything a file imports, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_any(tree: ast.Module, forbidden: set[str]) -> list[str]:
    """The imports that are one of the forbidden modules or lie below one."""
    return sorted({name for name in imports(tree) if any(f"{name}.".startswith(f"{bad}.") for bad in forbidden)})


def project_settings() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


# Nothing of any machine -----------------------------------------------------------------------------------------------

MACHINE_PATH = re.compile(r"(?<![\w.~}/-])/(work|root|tmp|home/(?!bitcoin/)[a-z]+|Users/[A-Za-z]+)/[\w.]|\.\./shared\b")
"""But for the folder that the image of Bitcoin Core declares, which the compose file must name."""
REGISTRY_HOST = re.compile(
    r"\b(files\.)?pythonhosted\.org|\b(test\.)?pypi\.org|registry\.(npmjs\.org|yarnpkg)|proxy\.golang"
)


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY_HOST])
def test_no_file_speaks_of_a_machine_or_a_registry(pattern: re.Pattern[str]) -> None:
    found = []
    for path in project_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a binary test asset
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATH, "see " + "/wo" + "rk/main/x"),
        (MACHINE_PATH, "'/ro" + "ot/.cache'"),
        (MACHINE_PATH, "/ho" + "me/someone/x"),
        (MACHINE_PATH, "read .." + "/shared/reference"),
        (REGISTRY_HOST, "https://files.python" + "hosted.org/packages/x.whl"),
        (REGISTRY_HOST, "--index-url https://py" + "pi.org/simple"),
    ],
)
def test_such_a_line_would_be_noticed(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


# Packaging ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", PACKAGES)
def test_the_package_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_the_import_names_are_ours_alone() -> None:
    """Another distribution that owned one of these generic names would overwrite our files without a word."""
    owners = importlib.metadata.packages_distributions()
    for package in PACKAGES:
        assert set(owners.get(package, [])) <= {"custody-verifier"}, package
    assert importlib.metadata.distribution("custody-verifier").version == project_settings()["project"]["version"]
    assert sorted(project_settings()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == list(PACKAGES)


def lock_problems(text: str) -> Iterator[str]:
    """Requirements of a lock file without an exact version or a hash, and anything that names a host."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip().startswith("#") or not line.strip():
            continue
        requirement = line.split(" #")[0].strip()
        if "://" in requirement or requirement.startswith("-"):
            yield f"names a place: {requirement[:80]}"
        elif not re.match(r"[a-z0-9._-]+(\[[a-z0-9,._-]+\])?==[^ ;]+", requirement):
            yield f"is not pinned: {requirement[:80]}"
        elif not re.search(r"--hash=sha256:[0-9a-f]{64}\b", requirement):
            yield f"has no hash: {requirement[:80]}"


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-bootstrap.lock"])
@pytest.mark.fault("F22")
def test_the_lock_file_pins_everything_by_hash_and_names_no_host(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert list(lock_problems(text)) == []
    assert text.count("==") > 0


@pytest.mark.fault("F22")
@pytest.mark.parametrize(
    "line",
    [
        "rich==15.0.0",
        "rich>=15 --hash=sha256:" + "a" * 64,
        "rich==15.0.0 --hash=sha256:abc",
        "--index-url https://example.org/simple",
        "rich @ https://example.org/rich.whl --hash=sha256:" + "a" * 64,
    ],
)
def test_a_loose_requirement_would_be_noticed(line: str) -> None:
    assert list(lock_problems(line)) != []


@pytest.mark.fault("F22")
def test_the_devnet_package_runs_no_install_script() -> None:
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert '"hasInstallScript"' not in lock
    assert '"integrity": "sha512-' in lock


# Code -----------------------------------------------------------------------------------------------------------------

HTTP_CLIENTS = {"httpx", "httpx2", "requests", "aiohttp", "urllib3", "urllib.request", "http.client"}
STORAGE = {"sqlmodel", "sqlalchemy", "alembic", "psycopg", "sqlite3", "verifier.store.tables"}
MONEY = ("mapping/", "exports/", "verifier/rules/", "verifier/records.py", "chains/types.py")
CLOCK_READERS = (
    "verifier/cli/",
    "verifier/demo",
    "verifier/store/lease_store.py",
    "chains/devnet/",
    "chains/transport.py",
    "chains/evm/reader.py",
)
"""Commands, leases between processes and what talks to nodes read the wall clock; everything else is told the time."""


def test_one_module_alone_speaks_http() -> None:
    """The devnet's fixtures may ask local nodes by the standard library, which they can load in no time."""
    for path in modules(*PACKAGES):
        allowed: set[str] = set()
        if path.as_posix() == "chains/transport.py":
            allowed = {"httpx2"}
        elif path.as_posix().startswith("chains/devnet/"):
            allowed = {"urllib.request", "http.client"}
        assert imports_any(tree_of(ROOT / path), HTTP_CLIENTS - allowed) == [], path


def test_storage_stays_in_the_store() -> None:
    """The journal's check reads the tables as they are: it must not believe the store it checks.

    The ledger of Bitcoin scripts is no record: a cache in a file of its own, read again from a node when it is lost.
    """
    touching = {
        path.as_posix(): found
        for path in modules(*PACKAGES)
        if not path.as_posix().startswith(("verifier/store/", "verifier/journal.py", "chains/bitcoin/ledger_"))
        and (found := imports_any(tree_of(ROOT / path), STORAGE))
    }
    assert touching == {}


def float_uses(tree: ast.Module, *, division: bool) -> list[int]:
    """Lines with a float: a literal, the type, or (where asked for) a division. Limits in seconds are no money."""
    seconds: set[ast.AST] = set()
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        elif isinstance(node, ast.Assign):
            targets = node.targets
        if any(isinstance(target, ast.Name) and "seconds" in target.id.lower() for target in targets):
            seconds.update(ast.walk(node))
        if isinstance(node, (ast.arg, ast.keyword)) and node.arg and "seconds" in node.arg:
            seconds.update(ast.walk(node))
    return [
        node.lineno
        for node in ast.walk(tree)
        if node not in seconds
        and (
            (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
            or (isinstance(node, ast.Name) and node.id == "float" and not _is_type_test(node, tree))
            or (division and isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
        )
    ]


def _is_type_test(name: ast.Name, tree: ast.Module) -> bool:
    """Whether the name stands in an isinstance() call: refusing floats needs to name them."""
    return any(
        inner is name
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"
        for argument in node.args[1:]
        for inner in ast.walk(argument)
    )


def test_no_float_near_money() -> None:
    found = {
        path.as_posix(): lines
        for path in modules(*MONEY)
        if (lines := float_uses(tree_of(ROOT / path), division=path.as_posix().startswith("verifier/rules/")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "line", ["x = 0.5", "x = float(y)", "def f(amount: float) -> int: ...", "x = 1e3", "x = total / 2", "f(rate=1.0)"]
)
def test_a_float_would_be_noticed(line: str) -> None:
    assert float_uses(ast.parse(line), division=True) == [1]


@pytest.mark.parametrize(
    "line", ["wait_seconds: float = 0.5", "f(timeout_seconds=1.0)", "isinstance(x, (int, float))", "x = total // 2"]
)
def test_a_limit_or_a_refusal_is_no_money(line: str) -> None:
    assert float_uses(ast.parse(line), division=True) == []


def clock_reads(tree: ast.Module) -> list[int]:
    """Lines that ask the wall clock."""
    asked = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ".".join(ast.unparse(node).split(".")[-2:]) in asked
    ]


def test_only_commands_read_the_clock() -> None:
    found = {
        path.as_posix(): lines
        for path in modules(*PACKAGES)
        if not path.as_posix().startswith(CLOCK_READERS) and (lines := clock_reads(tree_of(ROOT / path)))
    }
    assert found == {}


def test_a_look_at_the_clock_would_be_noticed() -> None:
    assert clock_reads(ast.parse("a = datetime.now(UTC)\nb = dt.datetime.now()\nc = time.monotonic()")) == [1, 2]


def test_every_module_says_what_it_is_for() -> None:
    trees = {path.as_posix(): tree_of(ROOT / path) for path in modules(*PACKAGES)}
    silent = [name for name, tree in trees.items() if tree.body and not ast.get_docstring(tree)]
    assert silent == []


HEAVY = {"web3", "eth_account", "sqlmodel", "sqlalchemy", "alembic", "psycopg", "httpx2", "cryptography"}
"""Together seconds of start-up; nobody who asks for help or runs an unrelated test should pay for them."""


@pytest.mark.parametrize(
    "module", ["verifier.cli", "chains.devnet.pytest_plugin", "chains.devnet.bitcoin.pytest_plugin"]
)
def test_what_everybody_loads_is_light(module: str) -> None:
    """The command before it knows what to do, and the plugin that every pytest run beside us loads."""
    asked = f"import {module}, sys; print(*sorted({HEAVY!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True)
    assert (loaded.returncode, loaded.stdout.split()) == (0, []), loaded.stderr


# Pure modules ---------------------------------------------------------------------------------------------------------

IO = {
    "httpx",
    "httpx2",
    "web3",
    "sqlmodel",
    "sqlalchemy",
    "apscheduler",
    "bitcoinlib",
    "socket",
    "subprocess",
    "urllib.request",
}


ALSO_PURE = ["mapping.tables", "verifier.records"]
"""Pure by this file's own check; the contract names modules that could reach I/O through others."""


def pure_modules() -> list[str]:
    """The modules that the import-linter contract keeps free of I/O, and those that are checked here alone."""
    contracts = project_settings()["tool"]["importlinter"]["contracts"]
    (contract,) = [contract for contract in contracts if contract["name"] == "pure modules do no I/O"]
    listed: list[str] = contract["source_modules"]
    return [*listed, *ALSO_PURE]


def test_the_contract_names_modules_that_exist() -> None:
    existing = {module_name(path) for path in modules(*PACKAGES)}
    assert sorted(set(pure_modules()) - existing) == []


def test_every_rule_and_value_type_is_kept_pure() -> None:
    """What decides must be pure: the rules, the records and types, the canonical form."""
    listed = set(pure_modules())
    deciding = re.compile(
        r"verifier\.rules(\..+)?|mapping\.(book|columns|tables)|(chains|mapping|exports|verifier)\.(types|records|canonical)"
    )
    missing = {
        name
        for path in modules(*PACKAGES)
        if deciding.fullmatch(name := module_name(path))
        and not any(name == pure or name.startswith(f"{pure}.") for pure in listed)
    }
    assert sorted(missing) == []


def test_pure_modules_import_no_io_themselves() -> None:
    pure = tuple(name.replace(".", "/") for name in pure_modules())
    paths = [path for path in modules(*PACKAGES) if path.with_suffix("").as_posix().startswith(pure)]
    assert paths
    assert {path.as_posix(): found for path in paths if (found := imports_any(tree_of(ROOT / path), IO))} == {}


# Tests and documents --------------------------------------------------------------------------------------------------


def fault_rows_named(tree: ast.Module) -> Iterator[str]:
    """The literal rows of all fault markers in a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault":
            yield from (
                argument.value
                for argument in node.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            )


def test_every_fault_marker_names_a_row() -> None:
    """Also in tests that are skipped or deselected, whose markers are never looked at when they run."""
    catalogue = load_catalogue()
    named = {row: path.as_posix() for path in modules("tests/") for row in fault_rows_named(tree_of(ROOT / path))}
    assert named
    assert {row: path for row, path in named.items() if row not in catalogue} == {}


def test_every_test_folder_is_a_package() -> None:
    """Without it, an installed package called `tests` would be imported in the place of ours."""
    folders = {path.parent for path in modules("tests/")}
    assert sorted(folder.as_posix() for folder in folders if not (ROOT / folder / "__init__.py").is_file()) == []


def test_decision_records_are_numbered_and_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    records = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    assert [path.name[:5] for path in records] == [f"{number:04}-" for number in range(1, len(records) + 1)]
    index = (folder / "README.md").read_text(encoding="utf-8")
    for path in records:
        text = path.read_text(encoding="utf-8")
        title = text.splitlines()[0]
        assert title.startswith(f"# {path.name[:4]} "), path.name
        assert f"[{title.removeprefix('# ')}]({path.name})" in index, path.name
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"], path.name


def broken_links(text: str, folder: Path) -> list[str]:
    """Relative links of a Markdown text that lead nowhere."""
    targets = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    local = [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:", target)]
    return [target for target in local if target and not (folder / target).exists()]


def test_links_between_documents_lead_somewhere() -> None:
    broken = {
        path.relative_to(ROOT).as_posix(): found
        for path in project_files()
        if path.suffix == ".md" and (found := broken_links(path.read_text(encoding="utf-8"), path.parent))
    }
    assert broken == {}


def test_a_broken_link_would_be_noticed() -> None:
    assert broken_links("[a](nowhere.md) [b](README.md#x) [c](https://example.org)", ROOT) == ["nowhere.md"]
