# The commands of this project. Each sets up what it needs; `make demo` is the place to start.
VENV ?= .venv
PYTHON_BIN = $(VENV)/bin/python
# The folder of the locks that environments are made from.
LOCKS ?= .
NEWEST = build/newest
export VENV PYTHON LOCKS

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint docs bench proof check-host infra package gate release-notes lock newest audit-deps sbom clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: ## make the virtual environment and install what the commands need
	@scripts/setup

demo: setup ## run the whole story on this machine, then stay up (DEMO_EXIT=1 ends after it)
	@$(PYTHON_BIN) -m sandbox.demo $(if $(DEMO_EXIT),--exit)

test: export CHECKS = 1
test: lint ## pass the quick tests (ALL=1: every test; COVERAGE=1: every branch of coupa_core must be covered, too)
	@$(PYTHON_BIN) -m pytest -n auto --dist worksteal $(if $(ALL),-m "" --hypothesis-profile=all) \
		$(if $(COVERAGE),--cov --cov-report=term) $(PYTEST_ARGS)

lint: setup ## check style, types, imports and workflows
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo --no-cache
	@$(VENV)/bin/zizmor --quiet --offline --pedantic .github .pre-commit-config.yaml

docs: setup ## write what the documents repeat of the code (routes, settings, fields of a notice)
	@PYTHONPATH=. $(PYTHON_BIN) scripts/docs.py

bench: setup ## measure, beside the guide's manner (BESIDE=folder: beside another checkout, with ratios)
	@$(PYTHON_BIN) -m bench $(BESIDE)
	@$(PYTHON_BIN) -m bench.quiet $(if $(BESIDE),--beside $(BESIDE))

proof: setup ## prove that nothing is lost, at full size (half an hour on 2 cores)
	@PYTHONPATH=tests $(PYTHON_BIN) -m proof $(if $(SEED),--seed $(SEED))

check-host: setup ## hold Microsoft's host to the table of its answers: func on the path, or URL=... with MASTER_KEY set
	@PYTHONPATH=tests $(PYTHON_BIN) -m host_table $(if $(URL),--url '$(URL)')

infra: tools-infra tests/infra/node_modules ## check templates and alerts; compile them, too, where the Bicep CLI is
	@$(PYTHON_BIN) -m pytest -q -m "" $(wildcard tests/test_infra*.py)
	@scripts/bicep

# Microsoft's language service for the queries. Without it the tests say what was not checked.
tests/infra/node_modules: tests/infra/package-lock.json
	@cd tests/infra && npm ci --silent && touch node_modules || echo "infra: npm could not install Kusto's language service" >&2

package: ## put what is deployed into build/package; installs nothing
	@$(or $(PYTHON),python3) scripts/package.py

release-notes: ## print the changelog's section of a release, TAG=1.2.3; installs nothing
	@$(or $(PYTHON),python3) scripts/release_notes.py "$$TAG" $${LINKS:+"$$LINKS"}

gate: ## ask the deployment at URL whether it works; waits for a sweep (VERSION=any compares no release; MASTER_KEY, OPERATORS_KEY: in the environment)
	@$(or $(PYTHON),python3) -m coupa_core.gate "$(URL)" $(if $(VERSION),--version "$(VERSION)")

lock: tools-supply ## lock what every command installs, with hashes (UPGRADE=1 takes the newest versions)
	@scripts/lock $(VENV)-supply/bin/uv . $(if $(UPGRADE),--upgrade)

newest: tools-supply ## pass the tests on the newest versions, list what differs from the locks, and change nothing
	@mkdir -p $(NEWEST) && rm -f $(NEWEST)/*.txt
	@scripts/lock $(VENV)-supply/bin/uv $(NEWEST)
	@$(MAKE) --no-print-directory tools-infra tools-supply LOCKS=$(NEWEST) VENV=$(NEWEST)/venv
	@$(NEWEST)/venv/bin/python scripts/newest.py $(NEWEST)
	@$(MAKE) --no-print-directory test infra ALL=1 LOCKS=$(NEWEST) VENV=$(NEWEST)/venv

audit-deps: build/deployed.txt ## ask whether a known hole is in what is deployed (needs the network)
	@$(PYTHON_BIN) scripts/audit_deps.py $(VENV)-supply/bin/pip-audit build/deployed.txt

sbom: build/deployed.txt ## list what is deployed as CycloneDX, in build/sbom.cdx.json
	@PYTHONWARNINGS=ignore $(VENV)-supply/bin/cyclonedx-py requirements build/deployed.txt --pyproject pyproject.toml \
		--output-format JSON --output-reproducible --output-file build/sbom.cdx.json
	@echo build/sbom.cdx.json

build/deployed.txt: tools-supply
	@mkdir -p build
	@$(PYTHON_BIN) scripts/locks.py > build/deployed.txt

# Tools that only some commands need, in an environment of their own beside the one that runs and tests.
tools-%: setup
	@scripts/venv $(VENV)-$* $(LOCKS)/requirements-$*.txt $(PYTHON_BIN)

clean: ## remove what the commands made
	rm -rf build .venv .venv-* sandbox/node_modules tests/infra/node_modules tests/npm/node_modules
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
