"""docker-compose.yml, Dockerfile and .env.example, as far as they can be judged without a container engine.

Each rule is a function from the file to its problems, tried on the file itself and on a copy that breaks the rule.
What only an engine can tell (that the images exist and start) is not tried here; docs/containers.md says so.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs are a package of their own
import pytest
import typer
import yaml

from verifier.cli.app import app

ROOT = Path(__file__).resolve().parent.parent
Compose = dict[str, Any]

_IMAGE = re.compile(r"[a-z0-9][a-z0-9./-]*:(?P<tag>v?[0-9]+(\.[0-9]+)+(-[a-z0-9-]+)?|local)")
_PORT = re.compile(r"127\.0\.0\.1:\$\{[A-Z_]+:-(?P<host>[0-9]{4,5})\}:[0-9]{4,5}")
_VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>[A-Z_]+)(?P<rest>[^}]*)\}")
_SECRET_NAME = re.compile(r"PASSWORD|SECRET|TOKEN|KEY")


@pytest.fixture(scope="module")
def compose() -> Compose:
    loaded = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    apart: Compose = json.loads(json.dumps(loaded))  # what an anchor made one, a change must not change twice
    return apart


def example_variables() -> dict[str, str]:
    """The variables of .env.example."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def schema_problems(compose: Compose) -> Iterator[str]:
    """Keys and shapes that are not in tests/compose.schema.json."""
    schema = json.loads((ROOT / "tests" / "compose.schema.json").read_text(encoding="utf-8"))
    for error in jsonschema.Draft202012Validator(schema).iter_errors(compose):
        yield f"{error.json_path}: {error.message}"


def image_problems(compose: Compose) -> Iterator[str]:
    """Images without a full version; only what is built here is called local."""
    built = {service["image"] for service in compose["services"].values() if "build" in service}
    for name, service in compose["services"].items():
        match = _IMAGE.fullmatch(service["image"])
        if match is None or (match["tag"] == "local" and service["image"] not in built):
            yield f"{name}: image {service['image']} is not pinned to a version"


def port_problems(compose: Compose) -> Iterator[str]:
    """Ports that are open beyond this machine, or taken twice."""
    taken: set[str] = set()
    for name, service in compose["services"].items():
        for port in service.get("ports", []):
            match = _PORT.fullmatch(port)
            if match is None:
                yield f"{name}: port {port} is not bound to 127.0.0.1"
            elif match["host"] in taken:
                yield f"{name}: port {match['host']} is taken twice"
            else:
                taken.add(match["host"])


def health_problems(compose: Compose) -> Iterator[str]:
    """Services that stay up without a health check, and dependencies that wait for a state nobody reports."""
    for name, service in compose["services"].items():
        if service["restart"] != "no" and "healthcheck" not in service:
            yield f"{name}: stays up without a health check"
        for needed, wanted in service.get("depends_on", {}).items():
            other = compose["services"].get(needed)
            if other is None:
                yield f"{name}: depends on {needed}, which does not exist"
            elif wanted["condition"] == "service_healthy" and "healthcheck" not in other:
                yield f"{name}: waits for the health of {needed}, which has no check"
            elif wanted["condition"] == "service_completed_successfully" and other["restart"] != "no":
                yield f"{name}: waits for the end of {needed}, which never ends"


def volume_problems(compose: Compose) -> Iterator[str]:
    """Volumes that are used and not declared, or the other way round; nothing of the host is mounted."""
    used: set[str] = set()
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            source, _, target = volume.partition(":")
            used.add(source)
            if not target.startswith("/"):
                yield f"{name}: volume {volume} has no absolute target"
    if used != set(compose["volumes"]):
        yield f"volumes used and declared differ: {sorted(used ^ set(compose['volumes']))}"


def user_problems(compose: Compose) -> Iterator[str]:
    """Services that run as root, but for the one that gives the volumes away and has no network."""
    for name, service in compose["services"].items():
        helper = service.get("network_mode") == "none" and service["restart"] == "no"
        if service["user"].startswith("0:") and not helper:
            yield f"{name}: runs as root"
        if "cap_add" in service and not helper:
            yield f"{name}: asks for a capability"


def secret_problems(compose: Compose) -> Iterator[str]:
    """Secrets written down, and variables that .env.example does not explain."""
    example = example_variables()
    for match in _VARIABLE.finditer(json.dumps(compose)):
        name, rest = match["name"], match["rest"]
        if name not in example:
            yield f"variable {name} is not in .env.example"
        if _SECRET_NAME.search(name) and not rest.startswith(":?"):
            yield f"variable {name} must have no default: use ${{{name}:?reason}}"
    for service_name, service in compose["services"].items():
        for name, value in service.get("environment", {}).items():
            if _SECRET_NAME.search(name) and not _VARIABLE.search(value):
                yield f"{service_name}: {name} is written down"
        for text in (*service.get("command", []), *service.get("environment", {}).values()):
            if re.search(r"(password=|://[^/@:]*:)(?!\$\{)[^/@\s]+", text.replace("http://", "")):
                yield f"{service_name}: a password is written down"


def setting_problems(compose: Compose) -> Iterator[str]:
    """CUSTODY_ variables that the configuration does not know: a misspelt setting would be ignored."""
    from verifier.config import Settings

    own = {"CUSTODY_CONFIG", "CUSTODY_ACTOR"}
    for name, service in compose["services"].items():
        for variable in service.get("environment", {}):
            if not variable.startswith("CUSTODY_") or variable in own:
                continue
            section, _, key = variable.removeprefix("CUSTODY_").lower().partition("__")
            field = Settings.model_fields.get(section)
            if field is None or key not in getattr(field.annotation, "model_fields", {}):
                yield f"{name}: {variable} is no setting of the configuration"


IMAGE_VOLUMES = {
    "postgres": "/var/lib/postgresql",
    "bitcoin/bitcoin": "/home/bitcoin/.bitcoin",
    "custody-verifier": "/data",
}
"""Volumes that images declare. What is not mounted there gets a new volume without a name with each new container."""


def image_volume_problems(compose: Compose) -> Iterator[str]:
    """Volumes that an image declares and nothing is mounted at: `docker compose down` leaves them behind."""
    for name, service in compose["services"].items():
        declared = IMAGE_VOLUMES.get(service["image"].rpartition(":")[0])
        mounted = {volume.partition(":")[2] for volume in service.get("volumes", [])}
        mounted |= {place.partition(":")[0] for place in service.get("tmpfs", [])}
        if declared is not None and declared not in mounted:
            yield f"{name}: leaves a volume without a name behind for {declared}"


def pull_problems(compose: Compose) -> Iterator[str]:
    """Services of the image that is built here which an engine would first look for at a registry."""
    for name, service in compose["services"].items():
        own = service["image"] == "custody-verifier:local"
        if own and ("build" in service) == (service.get("pull_policy") == "never"):
            yield f"{name}: the image that is built here is asked of a registry, or never built"


def light_health_problems(compose: Compose) -> Iterator[str]:
    """Health checks that grow with the database, and one that a database still being made would pass."""
    tree: Any = typer.main.get_command(app)
    for name, service in compose["services"].items():
        words = service.get("healthcheck", {}).get("test", [])[1:]
        if words[:1] == ["custody"]:
            if words[1:] == ["journal", "show", "--limit", "1", "--json"]:
                tree.commands["journal"].commands["show"].make_context("show", list(words[3:]))  # it is taken
            else:
                yield f"{name}: its health check may read more every day"
        # While the image's entry point makes a database, a server listens on the socket alone.
        if words[:1] == ["pg_isready"] and "--host=127.0.0.1" not in words:
            yield f"{name}: is healthy before its database is made"


def bitcoin_problems(compose: Compose) -> Iterator[str]:
    """What the Bitcoin adapter needs of the node, and how `app` reaches it."""
    service = compose["services"]["bitcoin"]
    release = int(service["image"].rpartition(":")[2].partition(".")[0])
    if release < 30:
        yield f"release {release} has no /rest/spenttxouts"
    for flag in ("-regtest", "-server", "-rest", "-coinstatsindex"):
        if flag not in service["command"]:
            yield f"bitcoin: {flag} is missing"
    url = compose["services"]["app"]["environment"].get("BITCOIN_RPC_URL", "")
    if not url.startswith("http+insecure://custody:${BITCOIN_RPC_PASSWORD") or not url.endswith("@bitcoin:18443"):
        yield "app does not know the URL of the Bitcoin node"


def command_of(service: dict[str, Any]) -> list[str]:
    """What a service of the application's image runs; nothing for one that only waits for commands."""
    own = service["image"] == "custody-verifier:local" and "entrypoint" not in service
    return list(service.get("command", [])) if own else []


def process_problems(compose: Compose) -> Iterator[str]:
    """The application's processes: all are there, each is one that the program has, all work on one database."""
    tree: Any = typer.main.get_command(app)
    services = compose["services"]
    for name, service in services.items():
        if not (words := command_of(service)):
            continue
        try:
            tree.commands[words[0]].make_context(words[0], list(words[1:]), resilient_parsing=False)
        except KeyError:
            yield f"{name}: there is no custody {words[0]}"
        except Exception as error:  # noqa: BLE001 - whatever the program says against these arguments
            yield f"{name}: custody {' '.join(words)} is not taken: {type(error).__name__}"
        if service["environment"] != services["setup"]["environment"]:
            yield f"{name}: has other settings than setup"
        if "app-data:/data" not in service["volumes"]:
            yield f"{name}: does not see the configuration"
    running = [command_of(service)[:1] for service in services.values() if service["restart"] != "no"]
    for wanted, number in (("watch", 1), ("worker", 2), ("web", 1)):
        if running.count([wanted]) != number:
            yield f"{running.count([wanted])} services run custody {wanted}, {number} should"
    if services["setup"]["environment"].get("CUSTODY_WORKERS__ENABLED") != "true":
        yield "sweeps hand nothing to the workers"
    for name, service in services.items():
        needs_queue = command_of(service)[:1] in (["watch"], ["worker"]) and service["restart"] != "no"
        if needs_queue and "queue" not in service["depends_on"]:
            yield f"{name}: begins before its queue is there"
    if command_of(services["queue"]) != ["worker", "--prepare"] or "setup" not in services["queue"]["depends_on"]:
        yield "nobody makes the queue after the schema"


def web_problems(compose: Compose) -> Iterator[str]:
    """The pages listen for the published port, and it is the one that is published."""
    web = compose["services"]["web"]
    if web["command"] != ["web", "--host", "0.0.0.0", "--port", "8000"]:
        yield "web: does not listen on port 8000 for the other side of the container"
    if [port.rpartition(":")[2] for port in web.get("ports", [])] != ["8000"]:
        yield "web: publishes another port"
    published = web.get("ports", [""])[0].removeprefix("127.0.0.1:").rpartition(":")[0]
    if web["environment"].get("CUSTODY_WEB__PUBLIC_URL") != f"http://localhost:{published}":
        yield "web: says another address than the one that browsers reach it by"


def readiness_problems(compose: Compose) -> Iterator[str]:
    """Each process is asked whether it is ready, where it tells; nothing of that is published."""
    for name, service in compose["services"].items():
        if not command_of(service) or service["restart"] == "no":
            continue
        port = service["environment"].get("CUSTODY_METRICS__LISTEN", "").rpartition(":")[2]
        asked = service.get("healthcheck", {}).get("test", [""])[-1]
        if not port or f'"http://127.0.0.1:{port}/readyz"' not in asked:
            yield f"{name}: is not asked whether it is ready"
        if any(published.endswith(f":{port}") for published in service.get("ports", [])):
            yield f"{name}: publishes its metrics"
        if int(service.get("stop_grace_period", "0s").removesuffix("s")) <= 10:
            yield f"{name}: has less time to stop than it may take"


RULES: list[Callable[[Compose], Iterator[str]]] = [
    schema_problems,
    image_problems,
    port_problems,
    health_problems,
    volume_problems,
    user_problems,
    secret_problems,
    setting_problems,
    image_volume_problems,
    pull_problems,
    light_health_problems,
    bitcoin_problems,
    process_problems,
    web_problems,
    readiness_problems,
]


@pytest.mark.parametrize("rule", RULES)
def test_the_file_keeps_the_rule(rule: Callable[[Compose], Iterator[str]], compose: Compose) -> None:
    assert list(rule(compose)) == []


def put(*path: str | int, value: Any) -> Callable[[Compose], None]:
    """A change of one place of the file."""

    def change(compose: Compose) -> None:
        place: Any = compose
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


def drop(*path: str) -> Callable[[Compose], None]:
    """The removal of one place of the file."""

    def change(compose: Compose) -> None:
        place: Any = compose
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return change


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        (schema_problems, put("services", "app", "privileged", value=True)),
        (schema_problems, put("services", "app", "healthcheck", "interval", value="often")),
        (schema_problems, put("services", "app", "read_only", value=False)),
        (schema_problems, drop("services", "postgres", "image")),
        (schema_problems, put("version", value="3")),
        (schema_problems, drop("services", "anvil", "logging")),
        (schema_problems, drop("services", "anvil", "logging", "options", "max-size")),
        (image_volume_problems, drop("services", "bitcoin", "tmpfs")),
        (image_volume_problems, put("services", "bitcoin", "tmpfs", value=["/tmp", "/home/bitcoin"])),
        (image_volume_problems, put("services", "worker-1", "volumes", value=["app-data:/elsewhere"])),
        (pull_problems, drop("services", "worker-2", "pull_policy")),
        (pull_problems, drop("services", "setup", "build")),
        (light_health_problems, put("services", "app", "healthcheck", "test", value=["CMD", "custody", "doctor"])),
        (light_health_problems, put("services", "postgres", "healthcheck", "test", value=["CMD", "pg_isready"])),
        (image_problems, put("services", "postgres", "image", value="postgres:latest")),
        (image_problems, put("services", "postgres", "image", value="postgres")),
        (image_problems, put("services", "postgres", "image", value="postgres:18")),
        (image_problems, put("services", "app", "image", value="other:local")),
        (port_problems, put("services", "anvil", "ports", 0, value="8545:8545")),
        (port_problems, put("services", "anvil", "ports", 0, value="0.0.0.0:${ANVIL_PORT:-8545}:8545")),
        (port_problems, put("services", "anvil", "ports", 0, value="127.0.0.1:${ANVIL_PORT:-5432}:8545")),
        (health_problems, drop("services", "bitcoin", "healthcheck")),
        (health_problems, put("services", "app", "depends_on", "nobody", value={"condition": "service_healthy"})),
        (health_problems, put("services", "setup", "restart", value="unless-stopped")),
        (volume_problems, put("volumes", "spare", value=None)),
        (volume_problems, put("services", "app", "volumes", 0, value="/:/host")),
        (user_problems, put("services", "app", "user", value="0:0")),
        (user_problems, put("services", "app", "cap_add", value=["CHOWN"])),
        (secret_problems, put("services", "postgres", "environment", "POSTGRES_PASSWORD", value="hunter2")),
        (
            secret_problems,
            put("services", "postgres", "environment", "POSTGRES_PASSWORD", value="${POSTGRES_PASSWORD}"),
        ),
        (secret_problems, put("services", "app", "environment", "X", value="${NOT_EXPLAINED:-1}")),
        (secret_problems, put("services", "bitcoin", "command", 0, value="-rpcpassword=hunter2")),
        (secret_problems, put("services", "app", "environment", "X", value="postgresql://custody:hunter2@postgres/x")),
        (setting_problems, put("services", "app", "environment", "CUSTODY_DATABASE__ULR", value="x")),
        (setting_problems, put("services", "app", "environment", "CUSTODY_DATABSE__URL", value="x")),
        (bitcoin_problems, put("services", "bitcoin", "image", value="bitcoin/bitcoin:29.0")),
        (bitcoin_problems, put("services", "bitcoin", "command", 2, value="-rpcthreads=4")),
        (bitcoin_problems, drop("services", "app", "environment", "BITCOIN_RPC_URL")),
        (process_problems, drop("services", "worker-2")),
        (process_problems, drop("services", "scheduler")),
        (process_problems, put("services", "scheduler", "command", value=["observe"])),
        (process_problems, put("services", "scheduler", "command", value=["watch", "--jsonn"])),
        (process_problems, put("services", "web", "command", value=["web", "--port", "much"])),
        (process_problems, put("services", "worker-1", "environment", "CUSTODY_DATABASE__URL", value="sqlite:///x.db")),
        (process_problems, put("services", "worker-1", "volumes", value=["anvil-state:/data"])),
        (process_problems, put("services", "setup", "environment", "CUSTODY_WORKERS__ENABLED", value="false")),
        (process_problems, drop("services", "worker-1", "depends_on", "queue")),
        (process_problems, put("services", "queue", "command", value=["worker", "--once"])),
        (web_problems, put("services", "web", "command", value=["web", "--port", "8000"])),
        (web_problems, put("services", "web", "ports", 0, value="127.0.0.1:${WEB_PORT:-8000}:8001")),
        (web_problems, put("services", "web", "ports", 0, value="127.0.0.1:${OTHER_PORT:-8000}:8000")),
        (web_problems, put("services", "web", "environment", "CUSTODY_WEB__PUBLIC_URL", value="http://localhost:8000")),
        (web_problems, drop("services", "web", "environment", "CUSTODY_WEB__PUBLIC_URL")),
        (readiness_problems, drop("services", "worker-1", "healthcheck")),
        (readiness_problems, put("services", "web", "environment", "CUSTODY_METRICS__LISTEN", value="0.0.0.0:9465")),
        (readiness_problems, put("services", "web", "ports", 0, value="127.0.0.1:${WEB_PORT:-8000}:9464")),
        (readiness_problems, drop("services", "scheduler", "stop_grace_period")),
    ],
)
def test_a_copy_that_breaks_the_rule_is_noticed(
    rule: Callable[[Compose], Iterator[str]], change: Callable[[Compose], None], compose: Compose
) -> None:
    broken = copy.deepcopy(compose)
    change(broken)
    assert list(rule(broken)) != []


def test_the_services_are_the_promised_ones(compose: Compose) -> None:
    promised = {"postgres", "anvil", "bitcoin", "app", "web", "scheduler", "worker-1", "worker-2"}
    assert promised <= set(compose["services"])


def test_anvil_is_the_version_of_the_devnet_package(compose: Compose) -> None:
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    versions = {"v" + version for name, version in package["optionalDependencies"].items() if "anvil" in name}
    assert versions == {compose["services"]["anvil"]["image"].rpartition(":")[2]}


def test_the_documented_bitcoin_chain_is_one_that_the_application_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chains.bitcoin import chain_plugin
    from verifier.config import load_settings

    document = (ROOT / "docs" / "containers.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"```toml\n(.*?)```", document, re.DOTALL)
    path = tmp_path / "custody.toml"
    path.write_text(f'[firm]\nname = "Example"\n\n{section}', encoding="utf-8")
    monkeypatch.setenv("BITCOIN_RPC_URL", "http+insecure://custody:secret@bitcoin:18443")
    (chain,) = load_settings(path).chains
    config = chain.resolve()
    chain_plugin.open(config, config.nodes[0]).close()


def test_the_example_holds_no_real_secret() -> None:
    for name, value in example_variables().items():
        if _SECRET_NAME.search(name):
            assert value == "replace-me"
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_image_is_built_from_the_lock_files_and_runs_without_root(compose: Compose) -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    instructions = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    bases = {rest.split()[0] for word, rest in instructions if word == "FROM"}
    assert bases == {compose["services"]["volumes"]["image"]}
    assert [rest for word, rest in instructions if word == "USER"] == [compose["services"]["app"]["user"]]
    installs = [
        part
        for word, rest in instructions
        if word == "RUN"
        for part in rest.split("&&")
        if re.search(r"\b(pip install|pip sync)\b", part)
    ]
    assert len(installs) == 3
    for install in installs:
        # Everything comes from a lock file by hash; the project itself brings no dependencies of its own.
        assert "--require-hashes" in install or "--no-deps" in install
    for word, rest in instructions:
        if word == "COPY" and "--from" not in rest:
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source


def test_the_builder_is_sent_only_what_the_image_needs() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {
        source
        for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }
    assert allowed == copied


def test_docker_itself_accepts_the_file_where_it_is_installed() -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True).returncode != 0:
        pytest.skip("the docker command with its compose plugin is not installed")
    checked = subprocess.run(
        [docker, "compose", "--env-file", ".env.example", "config", "--quiet"], cwd=ROOT, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
