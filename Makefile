# Every target sets up what it needs: a .venv, installed once and reused until pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Two workers: the tests that start Spark share one of them, and with it one session (see tests/conftest.py).
JOBS ?= 2
PYTEST := $(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=loadgroup

# Without bytecode every start of the command line compiles its imports again; nothing here should pay for that.
unexport PYTHONDONTWRITEBYTECODE
# Another environment's settings must not leak into ours.
unexport PYTHONPATH VIRTUAL_ENV UV_PROJECT_ENVIRONMENT

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types docs-check bench clean

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

setup: $(READY) ## the .venv with the kit, all its extras and the developers' tools

demo: $(READY) ## train, evaluate and score the sample recipe, in-process and on Spark
	@$(BIN)/recipe-kit run sample_recipe --recipe sentiment
	@java="$${JAVA_HOME:+$$JAVA_HOME/bin/}java"; \
	version="$$("$$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')"; \
	if [ "$${version:-0}" -ge 17 ]; then \
		$(BIN)/recipe-kit run sample_recipe --recipe sentiment-spark; \
	else \
		echo "The same recipe on Spark was left out: it needs Java 17 or newer (on Debian: apt install default-jre-headless)."; \
	fi

# The quick ones first: a typing slip is told in seconds, not after the tests.
test: lint types ## everything that must hold before a change is merged
	@$(PYTEST)

lint: $(READY) ## style, mistakes that can be seen without running anything, and the import contract
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/lint-imports --no-logo

types: $(READY) ## mypy --strict
	@$(BIN)/mypy --strict

docs-check: $(READY) ## run every snippet in README.md and docs/
	@$(PYTEST) tests/test_docs.py

bench: $(READY) ## measure the figures in docs/performance.md
	@$(BIN)/python -m benchmarks

clean: ## remove the .venv, the tools' caches and the runs of the sample
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist sample_recipe/.recipe-kit

$(READY): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { \
		echo "recipe-kit needs Python 3.11 or newer, and there is no '$(PYTHON)' here: install it, or name one with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "recipe-kit needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1): name a newer one with make PYTHON=..." >&2; exit 1; }
	@$(BIN)/python -c '' 2>/dev/null || { rm -rf $(VENV); $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python could not make a virtual environment: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }; }
	@echo "Setting up $(VENV) (once; a few minutes at most) ..." >&2
	@[ -x $(BIN)/uv ] || { $(BIN)/python -m ensurepip >/dev/null && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.5'; }
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --editable '.[all]' --group dev
	@touch $@
