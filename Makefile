# Every target sets up what it needs, once. A new file experiments/<study>/<trial>.yaml is a new target.
.DEFAULT_GOAL := help
PYTHON ?= python3
PORT ?= 5000
STUDY ?= movies
ARGS ?=

VENV := .venv
READY := $(VENV)/ready
SPREAD := --numprocesses 2 --dist loadfile --no-loadscope-reorder
RARELABELS := $(VENV)/bin/rarelabels
TRIALS := $(basename $(patsubst experiments/%,%,$(filter-out %/study.yaml,$(wildcard experiments/*/[!_]*.yaml))))
STUDIES := $(sort $(patsubst %/,%,$(dir $(TRIALS))) $(patsubst experiments/%/study.yaml,%,$(wildcard experiments/*/study.yaml)))
SEARCHED := $(basename $(patsubst experiments/%,%,$(shell grep -l '^tuning:' experiments/*/[!_]*.yaml)))
BORROWING := $(patsubst experiments/%/study.yaml,%,$(shell grep -l '^trials_of:' experiments/*/study.yaml))
TUNED := $(sort $(addsuffix tuned,$(dir $(SEARCHED))))

.PHONY: help setup quick results report best serve publish everything pages ui ui-picture notebooks validate probes test test-all stress bench competence coverage verdicts powerset-sizes lock $(STUDIES) $(TUNED) $(TRIALS)

help: ## list every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-26s %s\n", $$1, $$2}' Makefile
	@echo; echo "Studies: every trial with every seed, then the comparison"
	@for study in $(STUDIES); do printf "  make %-26s %s\n" $$study "$$(sed -n 's/^title: *//p' experiments/$$study/study.yaml)"; done
	@for target in $(TUNED); do printf "  make %-26s %s\n" $$target "every search of it with Optuna, then its tuned trials"; done
	@echo; echo "Trials"
	@for trial in $(TRIALS); do printf "  make %-26s %s\n" $$trial "$$(sed -n 's/^question: *//p' experiments/$$trial.yaml)"; done
	@echo; echo "Options go in ARGS: make movies ARGS='--seeds 0,1 --workers 1'"

setup: $(READY) ## install everything into .venv

quick: $(READY) ## a first answer: four trials, one seed
	$(RARELABELS) run movies/floor_prior movies/linear_bce movies/bce_accuracy movies/pos_weight_ratio --seeds 0 $(ARGS)

results: $(READY) ## print what is recorded of the movie study
	$(RARELABELS) results movies $(ARGS)

report: $(READY) ## write runs/report.html: what to use, verdicts, tables and figures of all that is recorded
	$(RARELABELS) report $(ARGS)

best: $(READY) ## rank a study on validation and register the winner's model (STUDY=movies)
	$(RARELABELS) best $(STUDY) $(ARGS)

serve: $(READY) ## serve the registered model of a study over HTTP, on this machine only (STUDY=movies)
	@$(VENV)/bin/python -c "from rarelabels.record import client, connection; client.mend(connection.uri())" # MLflow reads addresses as they are
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" MLFLOW_TRACKING_URI="$${MLFLOW_TRACKING_URI:-sqlite:///$(CURDIR)/runs/mlflow.db}" \
	  mlflow models serve -m "models:/rarelabels-$(STUDY)@best" --env-manager local --host 127.0.0.1 --port $(PORT)

publish: $(READY) ## write what is recorded of a study to docs/results, as plain tables for git (STUDY=movies)
	$(RARELABELS) publish $(STUDY) $(ARGS)

everything: $(READY) ## run and publish every study that is not published as it is declared: hours; it says how long
	$(VENV)/bin/python tools/everything.py $(ARGS)

pages: $(READY) ## write the result pages of docs from what is published, without training
	$(VENV)/bin/python tools/pages.py

ui: $(READY) ## open the MLflow UI on this record, on this machine only
	@$(RARELABELS) ui --port $(PORT)

ui-picture: $(READY) ## take docs/mlflow_ui.png again, of a small record of the movie study (needs Debian's chromium)
	$(VENV)/bin/python tools/mlflow_picture.py docs/mlflow_ui.png

notebooks: $(READY) ## execute the notebooks anew, on what is recorded
	$(VENV)/bin/python notebooks/execute.py

validate: $(READY) ## check every declared trial and study
	$(RARELABELS) validate

probes: $(READY) ## what these versions of Keras and scikit-learn really do with multi-hot labels
	$(RARELABELS) probes $(ARGS)

test: $(READY) ## ruff, mypy and the tests
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/python -m pytest -m "not long and not stress" $(SPREAD)

test-all: $(READY) ## the long tests, which `make test` leaves out (needs Debian's postgresql and chromium)
	$(VENV)/bin/python -m pytest -m long $(SPREAD)

stress: $(READY) ## 200 runs of 16 workers on one SQLite file, and 300 fits on one worker: up to an hour
	$(VENV)/bin/python -m pytest -m stress

bench: $(READY) ## what a study, exact sweeps and the face cost, as ratios: beside an ordinary script, bare fit, scikit-learn, Python
	$(VENV)/bin/python tests/benchmarks/study.py $(ARGS)
	$(VENV)/bin/python tests/benchmarks/sweeps.py
	$(VENV)/bin/python tests/benchmarks/face.py

competence: $(READY) ## write docs/competence.md: do the networks that init proposes keep up with the baselines?
	$(VENV)/bin/python tests/benchmarks/competence.py $(ARGS)

powerset-sizes: $(READY) ## write docs/powerset_sizes.md: what a softmax over all label sets takes
	$(VENV)/bin/python tools/powerset_sizes.py docs

coverage: $(READY) ## how often intervals hold the truth, on real networks (an hour; 40 minutes more to train them)
	$(VENV)/bin/python tests/benchmarks/coverage.py

verdicts: $(READY) ## how often verdicts are false, and how often they see what is there, on resampled films
	PYTHONPATH=tests $(VENV)/bin/python tests/benchmarks/verdicts.py

lock: $(READY) ## renew requirements.lock from pyproject.toml
	$(VENV)/bin/python -m pip install --quiet uv
	$(VENV)/bin/uv pip compile pyproject.toml --quiet --upgrade --extra dev --universal --python-version 3.11 \
	  --no-header --no-annotate --no-emit-index-url --output-file requirements.lock

$(STUDIES) $(TRIALS): $(READY)
	$(RARELABELS) run $@ $(ARGS)

$(addsuffix /%,$(BORROWING)): $(READY)
	$(RARELABELS) run $@ $(ARGS)

$(TUNED): $(READY)
	$(RARELABELS) run $(filter $(dir $@)%,$(SEARCHED)) $(ARGS)

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "setting up .venv (TensorFlow and MLflow are large: some minutes, once)"
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --requirement requirements.lock
	$(VENV)/bin/python -m pip install --quiet --no-deps --editable .
	@touch $@
