# The commands of this project. Each sets up what it needs; `make demo` is the place to start.
VENV ?= .venv
PYTHON_BIN = $(VENV)/bin/python
export VENV PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench proof clean

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: ## make the virtual environment and install what the commands need
	@scripts/setup

demo: setup ## run the whole story on this machine, then stay up (DEMO_EXIT=1 ends after it)
	@$(PYTHON_BIN) -m sandbox.demo $(if $(DEMO_EXIT),--exit)

test: lint ## pass the tests
	@$(PYTHON_BIN) -m pytest -n auto --dist worksteal --cov --cov-report=term $(PYTEST_ARGS)

lint: setup
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

bench: setup ## measure, beside the guide's manner
	@$(PYTHON_BIN) -m bench

proof: setup ## prove that nothing is lost, at full size (under 20 minutes on 2 cores)
	@PYTHONPATH=tests $(PYTHON_BIN) -m proof $(if $(SEED),--seed $(SEED))

clean: ## remove what the commands made
	rm -rf .venv .venv-3.13 sandbox/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
