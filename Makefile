# Everything a fresh clone needs: `make` sets up .venv, runs the pipeline and shows the result.
# Nothing has to be activated: stages find their Python because .venv/bin comes first on PATH here.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export UV_PYTHON_DOWNLOADS := never
export DVC_NO_ANALYTICS := 1
export DO_NOT_TRACK := 1
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

LOCKS := $(wildcard requirements/*.txt)
# A file's tests run on one worker: those that share a clone make it once. (xdist's loadgroup has no effect with
# pytest 9.2: it marks a group in an attribute that pytest no longer reads.)
IN_PARALLEL = -n $(WORKERS) --dist loadfile
WORKERS := 2
READY := .venv/pipeline.stamp
READY_TRACKING := .venv/tracking.stamp
READY_SERVING := .venv/serving.stamp
READY_REMOTES := .venv/remotes.stamp
READY_DEV := .venv/dev.stamp

.PHONY: all setup setup-tracking setup-serving setup-remotes setup-dev merging test test-all lint format deps check reproduce compare comment readme serve bench data lock clean help

# DVC says which folder it misses, and not where that can be had.
all: setup  ## set up, run the pipeline, show the result
	dvc repro || { forestall missing | grep ^data/raw/ >&2; exit 1; }
	forestall show

setup: $(READY)  ## make .venv with the pipeline's locked packages

setup-tracking: $(READY_TRACKING)  ## make .venv with MLflow's client, for `forestall track`

setup-serving: $(READY_SERVING)  ## make .venv with the service's packages, too

setup-remotes: $(READY_REMOTES)  ## make .venv with what DVC remotes over SSH and on S3 need, too

setup-dev: $(READY_DEV)  ## make .venv with what lint and the tests need, too

# Each time: Git's settings are the clone's, while .venv may be older, or another clone's.
setup setup-tracking setup-serving setup-remotes setup-dev: merging

merging:  ## tell Git how to merge dvc.lock
	@.ci/merge

$(READY): $(LOCKS) pyproject.toml .ci/setup
	.ci/setup pipeline
	touch $@

$(READY_TRACKING): $(READY)
	.ci/setup tracking
	touch $@

$(READY_SERVING): $(READY)
	.ci/setup serving
	touch $@

$(READY_REMOTES): $(READY)
	.ci/setup remotes
	touch $@

$(READY_DEV): $(READY)
	.ci/setup dev
	touch $@

test: setup-dev  ## the quick tests
	pytest -m "not slow" $(IN_PARALLEL)

# A quarter of the time of the slow ones is waiting.
test-all: WORKERS := 3
test-all: setup-dev  ## every test, those with a database server among them
	.ci/services
	pytest $(IN_PARALLEL)

lint: setup-dev  ## style, types, import contracts, workflows
	ruff check
	ruff format --check
	mypy
	lint-imports
	check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml deploy/github/*.yml
	check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml
	zizmor --offline --quiet --persona pedantic .github/workflows deploy/github/retrain.yml

format: setup-dev  ## put the code in the one layout that lint accepts
	ruff check --fix
	ruff format

deps: setup  ## write the code that each stage imports into dvc.yaml
	forestall check --fix

check: setup  ## say, in a second or two, whether dvc.lock tells the truth about the files
	forestall check

reproduce: setup  ## run the pipeline; fail if it makes other files than the committed ones
	dvc repro
	dvc status --quiet dvc.yaml || { dvc status dvc.yaml; exit 1; }
	git --no-pager diff --exit-code
	@new="$$(git status --porcelain)"; test -z "$$new" || { echo "Not in Git, nor ignored:"; echo "$$new"; exit 1; } >&2

compare: setup  ## what HEAD changes since it left BASE: make compare BASE=origin/main [INTO=files] [PAGE=file.html]
	@test -n "$$BASE" || { echo 'Say with what: make compare BASE=<branch> [INTO="<file> …"] [PAGE=<file.html>]' >&2; exit 2; }
	forestall compare "$$BASE" HEAD --merge-base --rerun --gate $(if $(PAGE),--html "$(PAGE)") $(if $(INTO),| tee -a $(INTO))

comment:  ## a comparison as the one comment of a GitHub pull request: make comment PULL=12 FROM=comparison.md
	@test -n "$(PULL)" -a -n "$(FROM)" || { echo 'Say where and what: make comment PULL=<number> FROM=<file>' >&2; exit 2; }
	.ci/comment.py "$(PULL)" "$(FROM)"

readme: setup  ## write the scores in metrics/ into README.md
	python -m forestall.pipeline.readme

serve: setup-serving  ## the service on this computer, with the workspace's bundle and its recorded data
	forestall serve --recorded

bench: setup-dev  ## benchmarks against what one would use instead
	for benchmark in bench/[a-z]*.py; do python "$$benchmark"; done

data: setup  ## add a dataset's tables: make data NAME=azure-pdm-hourly FROM=folder
	@test -n "$(NAME)" -a -n "$(FROM)" || { echo 'Say which: make data NAME=<dataset> FROM=<folder>' >&2; exit 2; }
	forestall dataset add "$(NAME)" "$(FROM)"

lock: setup  ## resolve requirements/*.in again
	.ci/lock

clean:  ## remove .venv and caches; data, models and DVC's cache stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.dvc/*' -prune -exec rm -rf {} +

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##/\1:/p' Makefile
