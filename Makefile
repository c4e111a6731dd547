# `make demo` and `make test` work on a fresh clone; both depend on `make install`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test install lint format types check validate audit bench figures lock clean

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "scintscope needs Python 3.11: say make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: install
	$(BIN)/scintscope run scenarios/paper.toml

test: install
	$(BIN)/python -m pytest -n auto

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: install
	$(BIN)/mypy

check: lint types test

# Our numbers beside outside numbers, the long studies, and thousands of cases of every law.
STUDIES := depth_sum noise space_variant crossover thickness_tolerance paper design
validate: install
	$(BIN)/scintscope validate --out runs/validation
	cp runs/validation/validation.md validation/RESULTS.md
	@for study in $(STUDIES); do echo "== $$study"; $(BIN)/python validation/$$study/study.py || exit 1; done
	$(BIN)/python validation/paper/page.py
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest tests -m law -n auto

# How far the estimated PSF is from the true one, on 100 seeds: an hour; resumes where it was stopped.
audit: install
	$(BIN)/python validation/audit/seeds.py
	$(BIN)/python validation/audit/document.py

# Speed beside peers, each in a process and, where pins clash, an environment of its own. Needs the
# network once, a quarter of an hour and a machine that does nothing else; see validation/speed.
bench: install
	$(BIN)/python validation/speed/bench.py $(BENCH)

# The README's figure, from a run of the paper's scenario.
figures: install
	$(BIN)/python -c "from pathlib import Path; from scintscope.pipeline import perform; \
	from scintscope.progress import progress; from scintscope.report.overview import write_overview; \
	from scintscope.scenario import load_scenario; \
	write_overview(Path('docs/figures/overview.png'), perform(load_scenario('scenarios/paper.toml'), progress))"

lock:
	$(BIN)/pip-compile --quiet --strip-extras --extra dev --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --no-annotate --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) runs
