# From images to a report. Each stage is a job that reads finished folders and writes one new folder;
# this file is the graph between them and holds no logic beyond paths. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DEFAULT_GOAL := help

EXPERIMENT ?= experiments/demo.toml## what to run: an experiment file
DATA ?=## replaces the experiment's images: a folder, zip, tar or https URL
DATA_SHA256 ?=## the sha256 of DATA when it is a URL
DEVICE ?= host## where to measure: host (this machine), a serial, host:port, or any (the only device attached)
DEVICES ?= $(DEVICE)## several devices at once: "serial1 serial2"
KEEP ?=## 1 leaves files and app on the device
BENCHMARK_BINARY ?=## your own benchmark_model for the device
BENCHMARK_APK ?=## your own benchmark_model app for the device
HEXAGON_LIBRARIES ?=## a folder with the libraries of the Hexagon delegate
TRUST ?=## 1 runs code that comes with a model: a saved one with a Lambda, a SavedModel, a Python file
RUNTIME ?= auto## where the stages run: docker, local (a virtual environment) or auto
RUN ?= runs/$(basename $(notdir $(EXPERIMENT)))## the folder that everything is written to
PYTHON ?=## the Python 3.11 to 3.13 for the virtual environment
DOCKER ?= docker## the docker command
PHONE ?=## virtual-phone: the container's name, to have several
PHONE_PORT ?=## virtual-phone: its port on 127.0.0.1 instead of a free one
PERSONALITY ?=## virtual-phone: a TOML file, see tests/devices/phone/personalities
VARIABLES := EXPERIMENT DATA DATA_SHA256 DEVICE DEVICES KEEP BENCHMARK_BINARY BENCHMARK_APK HEXAGON_LIBRARIES \
  TRUST RUNTIME RUN PYTHON DOCKER PHONE PHONE_PORT PERSONALITY
# What a user gives is text: a $ in it is a character, never a call of make's. Only defaults are expanded.
$(foreach v,$(VARIABLES),$(eval override $v := $$(if $$(filter file,$$(origin $v)),$$($v),$$(value $v))))
export DATA DATA_SHA256 DEVICES PYTHON DOCKER PHONE PHONE_PORT PERSONALITY
ifeq ($(TRUST),1)
export EDGEPROOF_TRUST := 1
endif

# These are parts of paths, which neither make nor the recipes below could quote.
PLAIN := a b c d e f g h i j k l m n o p q r s t u v w x y z \
  A B C D E F G H I J K L M N O P Q R S T U V W X Y Z 0 1 2 3 4 5 6 7 8 9 . _ / - + @ ,
# $(call without,characters,text), and $(call check,name,more characters than PLAIN) which stops make
without = $(if $(1),$(call without,$(wordlist 2,$(words $(1)),$(1)),$(subst $(firstword $(1)),,$(2))),$(2))
check = $(if $(and $($(1)),$(filter xx,x$(call without,$(PLAIN) $(2),$($(1)))x)),,$(error $(1)=$(strip $($(1))) \
  cannot be used: give letters, digits and any of ._/-+@,$(2) without spaces))
$(call check,EXPERIMENT)$(call check,RUN)$(call check,DEVICE,:)
$(foreach v,BENCHMARK_BINARY BENCHMARK_APK HEXAGON_LIBRARIES,$(if $($v),$(call check,$v)))
$(if $(filter 1-auto 1-docker 1-local,$(words $(RUNTIME))-$(RUNTIME)),,$(error RUNTIME=$(strip $(RUNTIME)) \
  is not one of auto, docker, local))

STAGES := all dataset train optimize evaluate benchmark choose report
GOALS := $(or $(MAKECMDGOALS),help)
START := $(shell date +%s)
PLAN := $(RUN)/plan/plan.mk
PLANNED := $(wildcard $(PLAN))

# ---- where stages run --------------------------------------------------------------------------
ifneq ($(filter $(STAGES),$(GOALS)),)
ifeq ($(RUNTIME),auto)
quoted = '$(subst ','\'',$(1))'
override RUNTIME := $(shell timeout 5 $(call quoted,$(or $(DOCKER),docker)) version --format ok >/dev/null 2>&1 \
  && echo docker || echo local)
endif
ifdef PLANNED
include $(PLAN)
else
# Not "include", which has its own line about the missing file after every mistake in an experiment.
-include $(PLAN)
endif
endif

VENV := .venv
PY := $(VENV)/bin/python
TRAINING_LOCK := docker/training/requirements.txt
ADB_LOCK := docker/adb/requirements.txt
ifeq ($(RUNTIME),docker)
SETUP := $(VENV)/.launcher
# $(call job,image,--read and --write paths,module and arguments)
job = $(PY) -m jobs.launch run --image $(1) --read $(EXPERIMENT) $(2) -- python -m $(3)
else
SETUP := $(VENV)/.local
job = $(PY) -m $(3)
endif
code = $(wildcard jobs/$(1)/*.py jobs/$(1)/*/*.py)
NETWORKS := $(wildcard common/networks/*.py common/augment.py)

$(VENV)/.launcher: requirements/launcher.txt
	requirements/setup $(VENV) $^
	touch $@
$(VENV)/.local: $(TRAINING_LOCK) $(ADB_LOCK) requirements/launcher.txt
	requirements/setup $(VENV) $^
	touch $@ $(VENV)/.launcher
$(VENV)/.dev: requirements/dev.txt $(VENV)/.local
	requirements/setup $(VENV) $<
	touch $@

# ---- the graph ---------------------------------------------------------------------------------
.PHONY: $(STAGES) FORCE
ifndef PLANNED
# Only reached when the plan could not be made, and jobs.plan has said why.
$(STAGES): ; +@exit 2
else
all: $(RUN)/report/results.json ## from images to a report
	@if (( $$(stat -c %Y $<) <= $(START) )); then \
	  echo "Nothing to do: every artifact of $(EXPERIMENT) is up to date."; $(PY) -m jobs.report --summary $(<D); fi
dataset: $(RUN)/dataset/dataset.json ## only the images
train: $(RUN)/train/training.json ## up to the trained network
optimize: $(VARIANTS:%=$(RUN)/variants/%/variant.json) ## up to the .tflite variants
evaluate: $(VARIANTS:%=$(RUN)/evaluation/%/evaluation.json) ## up to the accuracies
benchmark: $(TARGETS:%=$(RUN)/benchmark/%/benchmark.json) ## up to the latencies
choose: $(RUN)/best/choice.json ## up to the recommended variant with its model card
report: $(RUN)/report/results.json ## up to the report, without the summary
endif

# Checks the experiment each time and rewrites only the pieces that changed.
$(PLAN): FORCE | $(SETUP)
	@$(PY) -m jobs.plan --experiment $(EXPERIMENT) --data "$$DATA" --data-sha256 "$$DATA_SHA256" \
	  --devices "$$DEVICES" --output $(@D)

$(RUN)/dataset/dataset.json: $(RUN)/plan/dataset.json $(call code,dataset) $(TRAINING_LOCK) | $(SETUP) $(PLAN)
	$(call job,training,$(if $(LOCAL_DATA),--read "$$(< $(RUN)/plan/source)") $(if $(REMOTE_DATA),--network) --write $(@D),jobs.dataset \
	  --experiment $(EXPERIMENT) --data "$$DATA" --data-sha256 "$$DATA_SHA256" --output $(@D))

$(RUN)/train/training.json: $(RUN)/dataset/dataset.json $(RUN)/plan/train.json $(call code,train) $(NETWORKS) $(TRAINING_LOCK)
	$(call job,training,--read $(RUN)/dataset $(if $(MODEL_FILE),--read "$$(< $(RUN)/plan/model)") --write $(@D),jobs.train \
	  --experiment $(EXPERIMENT) --dataset $(RUN)/dataset --output $(@D))

$(RUN)/variants/%/variant.json: $(RUN)/train/training.json $(RUN)/plan/variants/%.json $(call code,optimize) $(NETWORKS) $(TRAINING_LOCK)
	$(call job,training,--read $(RUN)/dataset --read $(RUN)/train $(call student,$*) --write $(@D),jobs.optimize \
	  --experiment $(EXPERIMENT) --variant $* --dataset $(RUN)/dataset --training $(RUN)/train --output $(@D))
student = $(if $(filter $(1),$(STUDENTS)),--read "$$(< $(RUN)/plan/students/$(1))")

# The reference comes first: every other variant is compared with its answers.
REFERENCE_EVALUATION := $(RUN)/evaluation/$(REFERENCE)
$(RUN)/evaluation/%/evaluation.json: $(RUN)/variants/%/variant.json $(RUN)/plan/evaluate.json $(call code,evaluate)
	$(call job,training,--read $(RUN)/dataset --read $(RUN)/variants/$* $(call compare,$*,--read) --write $(@D),jobs.evaluate \
	  --experiment $(EXPERIMENT) --variant $(RUN)/variants/$* --dataset $(RUN)/dataset $(call compare,$*,--reference) --output $(@D))
compare = $(if $(filter-out $(REFERENCE),$(1)),$(2) $(REFERENCE_EVALUATION))
$(patsubst %,$(RUN)/evaluation/%/evaluation.json,$(filter-out $(REFERENCE),$(VARIANTS))): $(REFERENCE_EVALUATION)/evaluation.json

# One process for all variants, and nothing else of the run beside it: hence the order-only evaluations. Several
# devices are one job, which has a worker for each.
BENCHMARKS := $(TARGETS:%=$(RUN)/benchmark/%/benchmark.json)
ANDROID := $(filter-out host,$(TARGETS))
own = $(if $($(1)),--read $($(1)))
$(BENCHMARKS) &: $(VARIANTS:%=$(RUN)/variants/%/variant.json) $(RUN)/plan/benchmark.json \
  $(call code,benchmark) $(ADB_LOCK) | $(VARIANTS:%=$(RUN)/evaluation/%/evaluation.json)
	$(call job,adb,--read $(RUN)/variants $(if $(ANSWERS),--read $(RUN)/dataset) $(if $(ANDROID),--adb) \
	  $(call own,BENCHMARK_BINARY) $(call own,BENCHMARK_APK) $(call own,HEXAGON_LIBRARIES) --write $(RUN)/benchmark,jobs.benchmark \
	  --experiment $(EXPERIMENT) --variants $(RUN)/variants --devices "$$DEVICES" \
	  $(if $(ANSWERS),--dataset $(RUN)/dataset) $(if $(filter 1,$(KEEP)),--keep) \
	  $(if $(BENCHMARK_BINARY),--binary $(BENCHMARK_BINARY)) $(if $(BENCHMARK_APK),--apk $(BENCHMARK_APK)) \
	  $(if $(HEXAGON_LIBRARIES),--hexagon $(HEXAGON_LIBRARIES)) --output $(RUN)/benchmark)

# Where several devices were measured, the first decides.
$(RUN)/best/choice.json: $(BENCHMARKS) $(VARIANTS:%=$(RUN)/evaluation/%/evaluation.json) \
  $(RUN)/plan/choose.json $(call code,choose) $(TRAINING_LOCK)
	$(call job,training,--read $(RUN) --write $(@D),jobs.choose \
	  --experiment $(EXPERIMENT) --dataset $(RUN)/dataset --training $(RUN)/train --variants $(RUN)/variants \
	  --evaluations $(RUN)/evaluation $(TARGETS:%=--benchmark $(RUN)/benchmark/%) --output $(@D))

$(RUN)/report/results.json: $(RUN)/best/choice.json $(VARIANTS:%=$(RUN)/evaluation/%/evaluation.json) \
  $(RUN)/plan/report.json $(call code,report) $(wildcard reports/templates/*)
	$(call job,training,--read reports/templates --read $(RUN) --write $(@D),jobs.report \
	  --experiment $(EXPERIMENT) --dataset $(RUN)/dataset --training $(RUN)/train --variants $(RUN)/variants \
	  --evaluations $(RUN)/evaluation $(TARGETS:%=--benchmark $(RUN)/benchmark/%) --choice $(RUN)/best \
	  --output $(@D))

# ---- a phone for people who have none ------------------------------------------------------------
.PHONY: virtual-phone virtual-phone-stop
virtual-phone: ## start an Android-like phone in a container and print its DEVICE
	@docker/virtual-phone/run start "$$PERSONALITY"
virtual-phone-stop: ## remove it
	@docker/virtual-phone/run stop

# ---- development -------------------------------------------------------------------------------
.PHONY: help setup devices lock-binaries test test-slow test-container lint types lock clean
help: ## this list
	@echo "usage: make TARGET [VARIABLE=value]"; echo; echo "targets"
	@sed -nE 's/^([a-z-]+):.* ## (.*)/  \1\t\2/p' Makefile | expand -t 22
	@echo; echo "variables"
	@sed -nE 's/^([A-Z0-9_]+) \?= ?(.*)## (.*)/  \1\t\3 [\2]/p' Makefile | expand -t 20
setup: $(VENV)/.dev ## the virtual environment with everything in it
devices: $(VENV)/.local ## the Android devices that are attached
	@$(PY) -m jobs.devices
lock-binaries: $(VENV)/.local ## download the tools for devices and record what they are (RENEW=1: anew)
	$(PY) -m jobs.binaries --lock docker/adb/binaries.toml $(if $(filter 1,$(RENEW)),--renew)
test: $(VENV)/.dev ## the fast tests
	$(PY) -m pytest -n 2 --dist loadfile -m "not slow and not container"
test-slow: $(VENV)/.dev ## the tests that train and measure for real
	$(PY) -m pytest -m "slow and not container"
test-container: $(VENV)/.dev ## the tests that need a Docker engine
	$(PY) -m pytest -m container
lint: $(VENV)/.dev ## ruff, and zizmor for the workflows
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(VENV)/bin/zizmor --offline --quiet .github
types: $(VENV)/.dev ## mypy, strict
	$(PY) -m mypy
lock: ## renew the hashed lock files (needs uv)
	requirements/lock
clean: ## remove everything that was made from EXPERIMENT
	rm -rf -- $(RUN)
