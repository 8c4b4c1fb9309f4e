# hpc_cr: set-up, main job, tests. `make` alone prints the targets.

N       ?= $(shell env -u OMP_NUM_THREADS nproc 2>/dev/null || echo 1)
JOB     ?= jobs/quickstart.toml
OUT     ?= results/$(basename $(notdir $(JOB))).h5
RESUME  ?= --resume
FIGURES ?= dipole-map dipole-longitude convergence power-spectrum
PYTEST  := .venv/bin/python -m pytest -q

.DEFAULT_GOAL := help
.PHONY: help setup run test test-slow test-slurm bench scaling lint clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "Variables: N=$(N) ranks, JOB=$(JOB), OUT=$(OUT),"
	@echo "  RESUME=--overwrite starts anew, FIGURES='names', ARGS='for pytest';"
	@echo "  HPC_CR_APT=0 forbids apt, HPC_CR_SERIAL=1 does without parallel HDF5."

setup: ## install what is missing: MPI and parallel HDF5 (as root, by apt), .venv
	@tools/setup.sh

run: setup ## run the main job on all cores, print its result, draw figures into results/
	@mkdir -p $(dir $(OUT))
	@tools/mpirun.sh $(N) .venv/bin/hpc-cr run $(JOB) -o $(OUT) $(RESUME)
	@set -e; for figure in $(FIGURES); do .venv/bin/hpc-cr figure $$figure $(OUT); done

test: setup ## the tests, without the slow ones
	@$(PYTEST) -n 2 --dist loadfile -m 'not slow and not slurm' -rs $(ARGS)

test-slow: setup ## the slow tests: physics and papers at full size
	@$(PYTEST) -m 'slow and not slurm' -rs $(ARGS)

test-slurm: setup ## tests on a real SLURM of three nodes, started for them here (as root)
	@tools/slurm/with_slurm.sh $(PYTEST) -m slurm -rs $(ARGS)

bench: setup ## pinned problems beside yardsticks (results/bench.json); ARGS="P1 --compare OLD.json"
	@.venv/bin/python -m tools.bench $(ARGS)

scaling: setup ## scaling over ranks and teams, measured and predicted (results/scaling*)
	@.venv/bin/python -m tools.scaling run --job $(JOB) $(ARGS)
	@$(if $(ARGS),:,.venv/bin/python -m tools.scaling predict)

lint: setup ## ruff with tools/ruff.toml
	@.venv/bin/ruff check --config tools/ruff.toml hpc_cr tests tools

clean: ## remove what Python and builds leave; results/ and .venv stay
	@rm -rf build dist .pytest_cache .ruff_cache *.egg-info
	@find hpc_cr tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
