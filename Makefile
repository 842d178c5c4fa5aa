# Two commands for a newcomer: `make demo` and `make test`. Needs Python 3.11 or uv, git and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
# A plain index serves torch with CUDA (several GB). Where a CPU build is wanted and the
# index has none, say where it lies: make demo TORCH_FLAGS="--index-url <index of CPU wheels>"
TORCH_FLAGS ?=
TORCH := $(shell grep '^torch==' constraints.txt)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# A worker takes a module at a time, in their order: fixtures of a module are made once (tests/conftest.py).
PYTEST := pytest -n 2 --dist loadscope --no-loadscope-reorder
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help demo test test-fast lint format env vllm clean distclean bench publish site

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

demo: $(READY) ## grow the published demo model from its sources and compare every byte
	@regrow doctor --brief
	snakemake --cores all
	@regrow report
	@regrow verify

test: $(READY) ## the whole test suite
	$(PYTEST) tests

test-fast: $(READY) ## the tests that need no workflow run
	$(PYTEST) -m "not workflow and not qemu" tests

lint: $(READY) ## style, types, arrows between rooms, workflow
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	snakefmt --check Snakefile workflow
	snakemake --lint

format: $(READY) ## rewrite to the house style
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow

bench: $(READY) ## measure speed side by side with the peers (see benchmarks/)
	for b in benchmarks/*.py; do python $$b || exit 1; done

publish: $(READY) ## fill the small DVC remote that git carries, from a finished run (docs/guides/publish.md)
	@regrow publish

site: $(READY) ## the documentation with this run's report and explorer, as a static site in site/
	@regrow site

env: $(READY) ## the environment in .venv: then `. .venv/bin/activate`

vllm: $(READY) ## add vLLM (CPU) to the environment: for teachers, not for the flow
	$(PIP) --constraint constraints.txt --editable '.[vllm]'
	@# What it pulls for pictures and sound does not fit a CPU build of torch, and then vLLM does not import.
	$(BIN)/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	$(BIN)/python -c 'import vllm; print("vLLM", vllm.__version__)'

$(READY): constraints.txt pyproject.toml
	@echo "Creating $(VENV) (about 280 packages, 3 GB; two to five minutes) ..."
	@sh workflow/venv.sh $(VENV) "$(PYTHON)"
	$(PIP) $(TORCH_FLAGS) '$(TORCH)'
	$(PIP) --constraint constraints.txt --editable '.[dev,remotes]'
	$(BIN)/python -m regrow.numerics.build
	$(BIN)/python -m regrow.data.dedup.native.build
	@# Beside the environment: Snakemake would import them at every start (docs/guides/cluster.md).
	rm -rf $(VENV)/executors
	for e in slurm kubernetes; do $(PIP) --no-deps --target $(VENV)/executors/$$e -r workflow/executors/$$e.txt || exit 1; done
	ln -s ../../../workflow/executors/snakemake_executor_plugin_kubernetes_volume $(VENV)/executors/kubernetes/
	@touch $@

clean: ## remove what the flow made; keeps the environment and the DVC cache
	rm -rf data logs site report.html .snakemake .regrow

distclean: clean ## also remove the environment and the DVC cache
	rm -rf $(VENV) .dvc/cache .dvc/tmp
