# `make study` and `make test` do everything on a fresh machine; each target sets up what it needs, once.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: study test lint format bench clean

study: .venv/run
	$(BIN)/trimtab run studies/quickstart.toml

test: .venv/develop
	$(BIN)/python -m pytest -q -n 2 --dist loadscope

lint: .venv/develop
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: .venv/develop
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/develop
	$(BIN)/python -m pytest bench -q --benchmark-enable --benchmark-columns=median,iqr,ops,rounds

clean:
	rm -rf .venv

.venv/bin/python:
	$(PYTHON) -m venv .venv

# A mark stands in .venv for each set of packages that is whole, and is older than nothing it depends on.
.venv/run: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) --editable .
	touch $@

.venv/develop: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) --editable '.[dev]'
	touch $@ .venv/run
