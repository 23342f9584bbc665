# Needs Python 3.11 or newer and nothing else. `make help` lists what there is.
PYTHON ?= python3
BIN := .venv/bin
CONFIG ?= config.yaml
CORES ?= all
# In which `make test` runs.
PROCESSES ?= 2
WHISPER ?= ../shared/checkpoints/tiny.en.pt
WAVS ?= ../shared/corpora/emodb/wav
# Names of files reach a shell by its environment, and never as text that it would read.
override CONFIG := $(value CONFIG)
override WHISPER := $(value WHISPER)
override WAVS := $(value WAVS)
HERE := $(value CURDIR)
export CONFIG WHISPER WAVS HERE
# In an order in which nothing depends on what follows.
STAGES := corpora features protocols search train fuse evaluate report
REPORT := results/report/index.html
# Installed without what they ask for (envs/lock-alone.txt says why), and what they need of it; and
# what this package is built with.
ALONE := openai-whisper resemblyzer
ALONE_NEEDS := more-itertools setuptools tiktoken webrtcvad-wheels
LOCKS := envs/lock.txt envs/lock-alone.txt envs/lock-torch.txt
PIP := $(BIN)/pip --quiet --disable-pip-version-check
# For every Python and system that has a wheel, and with the hashes of all of them.
RESOLVE := .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-annotate --no-header --no-emit-index-url
# Stays true when the sources change: the package is installed in place.
READY := .venv/.ready

.PHONY: help environment run test test-faults test-slurm lint parity bench docs pictures lock clean $(addprefix clean-,$(STAGES))

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16
	@echo "clean-STAGE     remove the results of a stage and of those after it, so that they are made"
	@echo "                again; STAGE is one of: $(STAGES)"
	@echo "Variables: CONFIG=$$CONFIG CORES=$(CORES) PYTHON=$(PYTHON) PROCESSES=$(PROCESSES) ONLY=$(ONLY)"

$(READY): $(LOCKS) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "emonas needs Python 3.11 or newer; say which with make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing what envs/lock.txt pins into .venv: some minutes, once"
	$(PYTHON) -m venv .venv
	$(PIP) install --no-deps --require-hashes -r envs/lock.txt -r envs/lock-alone.txt
	$(PIP) install -r envs/lock-torch.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

environment: $(READY) ## make .venv from pinned versions, which all others do first

run: $(READY) ## run the workflow on CONFIG and name the report
	@test -f "$$CONFIG" || { echo "there is no settings file $$CONFIG; say which with make run CONFIG=FILE"; exit 1; }
	@# Before Snakemake reads it, which runs a file's text as Python where the file asks for it.
	@$(BIN)/emonas check "$$CONFIG" > /dev/null
	@PATH="$$HERE/$(BIN):$$PATH" snakemake --cores $(CORES) --rerun-incomplete --keep-going --configfile "$$CONFIG"
	@echo "The report: $$HERE/$(REPORT)"

test: $(READY) lint ## lint and run all tests but those of test-faults and test-slurm that take minutes
	@PATH="$$HERE/$(BIN):$$PATH" pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

lint: $(READY) ## ruff, mypy, snakefmt, import-linter
	@PATH="$$HERE/$(BIN):$$PATH"; \
	  ruff check . && ruff format --check . && mypy && lint-imports \
	  && snakefmt --check Snakefile workflow

test-faults: $(READY) ## do what goes wrong: kills, a full disk, damaged and hostile files, and in a SLURM; some minutes
	@rm -rf results/reliability
	@PATH="$$HERE/$(BIN):$$PATH" pytest -m fault -rs --tally results/reliability/counts
	$(BIN)/python tests/faults_table.py results/reliability

test-slurm: $(READY) ## the run of config.yaml on a SLURM of two nodes on this machine (ONLY=one_system: a part of it); as root, with Debian's packages
	@$(BIN)/python tests/workflow/slurm/slurm_requirements.py
	@PATH="$$HERE/$(BIN):$$PATH" pytest -m 'slurm and not fault' $(if $(ONLY),-k "$(ONLY)") -rA --show-capture=stdout tests/workflow/slurm

parity: $(READY) ## compare the encoders with their originals, in environments of their own
	$(BIN)/python tests/parity/run.py

bench: $(READY) ## measure what is meant to be fast, into results/bench
	$(BIN)/python benchmarks/machine_limits.py
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/gru.py
	$(BIN)/python benchmarks/search.py
	$(BIN)/python benchmarks/recipes.py
	$(BIN)/python benchmarks/tuning.py
	$(BIN)/python benchmarks/dry_run.py
	$(BIN)/python benchmarks/features.py $(if $(WAVS),"$$WAVS")
	$(BIN)/python benchmarks/encoders.py $(if $(WAVS),"$$WAVS")
	@if test -d "$$WAVS"; then $(BIN)/python benchmarks/extraction.py "$$WHISPER" "$$WAVS" 100; \
	  else echo "extraction: skipped; say where Whisper and a folder of wavs are: WHISPER=tiny.en.pt WAVS=FOLDER"; fi
	$(BIN)/python benchmarks/table.py

docs: $(READY) ## write the settings reference and the JSON schema again
	$(BIN)/emonas reference docs

pictures: $(READY) ## draw README's pictures again, of the demonstration's report; needs Chromium
	$(BIN)/python docs/figures/pictures.py

lock: ## resolve the dependencies anew into envs/lock.txt and envs/lock-alone.txt
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet uv
	printf '%s\n' $(ALONE_NEEDS) > .venv-lock/needs.in
	printf '%s\n' $(ALONE) > .venv-lock/alone.in
	@# Of torch itself, and of what it brings for CUDA, lock-torch.txt speaks.
	$(RESOLVE) --constraint envs/lock-torch.txt $(addprefix --extra ,test allosaurus egemaps onnx slurm transformers) \
	  --output-file .venv-lock/all.txt pyproject.toml .venv-lock/needs.in
	$(RESOLVE) --no-deps --output-file .venv-lock/alone.txt .venv-lock/alone.in
	{ sed -n '/^#/p' envs/lock.txt; awk '/^[a-z0-9]/ { keep = !/^(torch|triton|(cuda|nvidia)-[^=]*)==/ } keep' \
	  .venv-lock/all.txt; } > .venv-lock/lock.txt
	{ sed -n '/^#/p' envs/lock-alone.txt; cat .venv-lock/alone.txt; } > .venv-lock/lock-alone.txt
	mv .venv-lock/lock.txt .venv-lock/lock-alone.txt envs
	rm -r .venv-lock

clean: ## remove all results
	rm -rf results

# What follows goes too: Snakemake makes nothing again that only stands between what is there.
$(addprefix clean-,$(STAGES)): clean-%:
	rm -rf $$(echo "$(STAGES)" | sed 's#.*\($*\)#\1#; s#[a-z][a-z]*#results/& results/resume/&#g; s#results/evaluate #&results/recognition #')
