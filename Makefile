# One command each; every one makes the environment it needs first.
#
#   make run          serve the demo and print its URL     (ARGS="--port 0 --loop trio")
#   make test         lint, types and the tests            (ARGS="-k persistence -x" for pytest)
#   make test-all     the same, with everything that `make test` takes a sample of
#   make conformance  the black-box cases alone
#   make conformance-peers  them on other servers, too: writes docs/conformance.md
#   make fuzz-differential  the same bytes to every row, new ones for MINUTES=10
#   make soak         honest and hostile clients of several processes, then of processes in every
#                     kind of trouble, for MINUTES=10
#   make leaks        clients of every abusive kind, COUNT=100000 of each, and what they leave behind
#   make ecosystem    a site of each framework on every row and on uvicorn: writes docs/ecosystem.md;
#                     make ecosystem-pins: the same with the frameworks' newest versions from now on
#   make abuse-peers  the same hostile clients of ESG and of other servers: writes docs/abuse-peers.md
#   make accel        compile the fast implementation where its sources have changed
#   make autobahn     AutobahnTestSuite on every row, compression too: a table in .cache/autobahn
#   make sanitize     its tests, compiled with AddressSanitizer and UBSan
#   make fuzz         coverage-guided fuzzing on such a build, then fuzz-differential on it, for
#                     MINUTES=10 in all (needs clang); ARGS="frames --keep": see CONTRIBUTING.md
#   make bench        ESG beside other servers, all of it (ARGS=--list says how long); resumes by
#                     ARGS=--resume; make bench-quick: a few of them, in less than five minutes
#   make bench-micro  each rule interpreted and compiled, in nanoseconds
#   make bench-guard  the fast driver's instructions beside those of BASE (default: the merge
#                     base, or the last release); fails above 3 % more
#   make dist         wheels and source distribution in dist/, each tried in an empty environment
#   make release-check  that version, changelog and TAG=v1.2.3 agree
#   make docs         build the documentation into .cache/docs, warnings are errors
#   make docs-serve   the same, then ESG serves it       (ARGS="--port 0")
#   make lint | types | format | clean
#
# ESG_ACCEL=skip leaves the fast implementation out, ESG_ACCEL=require takes no excuse.
# PYTHON=python3.13 chooses the interpreter, and gives it an environment of its own.
# Written for make 3.81 and a POSIX shell.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# True if $$p runs and is new enough: a version manager's shim exists without running.
usable = "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1

ifdef PYTHON
VENV ?= .cache/venv-$(notdir $(PYTHON))
endif
VENV ?= .venv
# Of a search.
MINUTES ?= 10
# Of abusive clients of a kind.
COUNT ?= 100000
BIN := $(VENV)/bin
PACKAGING := pyproject.toml setup.py esg/_version.py
COMPILED := $(wildcard setup.py build_accel/*.py esg/rules/*.py esg/accel/*.p[yx]* \
  esg/accel/rules/*.pxd)
# Another's active environment must not leak into ours.
unexport PYTHONHOME
unexport PYTHONPATH
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
BUILD_REQUIRES := import tomllib; \
  print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")

# Compiling and installing write the same files.
.NOTPARALLEL:
.PHONY: help run test test-all conformance conformance-peers fuzz-differential soak leaks abuse-peers ecosystem ecosystem-pins \
  accel autobahn sanitize fuzz \
  bench bench-quick bench-micro bench-guard dist docs docs-serve release-check lint types format clean

help:
	@sed -n 's/^#   //p' Makefile

run: $(VENV)/run.stamp accel
	@# The page keeps an event stream open, which would hold Ctrl-C for the default 10 s.
	$(BIN)/python -m esg --timeout-graceful-shutdown 1 $(ARGS) examples.demo:app

# The rules' own tests come first: they take seconds, and must reach every branch.
test: lint types accel
	$(BIN)/python -m coverage run -m pytest $(SELECTION) tests/rules
	$(BIN)/python -m coverage report
	$(BIN)/python -m tests $(SELECTION) --ignore=tests/rules $(ARGS)

# An empty -m takes back pyproject.toml's "not exhaustive".
test-all: SELECTION := -m ""
test-all: test

conformance: $(VENV)/test.stamp accel
	$(BIN)/python -m pytest tests/conformance $(ARGS)

# ARGS names targets to run again; the others keep the results they have.
conformance-peers: $(VENV)/test.stamp accel
	$(BIN)/python -m tests.conformance.matrix $(ARGS)

fuzz-differential: $(VENV)/test.stamp accel
	$(BIN)/python -m tests.differential search --minutes $(MINUTES) $(ARGS)

soak: $(VENV)/test.stamp accel
	$(BIN)/python -m tests.supervisor --minutes $(MINUTES) $(ARGS)

leaks: $(VENV)/test.stamp accel
	$(BIN)/python -m tests.hardening leaks --count $(COUNT) $(ARGS)

ecosystem: $(VENV)/test.stamp accel
	ECOSYSTEM_PEERS=1 $(BIN)/python -m pytest -m "" tests/ecosystem/test_contract.py $(ARGS)
	$(BIN)/python -m tests.ecosystem.matrix

ecosystem-pins: $(VENV)/test.stamp
	$(BIN)/python -m tests.ecosystem.environment

# ARGS names servers to attack again; the others keep the results they have.
abuse-peers: $(VENV)/test.stamp accel
	$(BIN)/python -m tests.hardening peers $(ARGS)

accel: $(VENV)/accel.stamp

autobahn: $(VENV)/test.stamp accel
	$(BIN)/python -m tests.autobahn $(ARGS)

sanitize: $(VENV)/test.stamp
	$(BIN)/python -m build_accel.sanitize $(ARGS)

bench: $(VENV)/made.stamp
	$(BIN)/python bench/run.py $(ARGS)

bench-quick: $(VENV)/made.stamp
	$(BIN)/python bench/run.py --quick --duration 1 $(ARGS)

fuzz: $(VENV)/fuzz.stamp
	$(BIN)/python -m build_accel.fuzz --minutes $(MINUTES) $(ARGS)

bench-micro: $(VENV)/test.stamp accel
	$(BIN)/python bench/micro.py $(ARGS)

bench-guard: $(VENV)/test.stamp accel
	$(BIN)/python bench/guard.py $(if $(BASE),--base $(BASE)) $(ARGS)

dist: $(VENV)/test.stamp
	$(BIN)/python -m release build $(ARGS)
	$(BIN)/python -m release check $(ARGS)

release-check: $(VENV)/test.stamp
	$(BIN)/python -m release version $(TAG)

# From nothing each time: Sphinx reads a page again only where that has changed, but what it
# includes of the code does, too.
docs: $(VENV)/docs.stamp
	@rm -rf .cache/docs
	$(BIN)/python -m sphinx --quiet --fail-on-warning -c docs -b html . .cache/docs
	@echo "Built: .cache/docs/index.html"

docs-serve: docs accel
	STATIC_FILES=.cache/docs $(BIN)/python -m esg $(ARGS) --factory examples.static_files:serve

lint: $(VENV)/test.stamp
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check

types: $(VENV)/test.stamp
	$(BIN)/python -m mypy
	$(BIN)/python -m pyright --pythonpath $(BIN)/python

format: $(VENV)/test.stamp
	$(BIN)/python -m ruff format
	$(BIN)/python -m ruff check --fix

clean:
	rm -rf .venv .cache build dist esg.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -f esg/accel/_build_info.py
	find esg -name '*.so' -exec rm -f {} +
	find esg tests examples build_accel -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The environment -------------------------------------------------------------------
# ESG is installed editable: a change of its code needs no second installation, only, where it
# is compiled, `make accel`.

$(VENV)/run.stamp: $(VENV)/build.stamp $(PACKAGING)
	@echo "Installing ESG into $(VENV)"
	@$(BIN)/python -m pip install -qq --no-build-isolation --editable '.[standard]'
	@touch $@

$(VENV)/test.stamp: $(VENV)/build.stamp $(PACKAGING)
	@echo "Installing ESG and what its tests need into $(VENV)"
	@$(BIN)/python -m pip install -qq --no-build-isolation --editable '.[standard,test]'
	@touch $@ $(VENV)/run.stamp $(VENV)/docs.stamp

$(VENV)/docs.stamp: $(VENV)/build.stamp $(PACKAGING)
	@echo "Installing ESG and what its documentation needs into $(VENV)"
	@$(BIN)/python -m pip install -qq --no-build-isolation --editable '.[standard,docs]'
	@touch $@ $(VENV)/run.stamp

# There is no wheel of atheris for every Python: build_accel.fuzz says so.
$(VENV)/fuzz.stamp: $(VENV)/test.stamp
	@$(BIN)/python -m pip install -qq --only-binary :all: 'atheris>=3.0' && touch $@ || true

# Quick where nothing has changed. Without a compiler it ends well: `esg --version` says why.
$(VENV)/accel.stamp: $(VENV)/build.stamp $(COMPILED)
	@echo "Compiling what has changed of ESG's fast implementation"
	@$(BIN)/python setup.py -q build_ext --inplace >$(VENV)/accel.log 2>&1 \
	  || { cat $(VENV)/accel.log >&2; exit 1; }
	@touch $@

# What pip would otherwise install anew into a throw-away environment for every build.
$(VENV)/build.stamp: $(VENV)/made.stamp pyproject.toml
	@$(BIN)/python -c '$(BUILD_REQUIRES)' >$(VENV)/build-requires.txt
	@$(BIN)/python -m pip install -qq -r $(VENV)/build-requires.txt
	@touch $@

$(VENV)/made.stamp:
	@set -e; \
	for p in $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11 python3.14); do \
	  if $(usable); then found=$$p; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
	  echo "ESG needs Python 3.11 or later$(if $(PYTHON), and $(PYTHON) is not)." \
	    "Debian, Ubuntu: apt-get install python3 python3-venv. macOS: brew install python" >&2; \
	  exit 1; \
	fi; \
	if "$$found" -c 'import ensurepip' 2>/dev/null; then \
	  "$$found" -m venv --clear $(VENV); \
	elif "$$found" -m pip --version >/dev/null 2>&1; then \
	  "$$found" -m venv --clear --without-pip $(VENV); \
	  "$$found" -m pip -qq --python $(BIN)/python install pip; \
	else \
	  echo "$$found has no venv: apt-get install python3-venv" >&2; \
	  exit 1; \
	fi; \
	touch $@
