# Tasks of the project. Plain `make` lists them. Needs make and Python 3.11 or newer, nothing else:
# everything goes into $(VENV), with plain venv and pip.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The first Python that is new enough; `make PYTHON=/path/to/python3.12` names another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
SECONDS_EACH ?= 10
ARGS ?=

.PHONY: help setup demo test site judges spark bench lint format types layers fuzz wheel clean ci

help: ## list the tasks (this is what plain `make` does)
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# Two stamps, so that the demo needs only what a user needs. Both are older than an edited pyproject.toml.
$(VENV)/.runtime: pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found. Install one, or: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
		echo "That Python cannot make a virtual environment (Debian and Ubuntu: apt-get install python3-venv)." >&2; exit 2; }
	@echo "setup: installing bridge into $(VENV)"
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	@echo "setup: installing what its development needs into $(VENV)"
	@$(PIP) install --editable '.[dev]'
	@touch $@

setup: $(VENV)/.dev ## make .venv with bridge and everything that its development needs

demo: $(VENV)/.runtime ## translate a real RT Plan to FHIR, to HL7 v2 and back, and show the account
	@$(BIN)/bridge demo

test: $(VENV)/.dev ## run the whole test suite; ARGS='-k term' runs a part of it
	@$(BIN)/python -m pytest -n 2 $(ARGS)

site: $(VENV)/.dev ## build the whole site and look at every page, block of code and link of it; needs chromium and rhino
	@BRIDGE_SITE=1 $(BIN)/python -m pytest -n 1 --timeout 1500 tests/pages $(ARGS)

judges: $(VENV)/.dev ## let SUSHI, GoFSH, Medplum and fhir (npm) judge the FHIR package, in three releases; needs node and npm
	@$(BIN)/python -m tests.package.judges.install
	@BRIDGE_JUDGES=1 $(BIN)/python -m pytest -n 2 tests/package/test_judges.py $(ARGS)

# Spark is larger than all the rest together: only those who ask for it get it.
$(VENV)/.spark: $(VENV)/.dev
	@echo "setup: installing Spark into $(VENV)"
	@$(PIP) install --editable '.[dev,spark]'
	@touch $@

spark: $(VENV)/.spark ## run the batch on Spark, two cores, against the runner on one machine; needs Java 17
	@BRIDGE_SPARK=1 $(BIN)/python -m pytest -n 0 tests/batch/spark $(ARGS)

bench: $(VENV)/.dev ## measure speed against pydicom, hl7apy and json, and print the ratios
	@$(BIN)/python -m tests.benchmarks $(ARGS)

lint: $(VENV)/.dev ## check style and layout of the code (ruff)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.dev ## lay the code out and mend what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.dev ## check the types (mypy --strict)
	@$(BIN)/mypy

layers: $(VENV)/.dev ## check that imports go one way (import-linter)
	@$(BIN)/lint-imports

fuzz: $(VENV)/.dev ## feed broken documents to every reader and writer, SECONDS_EACH=10 each
	@$(BIN)/python -m tests.fuzz --seconds $(SECONDS_EACH) $(ARGS)

wheel: $(VENV)/.dev ## build the sdist, and the wheel from it, into dist/
	@rm -rf dist build
	@$(BIN)/python -m build --outdir dist .

clean: ## remove .venv and everything that was made
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis .import_linter_cache fuzz-findings bench-results
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

ci: ## run everything that a change must pass, as the build server does
	@bash .ci/run
