# What a user gives, the virtual environment, and the targets. The graph from images to a report is graph.mk.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DEFAULT_GOAL := help

EXPERIMENT ?= experiments/demo.toml## what to run: an experiment file
MODELS ?=## measures finished .tflite files instead of an experiment: files, folders, patterns; the first is the reference
REFERENCE ?=## with MODELS: the file that the others are compared with
INPUTS ?=## with MODELS: a folder of samples, .npy, .npz or images, instead of drawn ones
DATA ?=## replaces the experiment's images: a folder, zip, tar or https URL
DATA_SHA256 ?=## the sha256 of DATA when it is a URL
DEVICE ?= host## where to measure: host (this machine), a serial, host:port, or any (the only device attached)
DEVICES ?=## several devices at once: "serial1 serial2"; make devices prints what to type
KEEP ?=## 1 leaves files and app on the device
BENCHMARK_BINARY ?=## your own benchmark_model for the device
BENCHMARK_BINARY_2 ?=## another one, measured beside the first in columns of its own
BENCHMARK_APK ?=## your own benchmark_model app for the device
HEXAGON_LIBRARIES ?=## a folder with the libraries of the Hexagon delegate
NPU_LIBRARIES ?=## a folder with the libraries of the device's NPU, of the tool's version
TRUST ?=## 1 runs code that comes with a model: a saved one with a Lambda, a SavedModel, a Python file
RUNTIME ?= auto## where the stages run: docker, local (a virtual environment), auto, or ray (the cluster at RAY_ADDRESS)
RAY_ADDRESS ?=## RUNTIME=ray, farm-join: host:port of the cluster's head
RUN ?= runs/$(if $(strip $(MODELS)),models,$(basename $(notdir $(EXPERIMENT))))## the folder that everything is written to
PYTHON ?=## the Python 3.11 to 3.13 for the virtual environment
DOCKER ?= docker## the docker command
V ?=## 1 shows every command and all that it prints, TensorFlow's messages too
RENEW ?=## lock-binaries: 1 pins all anew
PHONE ?=## virtual-phone: the container's name, to have several
PHONE_PORT ?=## virtual-phone: its port on 127.0.0.1 instead of a free one
CPUS ?=## farm-join: how many processors jobs may have, instead of all; 0 for none
PORT ?=## serve: its port on 127.0.0.1 instead of a free one
RUNS ?= runs## serve, history: the folder that holds the runs
HISTORY ?=## history: the folder to write instead of history; compare, check: one whose sessions count too
BASE ?=## compare, check: the run (its folder or its results.json) to compare with
HEAD ?=## compare, check: the run that is compared, instead of RUN
BUDGETS ?=## check: a TOML file of budgets
RERUN ?=## compare, check: 1 measures the files of both runs again, in turns
BUDGET ?=## search: how long it looks; with MODELS or RERUN: how long a session goes on with rounds (60s, 5m)
BUNDLE ?= $(RUN).tar## bundle, verify: the archive with a run's evidence
FORMAT ?=## export: google-benchmark, bencher, model-explorer or mlflow (the store of MLFLOW_TRACKING_URI)
PERSONALITY ?=## virtual-phone: a TOML file, see tests/devices/phone/personalities

# ---- what a user gives is text -------------------------------------------------------------------
# A $ in a value is a character, never a call of make's: only the defaults above are expanded. Recipes name a variable
# as "$$NAME", so that the shell takes it from the environment and runs nothing in it either. MAKEOVERRIDES would hand
# the command line to graph.mk, which would expand it.
VARIABLES := EXPERIMENT MODELS REFERENCE INPUTS DATA DATA_SHA256 DEVICE DEVICES KEEP BENCHMARK_BINARY \
  BENCHMARK_BINARY_2 BENCHMARK_APK HEXAGON_LIBRARIES NPU_LIBRARIES TRUST RUNTIME RAY_ADDRESS RUN PYTHON DOCKER V RENEW PHONE PHONE_PORT \
  CPUS PORT RUNS HISTORY BASE HEAD BUDGETS RERUN BUDGET BUNDLE FORMAT PERSONALITY
# Whether a device is named, where all are meant otherwise.
ASKED := $(filter-out file,$(firstword $(origin DEVICE)))
GIVEN := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$v))
$(foreach v,$(VARIABLES) $(filter-out $(VARIABLES),$(GIVEN)),\
  $(eval override $v := $$(if $$(filter file,$$(origin $v)),$$($v),$$(value $v)))$(eval export $v))
MAKEOVERRIDES :=
# The plan writes the experiment that a list of files stands for.
ifneq ($(strip $(MODELS)),)
override EXPERIMENT := $(RUN)/plan/models.toml
endif
ifeq ($(TRUST),1)
export EDGEPROOF_TRUST := 1
endif

# The names of targets are made of these two, and make cannot quote: they are plain, or refused.
PLAIN := a b c d e f g h i j k l m n o p q r s t u v w x y z \
  A B C D E F G H I J K L M N O P Q R S T U V W X Y Z 0 1 2 3 4 5 6 7 8 9 . _ / - + @ ,
without = $(if $(1),$(call without,$(wordlist 2,$(words $(1)),$(1)),$(subst $(firstword $(1)),,$(2))),$(2))
plain = $(and $(1),$(filter xx,x$(call without,$(PLAIN),$(1))x))
$(foreach v,EXPERIMENT RUN,$(if $(call plain,$($v)),,$(error $v=$(strip $($v)) \
  cannot be used: give letters, digits and any of ._/-+@, without spaces)))
$(if $(filter 1-auto 1-docker 1-local 1-ray,$(words $(RUNTIME))-$(RUNTIME)),,$(error RUNTIME=$(strip $(RUNTIME)) \
  is not one of auto, docker, local, ray))

# A switch is 1, or 0 or nothing.
$(foreach v,RERUN KEEP TRUST RENEW V,$(if $(filter-out 1-0 1-1 0-,$(words $($v))-$(strip $($v))),$(error \
  $v=$(strip $($v)) is neither 1 nor 0)))

# ---- the virtual environment ---------------------------------------------------------------------
VENV := .venv
export PY := $(VENV)/bin/python
$(VENV)/.launcher: requirements/launcher.txt
	requirements/setup $(VENV) $^
	touch $@
# For finished files: no TensorFlow.
$(VENV)/.files: docker/files/requirements.txt docker/adb/requirements.txt requirements/launcher.txt
	requirements/setup $(VENV) $^
	touch $@ $(VENV)/.launcher
$(VENV)/.data: docker/data/requirements.txt docker/adb/requirements.txt requirements/launcher.txt
	requirements/setup $(VENV) $^
	touch $@ $(VENV)/.launcher $(VENV)/.files
$(VENV)/.local: docker/training/requirements.txt docker/adb/requirements.txt requirements/launcher.txt
	requirements/setup $(VENV) $^
	touch $@ $(VENV)/.launcher $(VENV)/.files $(VENV)/.data
# Each is fetched when it is asked for: DuckDB for the history, MLflow for an export to its store, what a search draws and
# writes with, and Ray to send the stages to a cluster or to be a node of one.
EXTRAS := history mlflow search ray
$(EXTRAS:%=$(VENV)/.%): $(VENV)/.%: requirements/%.txt | $(VENV)/.files
	requirements/setup $(VENV) $<
	touch $@
$(VENV)/.dev: requirements/dev.txt $(EXTRAS:%=requirements/%.txt) $(VENV)/.local
	requirements/setup $(VENV) requirements/dev.txt $(EXTRAS:%=requirements/%.txt)
	touch $@ $(EXTRAS:%=$(VENV)/.%)

# ---- from images to a report ---------------------------------------------------------------------
STAGES := all dataset train optimize evaluate benchmark choose report
GOALS := $(filter $(STAGES),$(MAKECMDGOALS))
ifneq ($(GOALS),)
ifeq ($(RUNTIME),auto)
# $(shell) hands on what make was started with, and no variable of the command line (GNU make before 4.4).
quoted = '$(subst ','\'',$(1))'
override RUNTIME := $(shell timeout 5 $(call quoted,$(or $(DOCKER),docker)) version --format ok >/dev/null 2>&1 \
  && echo docker || echo local)
endif
endif
# make -n and make -q change nothing: the plan is made without being written.
dry = $(findstring n,$(flags))$(findstring q,$(flags))
flags = $(filter-out --%,$(firstword -$(MAKEFLAGS)))

# What the stages import, locally: finished files need neither TensorFlow nor, without labelled images, scikit-learn.
LIGHT := $(if $(strip $(MODELS)),$(if $(strip $(DATA)),data,files),local)

.PHONY: $(STAGES) graph
all: graph ## from images to a report
dataset: graph ## only the images
train: graph ## up to the trained network
optimize: graph ## up to the .tflite variants
evaluate: graph ## up to the accuracies
benchmark: graph ## up to the latencies
choose: graph ## up to the recommended variant with its model card
report: graph ## up to the report, without the summary
# The plan checks the experiment, says what changed, and prints the names that the graph is made of.
graph: | $(VENV)/.$(if $(filter docker,$(RUNTIME)),launcher,$(LIGHT)) $(if $(filter ray,$(RUNTIME)),$(VENV)/.ray)
	+@[[ -x $(PY) ]] || { echo "$(VENV) is not set up yet: then all of it is made"; exit 0; }; \
	PLAN=$$($(PY) -m jobs.plan --experiment "$$EXPERIMENT" --run "$$RUN" \
	  --models "$$MODELS" --reference "$$REFERENCE" --inputs "$$INPUTS" --data "$$DATA" --data-sha256 "$$DATA_SHA256" --budget "$$BUDGET" \
	  --device "$$DEVICE" --devices "$$DEVICES" --binary "$$BENCHMARK_BINARY" --apk "$$BENCHMARK_APK" --hexagon "$$HEXAGON_LIBRARIES" \
	  --second "$$BENCHMARK_BINARY_2" --npu "$$NPU_LIBRARIES" \
	  $(if $(filter all benchmark choose report,$(GOALS)),--measure) $(if $(dry),--dry)) && export PLAN && $(if $(dry),,$(steps) &&) $(graph)
# The shell becomes jobs.steps, which runs graph.mk: a signal to make reaches what it runs. A step says itself why it fails.
# Devices are looked at first where something is to be measured on them; what was measured does not need them.
graph = { $(look) export DRY=$(if $(dry),1); exec $(PY) -m jobs.steps graph "$${LOOK[@]}" -- $(MAKE) -f graph.mk $(GOALS); }
look = LOOK=(); $(if $(dry),,[[ $$'\n'$${STEPS-} != *$$'\n''benchmark '* ]] || LOOK=(-- $(MAKE) -f graph.mk look);)
# What is to do, and how long each of it took before, for the line of each step.
steps = STEPS=$$(EDGEPROOF_LIST=1 $(MAKE) -n -f graph.mk $(GOALS) | $(PY) -m jobs.steps list --run "$$RUN" || true) && export STEPS

# ---- look at what came out ------------------------------------------------------------------------
.PHONY: open serve
open: | $(VENV)/.launcher ## the report of EXPERIMENT, or of RUN, in the browser
	@$(PY) -m jobs.open --run "$$RUN"
serve: | $(VENV)/.launcher ## every run on a page, for this machine's browser alone
	@$(PY) -m jobs.serve --runs "$$RUNS" --port "$$PORT"

# ---- two runs beside each other ------------------------------------------------------------------
.PHONY: compare check
compare: $(VENV)/.files ## what changed from the run BASE to RUN, or to HEAD
	@$(rerun) $(compare); head="$${HEAD:-$$RUN}"; [[ ! -f $$head/report/results.json ]] || \
	$(PY) -m jobs.report --results "$$head/report/results.json" --comparison "$$head/compare/compare.json" --output "$$head/compare/report"
check: $(VENV)/.files ## whether RUN, or HEAD, keeps BUDGETS beside BASE
	@$(rerun) $(compare) --check $${BUDGETS:+--budgets "$$BUDGETS"}
compare = $(PY) -m jobs.compare $${BASE:+--base "$$BASE"} --head "$${HEAD:-$$RUN}" $${again:+--rerun "$$again"} \
  $${HISTORY:+--history "$$HISTORY"}
named := ^[A-Za-z0-9._/@+,-]*$$
not_again := error: RERUN=1 writes into the folder of the run, and %q is none, or none of letters, digits and ._/-+@,\n
# The files of both are a run of their own, with the machinery for finished files; where none differs there is none.
rerun = again=; $(if $(filter 1,$(RERUN)),again="$${HEAD:-$$RUN}/rerun"; \
  [[ -d $${HEAD:-$$RUN} && $${HEAD:-$$RUN} =~ $(named) ]] || { printf '$(not_again)' "$${HEAD:-$$RUN}" >&2; exit 2; }; \
  first=$$($(PY) -m jobs.compare $${BASE:+--base "$$BASE"} --head "$${HEAD:-$$RUN}" --gather "$$again/given"); \
  if [[ -z $$first ]]; then again=; else \
  $(MAKE) all MODELS="$$again/given/$$first.tflite $$again/given" REFERENCE="$$first" RUN="$$again" BUDGET="$${BUDGET:-5m}"; fi; )

# ---- many runs -----------------------------------------------------------------------------------
.PHONY: history
history: $(VENV)/.history ## every session in RUNS over time, of all devices or of DEVICE; what changed when
	@$(PY) -m jobs.history --runs "$$RUNS" $(if $(ASKED),--device "$$DEVICE") --output "$${HISTORY:-history}"
	@$(PY) -m jobs.report --history "$${HISTORY:-history}/history.json" --output "$${HISTORY:-history}"

# ---- the recipe that is best on the device -------------------------------------------------------
.PHONY: search
# A line with make's own name in it is run by a dry run too.
MAKER := $(MAKE)
search: | $(VENV)/.search ## look for the best recipe on DEVICE, within BUDGET
	@[[ -z "$${MODELS// }" ]] || { echo "error: MODELS is for make all (name the file in an experiment, docs/search.md)" >&2; exit 2; }
	@$(if $(filter docker,$(RUNTIME)),:,needs=$$($(PY) -m jobs.search.needs --experiment "$$EXPERIMENT"); $(MAKER) -s "$(VENV)/.$$needs")
	@exec $(PY) -m jobs.search --experiment "$$EXPERIMENT" --run "$$RUN" $${BUDGET:+--budget "$$BUDGET"} \
	  --data "$$DATA" --data-sha256 "$$DATA_SHA256" -- $(MAKER)
	@$(PY) -m jobs.report --search "$$RUN/search/search.json" --output "$$RUN/search"

# ---- evidence -------------------------------------------------------------------------------------
.PHONY: bundle verify
bundle: | $(VENV)/.files ## pack a finished run as evidence: everything that its figures rest on
	@$(PY) -m jobs.evidence bundle --run "$$RUN" --experiment "$$EXPERIMENT" --output "$$BUNDLE"
verify: | $(VENV)/.files ## check such a bundle, from anywhere: hashes, figures, verdicts, report
	@$(PY) -m jobs.evidence verify "$$BUNDLE"

# ---- for other tools ------------------------------------------------------------------------------
FORMATS := google-benchmark bencher model-explorer mlflow
mlflow := $(if $(filter 1-mlflow,$(words $(FORMAT))-$(FORMAT)),mlflow)
.PHONY: export
export: | $(VENV)/.$(or $(mlflow),files) ## the results of RUN for another tool, as FORMAT says
	@[[ " $(FORMATS) " == *" $${FORMAT:--} "* ]] || { printf 'error: FORMAT=%q is not one of $(FORMATS)\n' "$$FORMAT" >&2; exit 2; }
	@$(PY) -m jobs.formats "$$FORMAT" --results "$$RUN/report/results.json" $(exported)
exported = $(if $(mlflow),--run "$$RUN",--output "$$RUN/export/$$FORMAT"$(if $(filter model-explorer,$(FORMAT)),,.json))

# ---- a phone for people who have none ------------------------------------------------------------
.PHONY: virtual-phone virtual-phone-stop
virtual-phone: ## start an Android-like phone in a container and print its DEVICE
	@docker/virtual-phone/run start "$$PERSONALITY"
virtual-phone-stop: ## remove it
	@docker/virtual-phone/run stop

# ---- many machines --------------------------------------------------------------------------------
.PHONY: farm farm-stop farm-join farm-head
farm: $(VENV)/.local $(VENV)/.ray ## a cluster on this machine alone: two nodes with two stand-in phones each
	@$(PY) -m tests.devices.farm start
farm-stop: ## remove it
	@[[ ! -x $(PY) ]] || $(PY) -m tests.devices.farm stop
farm-join: $(VENV)/.local $(VENV)/.ray ## be a node of the cluster at RAY_ADDRESS, with the phones attached, until Ctrl-C
	@$(PY) -m jobs.farm node $${CPUS:+--cpus "$$CPUS"}
farm-head: $(VENV)/.local $(VENV)/.ray ## be its head, at the port of RAY_ADDRESS, until Ctrl-C
	@$(PY) -m jobs.farm node --head --cpus 0

# ---- development -------------------------------------------------------------------------------
.PHONY: help setup devices lock-binaries schema test test-slow test-container lint types lock clean
help: ## this list
	@echo "usage: make TARGET [VARIABLE=value]"; echo; echo "targets"
	@sed -nE 's/^([a-z-]+):.* ## (.*)/  \1\t\2/p' Makefile | expand -t 22
	@echo; echo "variables"
	@sed -nE 's/^([A-Z0-9_]+) \?=.*## (.*)/\1 \2/p' Makefile | while read -r name about; do \
	  printf '  %-19s%s%s\n' "$$name" "$$about" "$${!name:+ [$${!name}]}"; done
setup: $(VENV)/.dev ## the virtual environment with everything in it
devices: $(VENV)/.files ## the Android devices that are attached
	@$(PY) -m jobs.devices
lock-binaries: $(VENV)/.local ## pin the tools for devices, which runs fetch by themselves (RENEW=1: anew)
	$(PY) -m jobs.binaries --lock docker/adb/binaries.toml $(if $(filter 1,$(RENEW)),--renew)
schema: $(VENV)/.files ## the published schema of results.json
	$(PY) -m jobs.schema
test: $(VENV)/.dev ## the fast tests
	$(PY) -m pytest -n 2 --dist loadfile -m "not slow and not container"
test-slow: $(VENV)/.dev ## the tests that train and measure for real
	$(PY) -m pytest -n 2 --dist loadfile -m "slow and not container"
test-container: $(VENV)/.dev ## the tests that need a Docker engine
	$(PY) -m pytest -m container
lint: $(VENV)/.dev ## ruff, and zizmor for the workflows and the action
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(VENV)/bin/zizmor --offline --quiet .github action.yml
types: $(VENV)/.dev ## mypy, strict
	$(PY) -m mypy
lock: ## renew the hashed lock files (needs uv)
	requirements/lock
MADE := plan dataset inputs train variants evaluation benchmark best report logs compare check rerun export search
# Only what make made: a folder with the plan of a run, that no link leads to and that does not hold this checkout.
clean: ## remove everything that was made from EXPERIMENT
	@there=$$(realpath -m -- "$$RUN"); \
	if [[ ! -e $$RUN && ! -L $$RUN ]]; then echo "$$RUN is not there: nothing to remove"; exit 0; fi; \
	if [[ ! -f $$RUN/plan/report/results.json || $$PWD/ == "$$there"/* || $$there != "$$(realpath -ms -- "$$RUN")" ]]; then \
	  echo "error: $$RUN is no folder that make all has written (name it with RUN or EXPERIMENT)" >&2; exit 2; fi; \
	cd -- "$$RUN"; others=(); for each in * .[!.]*; do \
	  [[ ! -e $$each && ! -L $$each || " $(MADE) " == *" $$each "* ]] || others+=("$$each"); done; cd - >/dev/null; \
	if (( $${#others[@]} )); then (cd -- "$$RUN" && rm -rf -- $(MADE)); \
	  printf 'note: %q holds files that make did not write, which stay (%s of them)\n' "$$RUN" "$${#others[@]}"; exit 0; fi; \
	echo "rm -rf -- $$RUN"; rm -rf -- "$$RUN"
