# One command for each daily act; each makes .venv itself when it is missing.
PYTHON ?= python3
BIN := .venv/bin
# Compiled files spare each worker, and each program that a test starts, seconds.
PYTEST1 := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
PYTEST := $(PYTEST1) -n logical --maxprocesses 4
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q
.DEFAULT_GOAL := help

.PHONY: help demo test test-quick test-slow lab lint bench bench-compare docs fuzz guest notebooks pictures lock clean

help:
	@echo "make demo       segment the shipped road; files go to out/demo"
	@echo "make lab        open the notebooks in JupyterLab"
	@echo "make test       tests, doctests and notebooks, in 10 minutes; what the browser showed is in out/browser"
	@echo "make test-quick the tests that take a minute, before every push (pre-commit install)"
	@echo "make test-slow  what 'make test' leaves out: fuzz, kills, long lives, rows of long tables, notebooks on the real model"
	@echo "make lint       formatting, types, import contracts; of the JavaScript, too, where Node 20 is"
	@echo "make bench      ratios against named peers; each run is a file in out/bench"
	@echo "make bench-compare  the last two runs side by side (A=PATH B=PATH: those)"
	@echo "make docs       the documentation's pages, into out/docs"
	@echo "make fuzz       mutated images, masks and JSON files; 10,000 models through guests and inspect (MODELS=n)"
	@echo "make guest      build the WebAssembly guests again (Debian's Rust and clang)"
	@echo "make notebooks  run the tutorials and save their outputs"
	@echo "make pictures   draw the README's figures again"
	@echo "make lock       take the newest versions into constraints.txt"

# The stamps say which extras .venv has; a change of the requirements installs again.
.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.lab: .venv/.made pyproject.toml constraints.txt
	@echo "installing the package and JupyterLab into .venv (a minute or two)"
	$(PIP) -c constraints.txt -e ".[lab,onnxruntime]"
	@touch $@

.venv/.dev: .venv/.made pyproject.toml constraints.txt
	@tools/debian-packages.sh
	@echo "installing the package and its tools into .venv (a minute or two)"
	$(PIP) -c constraints.txt -e ".[dev]"
	@touch $@ .venv/.lab

# Node is not needed: run.sh counts what is left out without it, and then makes no stamp.
JAVASCRIPT := tests/javascript
$(JAVASCRIPT)/node_modules/.made: $(JAVASCRIPT)/package-lock.json
	@$(JAVASCRIPT)/run.sh install

demo: .venv/.lab
	@$(BIN)/wasinn-nb segment --scores --output out/demo
	@echo
	@echo "Now the same in a notebook:  make lab"

lab: .venv/.lab
	$(BIN)/wasinn-nb lab notebooks

# Beside the tests: the tutorials, and the tests of precision as on a processor with AVX2 alone.
OTHERS := tests/notebooks.sh $(BIN)/python shipped; \
	echo "== tests of precision, with AVX2 alone"; \
	ONEDNN_MAX_CPU_ISA=AVX2 $(PYTEST1) -q -m "not slow" tests/test_timing.py tests/test_pipeline.py

test: .venv/.dev $(JAVASCRIPT)/node_modules/.made
	$(JAVASCRIPT)/run.sh test
	tests/beside.sh '$(OTHERS)' '$(PYTEST) -m "not slow"'

test-quick: .venv/.dev
	$(PYTEST) -q -m quick --ignore=tests/browser

test-slow: .venv/.dev
	tests/beside.sh 'tests/notebooks.sh $(BIN)/python real' '$(PYTEST) -m slow'

lint: .venv/.dev $(JAVASCRIPT)/node_modules/.made
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(JAVASCRIPT)/run.sh lint

bench: .venv/.dev
	$(BIN)/python -m benchmarks

bench-compare: .venv/.dev
	@$(BIN)/python -m benchmarks.compare $(A) $(B)

docs: .venv/.dev
	$(BIN)/python -m sphinx -q -W --keep-going -j auto -d out/docs-cache -b html docs out/docs
	$(BIN)/python docs/questions.py out/docs

MODELS ?= 10000
fuzz: .venv/.dev
	$(BIN)/python -m pytest -q -s -m slow tests/test_image_fuzz.py tests/test_json_readers.py
	PYTHONPATH=tests $(BIN)/python -m fuzzing --models $(MODELS)

guest: .venv/.dev
	$(BIN)/python guests/build.py

notebooks: .venv/.dev
	rm -rf notebooks/out
	cd notebooks && ../$(BIN)/jupyter nbconvert --to notebook --inplace --execute \
		--ExecutePreprocessor.store_widget_state=False *.ipynb

pictures: .venv/.dev
	$(BIN)/python docs/make_pictures.py

lock: .venv/.made
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install -q ".[dev]"
	{ echo "# Versions that the tests passed with; made by 'make lock'."; \
	  .venv-lock/bin/python -m pip list --format=freeze --exclude wasinn-nb --exclude pip --exclude setuptools; \
	} > constraints.txt
	rm -rf .venv-lock

clean:
	rm -rf .venv .venv-lock $(JAVASCRIPT)/node_modules out dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
