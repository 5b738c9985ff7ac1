# Two commands matter: `make serve` and `make test`. Both need only Python >= 3.11 and make.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

HOST ?= 127.0.0.1
PORT ?= 8000
GPU ?=
# The first interpreter on this machine that is new enough.
PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11 python,\
  $(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $(p))))

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
CODE := app model training benchmarks tests

# The folder with the locks: which version of everything is installed. Another folder where other versions are wanted (docs/dependencies.md).
LOCK ?= requirements

# A stamp in the environment stands for each thing installed, so that it is installed once and again only when pyproject.toml or its
# lock changes.
READY := $(VENV)/.ready
BASE := $(VENV)/.base
TORCH := $(VENV)/.gpu
DEV := $(VENV)/.dev
UV := $(VENV)/.uv
BROWSER := $(VENV)/.browser
# An environment with the locked serving set and nothing else: what the reports and the SBOM are about.
SERVING := build/serving
# One with the public clients of the Open Inference Protocol, which would not go beside the service.
CLIENTS := build/clients

.PHONY: help
help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: serve
serve: $(BASE) $(if $(GPU),$(TORCH)) ## start the service (PORT=8000 HOST=127.0.0.1; GPU=1 adds torch)
	@echo
	@echo "  Glassbot is starting. Look at  http://$(HOST):$(PORT)/  (Ctrl-C stops it)"
	@echo
	@GLASSBOT_HOST=$(HOST) GLASSBOT_PORT=$(PORT) exec $(BIN)/glassbot serve

.PHONY: test
test: $(DEV) browser check ## install what is missing, then every check, and every test but the longest
	@$(MAKE) --no-print-directory warn

.PHONY: check
check: lint types imports js tests ## lint, types, import directions, the page's scripts, tests with coverage

.PHONY: lint
lint: $(DEV) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: format
format: $(DEV) ## put the code into shape
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.PHONY: types
types: $(DEV) ## mypy, strict
	$(BIN)/mypy

.PHONY: imports
imports: $(DEV) ## app -> model <- training, never the other way
	$(BIN)/lint-imports --no-logo

.PHONY: tests
tests: $(DEV) ## the tests alone, WORKERS=2 files at a time (ARGS="-k sentence" passes on to pytest)
	$(BIN)/python -m pytest --numprocesses $(or $(WORKERS),2) --dist loadfile --cov --cov-report=term:skip-covered $(ARGS)

.PHONY: quick
quick: $(DEV) ## the tests that take no browser and no patience
	$(BIN)/python -m pytest -q -m "not slow and not browser" $(ARGS)

# Twenty kills of a run, 10,000 hostile bodies, 100,000 requests, 10,000 files, 100,000 sentences; then the tests as they are, in other
# orders of Python's hashes.
LONG := GLASSBOT_SOAK=1 GLASSBOT_KILLS=20 GLASSBOT_FUZZ=10000 GLASSBOT_EXAMPLES=200 GLASSBOT_REQUESTS=100000 \
  GLASSBOT_FILES=10000 GLASSBOT_SENTENCES=100000 GLASSBOT_BUCKET=20000
.PHONY: soak
soak: $(DEV) licences audit sbom clients ## every test in its long form, then again and again (ROUNDS=2), before something is called done
	$(LONG) $(BIN)/python -m pytest -q -x --timeout=3600 $(ARGS)
	@for round in $$(seq $(or $(ROUNDS),2)); do \
	  echo "round $$round"; PYTHONHASHSEED=$$round $(BIN)/python -m pytest -q -x $(ARGS) || exit 1; done

.PHONY: clients
clients: $(DEV) $(CLIENTS)/.ready ## public clients of the Open Inference Protocol (tritonclient, kserve) against a real service
	$(BIN)/python -m pytest -q tests/clients $(ARGS)

.PHONY: licences
licences: $(DEV) $(SERVING)/.ready ## the licence of everything that serving installs; fails on one that does not fit (pyproject.toml lists them)
	$(BIN)/pip-licenses --python=$(SERVING)/bin/python --ignore-packages glassbot

# Strict: a package of which nothing is known is no package without vulnerabilities. Whether their list can be reached at all is asked
# first, with a package that it surely knows.
AUDIT = $(BIN)/pip-audit --strict --disable-pip --no-deps --progress-spinner=off --requirement
.PHONY: audit
audit: $(DEV) ## known vulnerabilities of everything that serving installs; skipped where their list cannot be reached
	@mkdir -p build
	@grep '^jinja2==' $(LOCK)/serve.txt >build/audit-probe.txt
	@if $(AUDIT) build/audit-probe.txt 2>&1 | grep -qE 'not found on PyPI|Connection|Max retries|Failed to resolve|timed out|ProxyError'; \
	then echo 'AUDIT SKIPPED: the list of known vulnerabilities cannot be reached here.'; \
	else $(AUDIT) $(LOCK)/serve.txt; fi

.PHONY: sbom
sbom: $(DEV) $(SERVING)/.ready ## dist/sbom.cdx.json: what serving installs, as CycloneDX (the image has its own in /opt/glassbot)
	@mkdir -p dist
	$(BIN)/cyclonedx-py environment $(SBOM) --output-file dist/sbom.cdx.json $(SERVING)/bin/python
SBOM := --pyproject pyproject.toml --mc-type application --output-reproducible

.PHONY: lock
lock: $(UV) ## bring requirements/ in line with pyproject.toml; what it locks already keeps its version
	$(COMPILE) --all-extras --annotation-style line --output-file requirements/dev.txt pyproject.toml
	$(COMPILE) $(SUBSET) --extra gpu --extra train --output-file requirements/train.txt pyproject.toml
	$(COMPILE) $(SUBSET) --output-file requirements/serve.txt pyproject.toml
	$(COMPILE) $(SUBSET) --group build --output-file requirements/build.txt
	$(COMPILE) $(SUBSET) --group node --output-file requirements/node.txt
	$(COMPILE) --no-annotate --group clients --output-file requirements/clients.txt
# One version for all Pythons from 3.11 on and all platforms where that is possible, and wheels only. pip belongs to the environment.
COMPILE = $(BIN)/uv pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --fork-strategy fewest --only-binary :all: \
  --no-emit-package pip --custom-compile-command 'make lock'
# A smaller set never disagrees with the largest.
SUBSET := --constraints requirements/dev.txt --no-annotate

.PHONY: update
update: ## requirements/ with the newest version of everything that pyproject.toml allows
	@$(MAKE) --no-print-directory lock UPGRADE=--upgrade

.PHONY: notebook
notebook: $(DEV) ## run notebooks/alexnet.py and keep it as .ipynb and .html
	$(BIN)/python -m notebooks.build

.PHONY: screenshots
screenshots: $(DEV) browser ## docs/screenshots: every view at three widths, light and dark
	$(BIN)/python -m tests.browser.screenshots docs/screenshots

.PHONY: clean
clean: ## remove the environment, caches and builds; runs/ stays
	rm -rf $(VENV) build dist .coverage .coverage.* htmlcov .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------- the page's scripts

# They are served as they are written; what checks them lies in tests/js and needs node: one of 20 or newer on this machine, or else
# the one that pip brings.
JS := tests/js
TOOLS := $(JS)/node_modules
NODE := $(VENV)/.node
HAS_NODE := $(shell command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && echo yes)
export PATH := $(if $(HAS_NODE),$(PATH),$(abspath $(BIN)):$(PATH))
REST := $(TOOLS)/.bin/openapi-typescript build/openapi.json --root-types --root-types-no-schema-prefix --output $(JS)/rest.d.ts

.PHONY: js
js: $(DEV) $(TOOLS)/.package-lock.json build/openapi.json ## the page's scripts: types, rules and format, and that rest.d.ts fits the service
	$(REST) --check
	$(TOOLS)/.bin/tsc --project $(JS)
	$(TOOLS)/.bin/biome ci --config-path=$(JS) static/js

.PHONY: jsformat
jsformat: $(DEV) $(TOOLS)/.package-lock.json build/openapi.json ## put the page's scripts into shape, and renew rest.d.ts
	$(REST)
	$(TOOLS)/.bin/biome check --write --config-path=$(JS) static/js

.PHONY: build/openapi.json
build/openapi.json: $(DEV)
	@mkdir -p build
	@$(BIN)/python -m tests.js.contract >$@

$(TOOLS)/.package-lock.json: $(JS)/package-lock.json $(JS)/package.json $(if $(HAS_NODE),,$(NODE))
	@echo "Installing what checks the page's scripts"
	@npm ci --prefix $(JS) --silent || { echo "The page's scripts cannot be checked: npm could not install what $(JS)/package-lock.json names (is there a network?)." >&2; exit 1; }
	@touch $@

$(NODE): $(LOCK)/node.txt | $(READY)
	@echo "Installing node, which checks the page's scripts"
	@$(PIP) install --requirement $(LOCK)/node.txt || { echo "The page's scripts cannot be checked: they need node 20 or newer, which is neither on this machine nor to be had from pip." >&2; exit 1; }
	@touch $@

# ---------------------------------------------------------------- what has to be installed

$(READY):
	@test -n "$(PYTHON)" || { echo "Glassbot needs Python 3.11 or newer; name one with PYTHON=/path/to/python3." >&2; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# Ours is built by the locked hatchling, not by the newest: hence without isolation.
install = $(PIP) install --constraint $(LOCK)/$(1).txt --no-build-isolation --editable '.$(2)'

$(BASE): pyproject.toml $(LOCK)/build.txt $(LOCK)/serve.txt | $(READY)
	@echo "Installing what serving needs"
	@$(PIP) install --requirement $(LOCK)/build.txt
	@$(call install,serve)
	@touch $@

$(TORCH): $(BASE) $(LOCK)/train.txt
	@echo "Installing torch (about 5 GB with CUDA)"
	@$(call install,train,[gpu])
	@touch $@

$(DEV): $(BASE) $(LOCK)/dev.txt
	@echo "Installing what training and the tests need (about 5 GB with CUDA)"
	@$(call install,dev,[train$(comma)teacher$(comma)notebook$(comma)dev])
	@touch $@
comma := ,

$(UV): | $(READY)
	@$(PIP) install 'uv>=0.9,<1'
	@touch $@

$(SERVING)/.ready: pyproject.toml $(LOCK)/serve.txt | $(BASE)
	@echo "Installing the locked serving set into $(SERVING)"
	@$(BIN)/python -m venv --clear --without-pip $(SERVING)
	@$(PIP) --python $(SERVING)/bin/python install --requirement $(LOCK)/serve.txt
	@touch $@

$(CLIENTS)/.ready: $(LOCK)/clients.txt | $(READY)
	@echo "Installing the clients of the Open Inference Protocol into $(CLIENTS)"
	@$(BIN)/python -m venv --clear --without-pip $(CLIENTS)
	@$(PIP) --python $(CLIENTS)/bin/python install --requirement $(LOCK)/clients.txt
	@touch $@

# Debian's chromium where we may install it, else the browser that Playwright brings. Neither is no error here: `warn` says it at the end.
.PHONY: browser
browser: $(DEV)
	@test -e $(BROWSER) || { $(install_browser); } && touch $(BROWSER) || true

define install_browser
command -v chromium >/dev/null \
|| { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq \
     && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
|| $(BIN)/playwright install chromium
endef

.PHONY: warn
warn:
	@test -e $(BROWSER) || printf '\n%s\n%s\n%s\n\n' '!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!' \
	  'BROWSER TESTS SKIPPED: no browser could be installed here.' '!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!'
