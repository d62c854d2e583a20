# Two commands set everything up: `make demo` and `make test`. Each makes .venv first.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
ETCD := .venv/.etcd
CLIENTS := .venv/.clients
ARGS ?=
TESTS ?=
# Many tests wait for processes of their own: three at a time keep two cores busy. A file stays together, for its fixtures, and files
# come in the order of tests/conftest.py.
WORKERS ?= 3

.PHONY: demo test check format clean

demo: $(READY)
	@$(BIN)/touchline demo $(ARGS)

# Hundreds of processes are started: with their bytecode kept, whatever the environment says, each takes half as long to begin.
test: export PYTHONDONTWRITEBYTECODE =
test: check $(ETCD) $(CLIENTS)
	$(BIN)/python -m pytest -q --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder $(TESTS)

# format, lint, strict types, and the import table: one command, the same in CI.
check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/architecture

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "touchline needs Python 3.11 or later; set PYTHON=...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# A server for the tests of several instances; without one those tests fail, and the others still run.
$(ETCD): .ci/etcd $(READY)
	@if .ci/etcd .venv/etcd; then touch $@; fi

# Clients of the venue that others wrote, in an environment of their own; without it their tests fail, and the others still run.
$(CLIENTS): .ci/clients constraints-clients.txt $(READY)
	@if .ci/clients .venv/clients $(BIN)/python; then touch $@; fi

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache
