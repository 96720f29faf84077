# Every target makes the virtual environment first if it is not there: a bare machine with Python 3.11 or newer will do.
# PYTHON names another interpreter, ARGS goes to the command at the end: make demo ARGS=--exit

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install demo test test-fast test-long check format docs clean

help:
	@echo "make demo       draw a shop, train on it, serve it: ends with the address of a web page (ARGS=--exit to end there)"
	@echo "make test       all tests, about twelve minutes on two cores"
	@echo "make test-fast  the tests without a Ray cluster or a browser, under a minute"
	@echo "make test-long  many cases, faults and load: an hour or more"
	@echo "make check      ruff, mypy, import directions (import-linter), size limits, docs up to date"
	@echo "make format     let ruff write what it can mend"
	@echo "make docs       write the generated part of docs/configuration.md anew"
	@echo "make clean      delete the virtual environment, caches and builds (not your workspace)"

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "expected Python 3.11 or newer, got $$($(PYTHON) --version); name one with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(INSTALLED)
	$(BIN)/visrec demo --config examples/demo.yaml $(ARGS)

test: $(INSTALLED)
	BIN=$(BIN) scripts/test $(ARGS)

test-fast: $(INSTALLED)
	BIN=$(BIN) scripts/test --fast $(ARGS)

test-long: $(INSTALLED)
	BIN=$(BIN) scripts/test --long $(ARGS)

check: $(INSTALLED)
	BIN=$(BIN) scripts/check

format: $(INSTALLED)
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: $(INSTALLED)
	$(BIN)/python scripts/config_reference.py --write

clean:
	rm -rf $(VENV) .types build dist platform/visrec.egg-info .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
