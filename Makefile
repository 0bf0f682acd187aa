# Everything runs from a fresh clone; .venv is private to it and made on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JOBS ?= auto

.PHONY: demo test lint docs bench corpus programs agree mutate fuzz-unwind fuzz-sframe clean
.DELETE_ON_ERROR:

# A real program, built by gcc with tables by GNU as and ld, checked at every instruction.
demo: $(READY)
	@$(BIN)/python tools/demo.py

# Installs a private as and ld with SFrame V3 first, where the ones on PATH are too old. Without
# apt the tests that need them skip; with it, a failing install is a failure.
test: $(READY)
	@$(BIN)/emu toolchain install || ! command -v apt-get > /dev/null
	$(BIN)/pytest -n $(JOBS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Lessons from runs, the site, its links checked: build/site/index.html.
docs: $(READY)
	$(BIN)/python tools/build_docs.py

bench: $(READY)
	$(BIN)/python tools/bench.py
	$(BIN)/python tools/bench_growth.py
	$(BIN)/python tools/bench_sframe.py
	$(BIN)/python tools/bench_page.py

# Small programs from Debian's sources: built, run natively and under emu check, compared.
corpus: $(READY)
	$(BIN)/python tools/corpus.py check

# Real programs and every C case at every instruction, run natively too, and compared.
programs: $(READY)
	$(BIN)/python tools/programs.py

# Both engines in every mode, on every case and for ten minutes on random programs: do they agree?
AGREE_SECONDS ?= 600

agree: $(READY)
	$(BIN)/python tools/agree.py --cases
	$(BIN)/python tools/agree.py --from $$(date +%s) --count 1000000 --seconds $(AGREE_SECONDS)

# Every case's table damaged in every way that one field can be wrong: does the check say exactly
# what it must? Goes on where an interrupted run stopped; remove build/mutate.log to begin again.
MUTATE ?= --limit 40 --log build/mutate.log

mutate: $(READY)
	@mkdir -p build
	$(BIN)/python tools/mutate.py $(MUTATE)

# Inputs that coverage leads to, for the kernel model and for the format library. CPython 3.11 to
# 3.14 on Linux, for which there are wheels of atheris.
FUZZ_SECONDS ?= 600
FUZZ := -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1

fuzz-unwind: $(VENV)/.fuzz
	$(BIN)/python tools/fuzz_unwind.py $(FUZZ)

fuzz-sframe: $(VENV)/.fuzz
	$(BIN)/python tools/fuzz_sframe.py $(FUZZ)

$(VENV)/.fuzz: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary atheris \
		--editable '.[fuzz]'
	@touch $@

# Debian's Python without python3-venv leaves an environment without pip: it is made once more.
SUPPORTED := import sys; sys.version_info >= (3, 11) or sys.exit(f"Python 3.11 or newer is needed, \
make PYTHON=... names another; {sys.executable} is {sys.version.split()[0]}")

$(READY): pyproject.toml
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || \
		{ $(PYTHON) -c '$(SUPPORTED)' && $(PYTHON) -m venv --clear $(VENV); }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,docs]'
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
