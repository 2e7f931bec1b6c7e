# `make demo` and `make test` do all their set-up themselves; `make` alone says what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
NOTEBOOKS := $(sort $(wildcard notebooks/*.ipynb))
LIVE := notebooks/03_live_benchmark.ipynb
NBVAL := $(BIN)/pytest -q --nbval-current-env --nbval-sanitize-with notebooks/nbval.cfg
NOTEBOOK ?= 03_live_benchmark
POOL ?= small
LAB ?=
COPY ?= notebooks/runs/$(NOTEBOOK).$(basename $(notdir $(POOL))).ipynb

.PHONY: help demo notebooks run-notebook execute-notebooks check-notebooks test audit lock clean

help:
	@echo "make demo               run the reference scenario with real models"
	@echo "make notebooks          open the notebooks in JupyterLab; LAB='--no-browser --port 8889' says how"
	@echo "make run-notebook       run notebook 03 with POOL=small and keep the copy; NOTEBOOK=, POOL=, COPY= say otherwise"
	@echo "make test               lint, type check and test, notebooks included"
	@echo "make check-notebooks    run every notebook and compare what it shows with what is on its page"
	@echo "make execute-notebooks  run every notebook and put what it shows on its page"
	@echo "make audit              look the locked dependencies up in the index of known vulnerabilities"
	@echo "make lock               resolve the dependencies anew into requirements.lock"
	@echo "make clean              remove the virtual environment"

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit('Python 3.11 or newer is needed; set PYTHON=...' if sys.version_info < (3, 11) else 0)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -W ignore -m compileall -qq -j 0 $(VENV)/lib multillm || true  # a file for another Python is no matter
	@$(BIN)/python -c "import matplotlib.font_manager"  # makes its list of fonts, else the first picture waits for it
	@touch $@

demo: $(READY)
	@$(BIN)/multillm doctor > /dev/null || $(BIN)/multillm setup
	$(BIN)/multillm demo

notebooks: $(READY)
	$(BIN)/jupyter lab $(LAB) notebooks/00_quickstart.ipynb

run-notebook: $(READY)
	@$(BIN)/multillm doctor > /dev/null || $(BIN)/multillm setup
	@mkdir -p $(dir $(COPY))
	$(BIN)/papermill --kernel python3 -p POOL $(POOL) notebooks/$(NOTEBOOK).ipynb $(COPY)

execute-notebooks: $(READY)
	@$(BIN)/multillm setup
	$(BIN)/python notebooks/execute.py

# The live notebook's times and answers differ from run to run: what it claims stands in its assertions.
check-notebooks: $(READY)
	@$(BIN)/multillm setup
	$(NBVAL) --nbval $(filter-out $(LIVE),$(NOTEBOOKS))
	$(NBVAL) --nbval-lax $(LIVE)

# Some tests are about time: what fails on a busy machine is run once more, alone, and must pass then.
test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@$(BIN)/multillm setup
	$(BIN)/pytest --numprocesses 2 --dist loadfile || $(BIN)/pytest --last-failed
	$(MAKE) check-notebooks

audit: $(READY)
	$(BIN)/python .ci/audit

lock: $(READY)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
		--no-annotate --no-header --upgrade pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV)
