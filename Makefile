# Two commands are enough on a fresh machine that has Python 3.11 to 3.13, make and npm:
#   make demo    the whole product on a local chain, told as a story
#   make test    every check: formatting, lint, types, import rules, tests
# Everything they need is put into this folder (.venv, node_modules); nothing is installed globally.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One node behind ANVIL_RPC_URL cannot serve several workers' snapshots.
WORKERS ?= $(if $(ANVIL_RPC_URL),1,auto)
READY := $(VENV)/.ready

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -e 's/:.*## /\t/' | expand -t 14

$(READY): requirements.lock requirements-bootstrap.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "custody-verifier needs Python 3.11 to 3.13; set PYTHON=python3.12 or so"; exit 2; }
	@echo "Setting up $(VENV) (once, about a minute)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.lock
	@$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode --python $(BIN)/python requirements.lock
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $@

# Anvil: the one at ANVIL_BIN or on PATH if there is one, else the npm package. A node behind ANVIL_RPC_URL is used by
# the demo and the shared fixtures; tests that reorganise a chain start nodes of their own beside it.
.PHONY: anvil
anvil:
	@if [ -n "$$ANVIL_BIN" ] || command -v anvil >/dev/null 2>&1 || ls node_modules/@foundry-rs/anvil-*/bin/anvil >/dev/null 2>&1; then :; \
	elif [ "$$(uname -s)-$$(uname -m)" = Linux-x86_64 ]; then $(MAKE) --no-print-directory node-packages; \
	elif [ -n "$$ANVIL_RPC_URL" ]; then echo "Using the node at ANVIL_RPC_URL only; tests with a node of their own will fail"; \
	else echo "No Anvil for $$(uname -s) $$(uname -m) here: put 'anvil' on PATH or set ANVIL_BIN or ANVIL_RPC_URL"; exit 2; fi

# Beside Anvil: what the tests of the web pages need (an identity provider, the accessibility rules).
.PHONY: node-packages
node-packages:
	@if [ -d node_modules/axe-core ]; then :; \
	elif command -v npm >/dev/null 2>&1; then echo "Fetching the packages of package-lock.json"; \
	  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; \
	else echo "No npm here: the tests that need its packages are skipped"; fi

.PHONY: setup
setup: $(READY) anvil ## prepare the environment only

.PHONY: demo
demo: setup ## run the demonstration on a local Anvil chain
	@$(BIN)/custody demo

.PHONY: lint
lint: $(READY) ## formatting, lint, types and import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: test
test: setup node-packages lint ## every check and every test
	$(BIN)/python -m pytest -n $(WORKERS) --require-anvil --require-bitcoin --faults-report=build/faults.json

.PHONY: faults
faults: setup ## which rows of docs/faults.md the tests cover
	$(BIN)/python -m tests.faults

.PHONY: simulate
simulate: $(READY) ## tell 1,000 stories of the simulation; SEEDS=n, FIRST=n
	@$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),1000) --first $(or $(FIRST),0)

.PHONY: chaos
chaos: setup ## kill real processes, PostgreSQL and nodes at random; SEED=n, MINUTES=n
	@$(BIN)/python -m tests.chaos --seed $(or $(SEED),0) --minutes $(or $(MINUTES),15)

.PHONY: bench
bench: setup ## the benchmarks, each with a peer and a floor
	$(BIN)/python -m benchmarks all

.PHONY: lock
lock: $(READY) ## write the lock files anew
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	  requirements-bootstrap.in -o requirements-bootstrap.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	  --python-version 3.11 --extra server --extra workers --extra bitcoin --extra fast --extra testing --extra timestamps --extra report --group bitcoinlib --group test --group lint \
	  pyproject.toml -o requirements.lock

.PHONY: clean
clean: ## remove what was set up and built
	rm -rf $(VENV) node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
