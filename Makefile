# Every target sets up .venv first if it is missing; a second call installs nothing.
# Another interpreter:  make setup PYTHON=python3.13

PYTHON ?= python3
JOBS   ?= 2
PATHS  ?= 100000
SEED   ?= 1
STUDY  ?= configs/neocloud-2026.yaml
OUT    ?= results/base
ARGS   ?=

BIN   := .venv/bin
STAMP := .venv/.stamp

.DEFAULT_GOAL := help
.PHONY: help setup run test test-nojit mutants coverage check lint types walls format bench pages lock notices clean distclean

# Without bytecode every process would import three times slower, for ever.
unexport PYTHONDONTWRITEBYTECODE

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## build .venv from the lock file, with the package installed editable

$(BIN)/python:
	$(PYTHON) -m venv .venv

.venv/.locked: requirements.lock | $(BIN)/python
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --no-compile -r requirements.lock
	-@$(BIN)/python -m compileall -qq -j 0 -x '/tests?/' "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
	@touch $@

$(STAMP): .venv/.locked pyproject.toml
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(STAMP)  ## simulate the reference study and write its report
	$(BIN)/neobox run $(STUDY) --paths $(PATHS) --seed $(SEED) --jobs $(JOBS) --out $(OUT)
	$(BIN)/neobox report $(OUT)

test: $(STAMP)  ## run the whole test suite; choose with ARGS="-m 'not slow'"
	$(BIN)/python -m pytest $(ARGS)

test-nojit: $(STAMP)  ## run the small tests as plain Python, without the compiler
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -m nojit $(ARGS)

mutants: $(STAMP)  ## put faults into the kernels and see which the tests notice (docs/mutation.md)
	$(BIN)/python -m tests.mutation $(ARGS)

coverage: $(STAMP)  ## branch coverage, without the compiler (compiled lines cannot be counted)
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m coverage run -m pytest -m nojit
	$(BIN)/python -m coverage report

check: lint types walls  ## everything that is checked without running it

lint: $(STAMP)  ## rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## types, strict
	$(BIN)/mypy

walls: $(STAMP)  ## which layer may import which
	$(BIN)/lint-imports

format: $(STAMP)  ## format and repair what can be repaired
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)  ## time the engine
	$(BIN)/python -m benchmarks

pages: $(STAMP)  ## write tables and figures of docs/drivers and docs/validation.md again
	$(BIN)/python docs/make_pages.py
	$(BIN)/python docs/make_validation.py

lock:  ## resolve requirements.lock again from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
		--custom-compile-command "make lock" --quiet -o requirements.lock

notices: $(STAMP)  ## write the table of licences again
	$(BIN)/python .ci/notices.py

clean:  ## remove caches and builds
	rm -rf build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -path ./.venv -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf

distclean: clean  ## remove the environment as well
	rm -rf .venv
