# Each target sets up .venv itself; a fresh machine needs only Python 3.11+ and make.
PYTHON ?= python3
BIN := $(if $(filter Windows_NT,$(OS)),.venv/Scripts,.venv/bin)

.PHONY: demo test slow lint bench clean

demo: .venv/ready                      ## validate and solve the sample case, print its one page, write its report
	$(BIN)/echelon validate data/harbor_tools
	$(BIN)/echelon solve data/harbor_tools --family ordering --time-limit 60 --gap 0.005 --out runs

test: .venv/ready                      ## lint, types, and the tests that are not marked slow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2

slow: .venv/ready                      ## the tests marked slow
	$(BIN)/pytest -m slow

bench: .venv/ready                     ## the benchmarks that need no published instances
	$(BIN)/python benchmarks/handover.py
	$(BIN)/python benchmarks/validation.py
	$(BIN)/python benchmarks/report.py

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch .venv/ready

clean:
	rm -rf .venv runs .pytest_cache .hypothesis .mypy_cache .ruff_cache
