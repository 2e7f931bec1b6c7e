# `make demo` and `make test` do all their set-up themselves; `make` alone says what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test lock clean

help:
	@echo "make demo   run the reference scenario with real models"
	@echo "make test   lint, type check and test"
	@echo "make lock   resolve the dependencies anew into requirements.lock"
	@echo "make clean  remove the virtual environment"

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit('Python 3.11 or newer is needed; set PYTHON=...' if sys.version_info < (3, 11) else 0)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)
	@$(BIN)/multillm doctor > /dev/null || $(BIN)/multillm setup
	$(BIN)/multillm demo

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@$(BIN)/multillm setup
	$(BIN)/pytest

lock: $(READY)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
		--no-annotate --no-header --upgrade pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV)
