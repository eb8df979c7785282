# Needs Python 3.11 or newer, pip and make. Every target makes the virtual environment .venv when it is missing or old.

BIN := .venv/bin
READY := .venv/.ready
TESTABLE := .venv/.testable
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

INSTALL = PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(BIN)/pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow lint bench bench-scale client docs clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | \
		while IFS='|' read -r target text; do printf '  make %-12s %s\n' "$$target" "$$text"; done

demo: $(READY)  ## judge the models on a synthetic labour market and write a report
	$(BIN)/metier demo

test: lint  ## lint, types, import rules and all tests but the slow ones, with coverage
	$(BIN)/pytest -n 2 -m "not slow" --cov --cov-report=term:skip-covered

test-slow: $(TESTABLE)  ## the long campaigns
	$(BIN)/pytest -m slow

lint: $(TESTABLE)  ## style, types and import rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(TESTABLE)  ## run every benchmark but bench-scale; each prints one table
	set -e; for script in $(filter-out benchmarks/scale.py,$(wildcard benchmarks/*.py)); do $(BIN)/python $$script; done

bench-scale: $(TESTABLE)  ## the whole 2012 challenge, from files to report, at three sizes
	$(BIN)/python benchmarks/scale.py --plot .bench/scale/scale.svg

client: $(TESTABLE)  ## write the Python client from the OpenAPI document
	$(BIN)/metier serve --print-openapi > docs/reference/openapi.json
	$(BIN)/python tools/generate_client.py docs/reference/openapi.json src/metier/client

docs: client  ## write the generated pages and check that the docs are complete
	$(BIN)/python -m typer metier.cli.app utils docs --name metier --output docs/reference/cli.md
	$(BIN)/metier models --markdown > docs/reference/settings.md
	$(BIN)/python benchmarks/resume_page.py > docs/why/does-the-resume-help.md
	$(BIN)/pytest tests/test_docs.py

clean:  ## remove the virtual environment and every cache
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage

# PIP_CONSTRAINT also reaches the isolated build of the package itself.
$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer with venv and pip found;" \
		"cure: install one (Debian: apt install python3 python3-venv), or make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(INSTALL) -e .
	touch $(READY)

# The tests also need the extras of the torch models (its CPU build suffices: PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu) and of PostgreSQL.
$(TESTABLE): $(READY)
	$(INSTALL) -e '.[dev,torch,postgres,dask]'
	touch $(TESTABLE)
