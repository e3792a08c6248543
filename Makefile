# The commands of this repository. On a machine with Python (3.11 or later), pip, venv and make, each does its own set-up:
#
#   make report    tonight's report on the bundled market data
#   make test      everything that is tested
#
# PYTHON=python3.12 chooses the interpreter that the environment is made from; JOBS=4 how many tests run side by side.

PYTHON ?= python3
# more than processors, since many tests wait for processes, browsers and time limits
JOBS ?= 3

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

# What set-up has done so far, one file a step, so that a second `make` does only what is out of date.
CREATED := $(VENV)/.created
LOCKED := $(VENV)/.locked
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup report test test-long notebooks lab fmt lint type bench chromium postgres lock clean again
.DELETE_ON_ERROR:

help:            ## this list
	@sed -n 's/^\([a-z-]*\): *\([^#]*\)## */\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-10s %s\n", $$1, $$2 }'

setup: $(READY)  ## the environment in .venv, the compiled kernels, the bundled market data

$(CREATED):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "workbench needs Python 3.11 or later; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || echo missing)." \
	       "Name another: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(LOCKED): requirements.lock $(CREATED)
	@echo "Installing the pinned packages (a minute or two, the first time) ..."
	@$(PIP) install --require-hashes -r requirements.lock
	@touch $@

$(INSTALLED): pyproject.toml $(LOCKED)
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# The lake is looked for, not stamped: whoever removes it gets the bundled series back.
$(READY): $(INSTALLED) $(shell find data/sample -type f 2>/dev/null) $(if $(wildcard data/lake),,again)
	@echo "Compiling the kernels and filling the lake ..."
	@$(BIN)/python -m workbench.warmup
	@$(BIN)/workbench init .
	@touch $@

again:

report: setup    ## tonight's report; ends with the path of its index page
	@$(BIN)/workbench report run nightly

test: setup      ## all tests but the long ones, the examples in docstrings, and the notebooks
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -p no:randomly --nbval-lax --nbval-cell-timeout=120 notebooks

test-long: setup ## the tests that take minutes, and all the cases of the deep ones
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "long or deep" --hypothesis-profile=long --timeout=3600

notebooks: setup ## build notebooks/*.ipynb from their sources notebooks/*.py
	@$(BIN)/python -m workbench.reporting.notebook_files --all notebooks

lab: setup       ## JupyterLab in this workspace
	@$(BIN)/workbench lab

fmt: setup       ## format the code
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

lint: setup      ## formatting and the rules of ruff
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

type: setup      ## types, strictly
	@$(BIN)/mypy

bench: setup     ## how long things take, beside a peer in the same run
	@for script in tests/benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

chromium:        ## a browser for the tests that look at pages (Debian and Ubuntu; needs root or sudo)
	@if command -v chromium >/dev/null; then echo "chromium is there: $$(command -v chromium)"; \
	elif command -v apt-get >/dev/null; then \
	  $$([ "$$(id -u)" = 0 ] || echo sudo) sh -c 'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y chromium'; \
	else echo "install Chromium with your system's package manager; the tests look for 'chromium' on the PATH" >&2; exit 1; fi

postgres:        ## a PostgreSQL for the tests that keep journals there (Debian and Ubuntu; needs root or sudo)
	@if command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then \
	  echo "PostgreSQL is there"; \
	elif command -v apt-get >/dev/null; then \
	  $$([ "$$(id -u)" = 0 ] || echo sudo) sh -c 'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y postgresql'; \
	else echo "install PostgreSQL with your system's package manager; the tests look for 'initdb', 'pg_ctl' and 'postgres' on the PATH" >&2; exit 1; fi

lock:            ## renew requirements.lock after a change in pyproject.toml (for maintainers; needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --quiet --output-file requirements.lock $(if $(UPGRADE),--upgrade)

clean:           ## remove what can be made again: the environment, caches, builds (data, runs and reports stay)
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find workbench tests notebooks strategies -name __pycache__ -type d -prune -exec rm -rf {} +
