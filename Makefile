# Set-up, demo and checks; `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := Resources/constraints.txt
# A person sees how far the downloads are; a CI log does not need it.
PIP := $(BIN)/python -m pip --disable-pip-version-check $(if $(CI),-qq)

.DEFAULT_GOAL := help
.PHONY: help demo test test-long properties lint format check-contracts audit benchmark long-day pictures file-lists wheel clean
.PHONY: annotator-days bad-inputs fuzz requirements sample sbom

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.ready-demo ## Three rounds of clicks on a synthetic case, pictures in demo-output; then the app
	$(BIN)/vsclick demo --output demo-output

test: lint ## All checks, then the tests, on up to four cores
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --max-worker-restart 2 --dist loadfile

test-long: $(VENV)/.ready-test ## The tests that `make test` leaves out: killed processes, long days, damaged files, whole benchmarks
	$(BIN)/python -m pytest -m long -o faulthandler_timeout=0 -n auto --maxprocesses 4 --dist loadfile

properties: $(VENV)/.ready-test ## Every property-based test on many examples, and on how many each
	$(BIN)/python -m pytest --hypothesis-profile thorough $$(grep -rlE "hypothesis|example_counts" --include 'test_*.py' Testing)

lint: $(VENV)/.ready-test check-contracts ## Style, formatting, import contracts and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/.ready-test ## Mend style and formatting
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

check-contracts: $(VENV)/.ready-test ## Which package may import which
	$(BIN)/lint-imports

audit: ## Whether a package has a known vulnerability, as pinned or in the oldest version that is allowed
	$(PYTHON) Testing/tools/audit.py

requirements: $(VENV)/.ready-test ## Write the hashes of all pins, after one was changed
	$(BIN)/python Testing/tools/hashes.py

sbom: $(VENV)/.ready-test ## Write the list of what the wheel holds and needs, as CycloneDX, and the licences
	$(BIN)/python Testing/tools/sbom.py
	$(BIN)/python Testing/tools/licences.py

benchmark: $(VENV)/.ready-test ## Medians of time and memory, with charts; what killed sessions lose
	$(BIN)/vsclick bench --output Resources/Docs/benchmark
	$(BIN)/python Testing/benchmarks/app_click.py
	$(BIN)/python Testing/benchmarks/kills.py

long-day: $(VENV)/.ready-test ## Fifty cases in one process, on the panel and in the app: memory after each, as JSON and a chart
	$(BIN)/python Testing/benchmarks/long_day.py
	$(BIN)/python Testing/benchmarks/long_day.py --app
	$(BIN)/python Testing/benchmarks/long_day.py --chart long-day-output/long-day.png

pictures: $(VENV)/.ready-test ## Take the screenshots of README and user guide anew
	$(BIN)/python Testing/tools/guide_pictures.py
	$(BIN)/python Testing/tools/app_pictures.py
	$(BIN)/python Testing/tools/app_story.py

sample: $(VENV)/.ready-test ## Make the sample case of Resources/Samples anew
	$(BIN)/python Testing/tools/sample_case.py

bad-inputs: $(VENV)/.ready-test ## Write Resources/Docs/bad-input.md: what every bad input is told
	$(BIN)/python Testing/tools/bad_input_table.py

SECONDS ?= 600
fuzz: $(VENV)/.ready-test ## Hand damaged files to every reader, for SECONDS
	$(BIN)/python Testing/fuzz/fuzz.py --seconds $(SECONDS)

DAYS ?= 500
annotator-days: $(VENV)/.ready-test ## Two annotators share a worklist on a failing drive and are killed, for DAYS days
	$(BIN)/python Testing/benchmarks/annotator_days.py --days $(DAYS)

file-lists: ## Rewrite the lists of files in CMake and pyproject.toml
	$(PYTHON) Testing/tools/file_lists.py

wheel: $(VENV)/.ready-demo ## Build dist/*.whl with the models inside
	rm -rf build
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .

clean: ## Remove what was built, but not .venv
	rm -rf build dist demo-output evaluation-output fuzz-failures long-day-output VSClickCorrect/*.egg-info .hypothesis .import_linter_cache
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find VSClickCorrect Testing -name __pycache__ -prune -exec rm -rf {} +

# A broken half of an environment would look finished to the next run, so it is removed.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "VSClickCorrect needs Python 3.10 or later; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) cannot make virtual environments; on Debian or Ubuntu: sudo apt-get install python3-venv" >&2; \
	  exit 1; }

# One stamp an extra. All by hash, but torch: under one version it has builds for CPU and each kind of accelerator, from
# several places. What it needs, but for an accelerator's libraries, is there by then. setuptools builds the package.
$(VENV)/.ready-%: pyproject.toml $(CONSTRAINTS) Resources/requirements/%.txt | $(BIN)/python
	@echo "Setting up $(VENV) for '$*'; the first time takes a few minutes."
	$(PIP) install --require-hashes --no-deps --requirement Resources/requirements/$*.txt
	$(PIP) install --constraint $(CONSTRAINTS) torch
	$(PIP) install --no-deps --no-build-isolation --editable .
	$(PIP) check
	@[ "$$(uname)" != Linux ] || $(BIN)/python -c 'import ctypes; ctypes.CDLL("libEGL.so.1")' 2>/dev/null || \
	  echo "Note: VTK will crash when it draws, libEGL is missing; on Debian or Ubuntu: sudo apt-get install libegl1 libgl1" >&2
	@touch $@

# Training: see Resources/Docs/data.md for what DATA must hold, experiments.md for what came out.
DATA ?= data
RUNS ?= runs
MINUTES ?= 55
THREADS ?= 2
# Of the tables: bfloat16 where the processor or the card multiplies it.
PRECISION ?= float32
TRAIN = $(BIN)/vsclick train Resources/Experiments/$(1).toml --training $(RUNS)/$(2)-training \
  --validation $(RUNS)/$(2)-validation --output $(RUNS)/$(1) --threads $(THREADS)
EXPERIMENTS := $(filter initial-% cut-% past-%,$(basename $(notdir $(sort $(wildcard Resources/Experiments/*.toml)))))
.PHONY: cohorts wide train train-wide experiments label-curve shipped-scores slice-wise $(EXPERIMENTS)

cohorts: $(VENV)/.ready-demo ## Write the synthetic cohorts into runs/
	$(BIN)/vsclick simulate --data $(DATA) --output $(RUNS)/region-training --split training --count 400 --seed 11
	$(BIN)/vsclick simulate --data $(DATA) --output $(RUNS)/region-validation --split validation --count 40 --seed 12
	$(BIN)/vsclick simulate --data $(DATA) --output $(RUNS)/region-test --split test --count 40 --seed 13
	$(BIN)/vsclick simulate --data $(DATA) --output $(RUNS)/slices-test --split test --balanced --count 200 --seed 61
	$(BIN)/vsclick simulate --data $(DATA) --output $(RUNS)/head-training --split training --extent head --count 200 --seed 14
	$(BIN)/vsclick simulate --data $(DATA) --output $(RUNS)/head-validation --split validation --extent head --count 24 --seed 15
	$(BIN)/vsclick simulate --data $(DATA) --output $(RUNS)/scan-validation --split validation --extent scan --count 20 --seed 16
	$(BIN)/vsclick simulate --data $(DATA) --output $(RUNS)/scan-test --split test --extent scan --balanced --count 40 --seed 23

# The networks that find the tumour learn from these while they are still being written (make -j2 wide train-wide).
WIDE ?= 2000
wide: $(VENV)/.ready-demo ## Write balanced cohorts into runs/: every size, look, scanner and kind of head
	$(BIN)/vsclick simulate --data $(DATA) --output $(RUNS)/box-validation --split validation --extent box --balanced --count 40 --seed 17
	$(BIN)/vsclick simulate --data $(DATA) --output $(RUNS)/wide-head-validation --split validation --extent head --balanced --count 40 --seed 18
	$(BIN)/vsclick simulate --data $(DATA) --output $(RUNS)/wide-head-training --split training --extent head --balanced --count 400 --seed 19
	$(BIN)/vsclick simulate --data $(DATA) --output $(RUNS)/box-training --split training --extent box --balanced --count $(WIDE) --seed 20

train-wide: $(VENV)/.ready-train ## Train what finds the tumour, MINUTES each, or go on with it
	$(call TRAIN,locator-fine,wide-head) --minutes $(MINUTES)
	$(call TRAIN,click,box) --minutes $(MINUTES)

train: $(VENV)/.ready-train ## Train the correctors, MINUTES each; release with: vsclick train ... --release NAME
	$(call TRAIN,corrector-first-rounds,region) --minutes $(MINUTES)
	$(call TRAIN,corrector-second-rounds,region) --minutes $(MINUTES)
	$(call TRAIN,corrector,region) --minutes $(MINUTES)
	$(call TRAIN,corrector-single-slice,region) --minutes $(MINUTES)

# What ends a training with a model: TRAINING="--release NAME --models FOLDER".
TRAINING ?=

.PHONY: parts
parts: $(VENV)/.ready-train ## Cohorts with the tumour's parts, and the network that tells them
	$(BIN)/vsclick simulate --data $(DATA) --output $(RUNS)/class-training --split training --extent box --balanced --classes --count 120 --seed 51
	$(BIN)/vsclick simulate --data $(DATA) --output $(RUNS)/class-validation --split validation --extent box --balanced --classes --count 24 --seed 52
	$(BIN)/vsclick simulate --data $(DATA) --output $(RUNS)/class-test --split test --extent scan --balanced --classes --count 24 --seed 53
	$(call TRAIN,parts-first,class)
	$(call TRAIN,parts,class) $(TRAINING)

THESIS := thesis-correction thesis-correction-fine-tuned
.PHONY: thesis-cohort thesis-initial $(THESIS)

thesis-cohort: $(VENV)/.ready-demo ## Write whole heads for the thesis's initial model into runs/, after make cohorts
	$(BIN)/vsclick simulate --data $(DATA) --output $(RUNS)/scan-training --split training --extent scan --count 64 --seed 24

thesis-initial: $(VENV)/.ready-train ## Train the thesis's initial model to the letter, for a graphics card
	$(call TRAIN,$@,scan) $(TRAINING)

$(THESIS): $(VENV)/.ready-train
	$(call TRAIN,$@,region) $(TRAINING)

experiments: $(VENV)/.ready-train ## The thesis's tables: three seeds each, scored on test cases; results in runs/tables
	$(BIN)/python Testing/tools/thesis_tables.py $(RUNS) --threads $(THREADS) --precision $(PRECISION)

$(EXPERIMENTS): $(VENV)/.ready-train
	$(call TRAIN,$@,region)

label-curve: $(VENV)/.ready-train ## What clicks replace in labelled cases: trainings on 8 to 170 cases, table and picture
	$(BIN)/python Testing/tools/label_curve.py $(RUNS) --threads $(THREADS) --precision $(PRECISION)

SCORED = $(RUNS)/shipped-scores
SCORE = $(BIN)/vsclick evaluate --no-baselines --cases $(RUNS)/$(2) --output $(SCORED)/$(1)
shipped-scores: $(VENV)/.ready-evaluation ## What the networks that ship do on cases of the test, with both sequences and one, and by clicks
	$(call SCORE,both,scan-test) --start initial
	$(call SCORE,guided,scan-test) --start initial --user guided
	$(call SCORE,t1ce,scan-test) --start initial --sequences t1ce --rounds 1
	$(call SCORE,t2,scan-test) --start initial --sequences t2 --rounds 1
	$(call SCORE,first,scan-test) --start first-click
	$(call SCORE,spoiled,region-test) --start spoiled
	$(BIN)/python Testing/tools/shipped_scores.py $(SCORED)

slice-wise: $(VENV)/.ready-train ## A slice-wise initial model beside the volumetric one, on thin and on thick slices
	$(BIN)/python Testing/tools/slice_wise.py $(RUNS) --threads $(THREADS) --precision $(PRECISION)

# Evaluation: for instance make evaluate CASES=cases.csv START=initial OPTIONS=--one-by-one
CASES ?= $(RUNS)/region-validation
START ?= spoiled
OPTIONS ?=
.PHONY: evaluate verify-models

evaluate: $(VENV)/.ready-evaluation ## Rounds of simulated clicks on CASES against baselines; tables and pictures in evaluation-output
	$(BIN)/vsclick evaluate --cases $(CASES) --start $(START) $(OPTIONS) --output evaluation-output

verify-models: $(VENV)/.ready-evaluation ## Hashes of the weights, and what the networks must say
	$(BIN)/vsclick models verify
