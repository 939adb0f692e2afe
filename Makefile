# The commands of this project. Each sets up what it needs; `make demo` is the place to start.
VENV ?= .venv
PYTHON_BIN = $(VENV)/bin/python
export VENV PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench proof infra package lock audit-deps sbom clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: ## make the virtual environment and install what the commands need
	@scripts/setup

demo: setup ## run the whole story on this machine, then stay up (DEMO_EXIT=1 ends after it)
	@$(PYTHON_BIN) -m sandbox.demo $(if $(DEMO_EXIT),--exit)

test: lint ## pass the tests (COVERAGE=1 asks for every branch of coupa_core, too, and takes half as long again)
	@$(PYTHON_BIN) -m pytest -n auto --dist worksteal $(if $(COVERAGE),--cov --cov-report=term) $(PYTEST_ARGS)

lint: setup
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

bench: setup ## measure, beside the guide's manner (BESIDE=folder: beside another checkout, with ratios)
	@$(PYTHON_BIN) -m bench $(BESIDE)

proof: setup ## prove that nothing is lost, at full size (under 20 minutes on 2 cores)
	@PYTHONPATH=tests $(PYTHON_BIN) -m proof $(if $(SEED),--seed $(SEED))

infra: setup ## check the templates and alerts; compile them too where the Bicep CLI is
	@scripts/tools infra
	@$(PYTHON_BIN) -m pytest -q $(wildcard tests/test_infra*.py)
	@scripts/bicep

package: setup ## put what is deployed into build/package
	@$(PYTHON_BIN) scripts/package.py

lock: setup ## pin what is deployed, with hashes (UPGRADE=1 takes the newest versions)
	@scripts/tools supply
	@.venv-supply/bin/uv pip compile requirements.txt --output-file requirements.lock --quiet --generate-hashes \
		--python-version 3.13 --python-platform x86_64-manylinux_2_28 --only-binary :all: --emit-build-options \
		--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" \
		$(if $(UPGRADE),--upgrade)

audit-deps: setup ## ask whether a known hole is in what is deployed (needs the network)
	@scripts/tools supply
	@$(PYTHON_BIN) scripts/audit_deps.py .venv-supply/bin/pip-audit

sbom: setup ## list what is deployed as CycloneDX, in build/sbom.cdx.json
	@scripts/tools supply
	@mkdir -p build
	@PYTHONWARNINGS=ignore .venv-supply/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml \
		--output-format JSON --output-reproducible --output-file build/sbom.cdx.json
	@echo build/sbom.cdx.json

clean: ## remove what the commands made
	rm -rf build .venv .venv-3.13 .venv-infra .venv-supply sandbox/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
