# Two commands for everyone: make demo, make test. The rest is for those who work on the code.

# Where the environments are made. They are made anew when their lock changes.
VENV ?= .venv
TEST_VENV ?= .venv-test
# The first port of the demo; the others are +1, +2, +25 and +26.
PORT_BASE ?= 8000
# How many tests run at once.
WORKERS ?= 2

BIN = $(TEST_VENV)/bin
SOURCES = idp clients tests benchmarks deploy migrations
PYTEST = $(BIN)/python -m pytest

.PHONY: help demo demo-reset test lint format types contracts pytest acceptance screenshots interop bench lock clean environment test-environment

help:
	@sed -n 's/^## //p' Makefile

## make demo         start everything on this machine and say what to open (Ctrl-C stops it)
demo: environment
	@exec $(VENV)/bin/python -m idp.demo --port-base $(PORT_BASE)

## make demo-reset   throw the demo's data away and start anew
demo-reset: environment
	@exec $(VENV)/bin/python -m idp.demo --port-base $(PORT_BASE) --reset

## make test         everything that is checked: style, types, contracts, tests, foreign relying parties
test: test-environment lint pytest

## make lint         style, types and import contracts
lint: test-environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

## make format       put the code into the house's form
format: test-environment
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

## make pytest       the tests alone (PYTEST_ARGS="tests/protocol -k pkce" for some of them)
pytest: test-environment
	@mkdir -p tests/reports
	$(PYTEST) -n $(WORKERS) --dist worksteal --junit-xml=tests/reports/junit.xml $(PYTEST_ARGS)

## make acceptance   one line for every requirement and every attack: is it shown by a test?
acceptance: test-environment
	@WORKERS=$(WORKERS) $(BIN)/python -m tests.tools.acceptance

## make screenshots  pictures of every page, phone and desktop, ja and en, in screenshots/
screenshots: test-environment
	KOSODATE_SCREENSHOTS=$(CURDIR)/screenshots $(PYTEST) -n $(WORKERS) tests/browser

## make interop      foreign relying parties, unmodified, sign in
interop: test-environment
	$(PYTEST) tests/interop

## make bench        what each operation costs (BENCH_ARGS="--databases sqlite --runs 1"; --help says all)
bench: test-environment
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

## make lock         write the lock files anew from pyproject.toml
lock: test-environment
	PYTHON=$(BIN)/python tests/tools/lock.sh

## make clean        remove what was made here: environments, reports, the demo's data
clean:
	rm -rf $(VENV) $(TEST_VENV) tests/reports screenshots var demo-data tests/browser/node_modules tests/interop/node_modules
	find . -name __pycache__ -prune -exec rm -rf {} +

environment:
	@deploy/environment.sh $(VENV) requirements.lock

test-environment:
	@tests/tools/system-packages.sh
	@deploy/environment.sh $(TEST_VENV) requirements-dev.lock
	@tests/tools/node-packages.sh
