# The graph from images to a report: each stage is a job that reads finished folders and writes one new folder. The
# Makefile calls this file with the variables checked, and with the plan's names in the environment: VARIANTS (RECIPES are
# trained, FILES given, FROM made from a file, EXPORTED from a Keras model, CALIBRATED of those on samples), REFERENCE, IMAGES (whether there is a data set), TARGETS (folders of
# devices), SERIALS (one word for the shell) and STALE. No file of a run is ever read by make.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.SUFFIXES:
HASH := \#
$(eval $(value PLAN))
export START := $(shell date +%s)

variants = $(1:%=$(RUN)/variants/%/variant.json)
TRAINING := $(if $(RECIPES),$(RUN)/train/training.json)
# What the models are asked with: images with labels, or samples.
ASKED := $(RUN)/$(if $(IMAGES),dataset/dataset,inputs/inputs).json
asked = --$(if $(IMAGES),dataset,samples) $(patsubst %/,%,$(dir $(ASKED)))
MADE := $(call variants,$(VARIANTS))
EVALUATIONS := $(VARIANTS:%=$(RUN)/evaluation/%/evaluation.json)
BENCHMARKS := $(TARGETS:%=$(RUN)/benchmark/%/benchmark.json)
CHOICE := $(RUN)/best/choice.json
REPORT := $(RUN)/report/results.json

.PHONY: all dataset train optimize evaluate benchmark choose report look FORCE
all: $(REPORT)
	@if (( $$(stat -c %Y $<) <= $(START) )); then \
	  echo "Nothing to do: every artifact of $(EXPERIMENT) is up to date."; $(PY) -m jobs.report --summary $(<D); fi
dataset: $(ASKED)
train: $(TRAINING)
optimize: $(MADE)
evaluate: $(EVALUATIONS)
benchmark: $(BENCHMARKS)
choose: $(CHOICE)
report: $(REPORT)

# An artifact depends on its inputs, named with its job below, and on its piece of the plan, which holds its settings,
# the hashes of the stage's code and lock file, and what it is measured on and with.
ARTIFACTS := $(ASKED) $(TRAINING) $(MADE) $(EVALUATIONS) $(BENCHMARKS) $(CHOICE) $(REPORT)
$(ARTIFACTS): $(RUN)/%: $(RUN)/plan/%
$(RUN)/plan/%: ;
$(STALE:%=$(RUN)/%): FORCE

# $(call job,stage) is the command of a stage, run by jobs.steps, which shows what a person must see of it. A dry run
# prints it as it is; with EDGEPROOF_LIST it tells jobs.steps, as a line each, what is to do. What carries it into a
# container or onto a cluster finds in the command what it reads and writes.
made = $(@:$(RUN)/%=%)
shown = @exec 2>&9 $(PY) -m jobs.steps run $(1) $(made) --run $(RUN) --
carrier = $(if $(filter docker,$(RUNTIME)),jobs.launch)$(if $(filter ray,$(RUNTIME)),jobs.farm)
stage = $(PY) -m $(carrier)$(if $(carrier), stage $(1) --,jobs.$(1)) --experiment $(EXPERIMENT)
job = $(if $(EDGEPROOF_LIST),$(info step $(1) $(made)))$(if $(DRY),,$(shown)) $(stage)

# Where nothing is trained, the images get the size that the reference takes.
LIKE := $(if $(RECIPES),,$(call variants,$(REFERENCE)))
$(RUN)/dataset/dataset.json: $(LIKE)
	$(call job,dataset) --data "$$DATA" --data-sha256 "$$DATA_SHA256" $(if $(LIKE),--like $(dir $(LIKE))) --output $(@D)

$(RUN)/inputs/inputs.json: $(LIKE)
	$(call job,inputs) --variant $(dir $(LIKE)) --output $(@D)

$(TRAINING): $(ASKED)
	$(call job,train) --dataset $(<D) --output $(@D)

# A variant is trained, given, or made from a file that is given: a finished one, or a Keras model.
ifneq ($(RECIPES),)
$(call variants,$(RECIPES)): $(RUN)/variants/%/variant.json: $(TRAINING)
	$(call job,optimize) --variant $* --dataset $(RUN)/dataset --training $(<D) --output $(@D)
endif
ifneq ($(FILES),)
$(call variants,$(FILES)): $(RUN)/variants/%/variant.json:
	$(call job,adopt) --variant $* --output $(@D)
endif
ifneq ($(FROM),)
$(call variants,$(FROM)): $(RUN)/variants/%/variant.json:
	$(call job,quantize) --variant $* $(ranges) --output $(@D)
endif
ifneq ($(EXPORTED),)
$(call variants,$(EXPORTED)): $(RUN)/variants/%/variant.json:
	$(call job,export) --variant $* $(ranges) --output $(@D)
endif
# Some of those need samples for the ranges of their activations.
ranges = $(if $(filter $*,$(CALIBRATED)),$(asked))
ifneq ($(CALIBRATED),)
$(call variants,$(CALIBRATED)): $(ASKED)
endif

# The reference comes first: every other variant is compared with its answers.
FIRST := $(RUN)/evaluation/$(REFERENCE)
$(filter-out $(FIRST)/%,$(EVALUATIONS)): $(FIRST)/evaluation.json
$(EVALUATIONS): $(RUN)/evaluation/%/evaluation.json: $(RUN)/variants/%/variant.json $(ASKED)
	$(call job,evaluate) --variant $(<D) $(asked) \
	  $(if $(filter-out $(REFERENCE),$*),--reference $(FIRST)) --output $(@D)

# One process for all variants, and nothing else of the run beside it: hence the order-only evaluations. Several
# devices are one job, which has a worker for each; the first one's artifact stands for all. (As a group of targets
# (&:) they would hide from a dry run, in GNU make 4.3, what hangs on them.)
# Who asks for latencies alone gets no accuracies.
JUDGED := $(if $(filter-out dataset train optimize benchmark,$(MAKECMDGOALS)),$(EVALUATIONS))
FIRST_DEVICE := $(firstword $(BENCHMARKS))
OTHER_DEVICES := $(filter-out $(FIRST_DEVICE),$(BENCHMARKS))
LACKING := $(filter-out $(wildcard $(BENCHMARKS)),$(BENCHMARKS)) $(filter benchmark/%,$(STALE))
$(OTHER_DEVICES): $(FIRST_DEVICE) ;
$(FIRST_DEVICE): $(MADE) $(ASKED) $(OTHER_DEVICES:$(RUN)/%=$(RUN)/plan/%) $(if $(strip $(LACKING)),FORCE) | $(JUDGED)
	$(call job,benchmark) --variants $(RUN)/variants $(asked) $(devices)
devices = --devices $(SERIALS) $${BENCHMARK_BINARY:+--binary "$$BENCHMARK_BINARY"} \
  $${BENCHMARK_APK:+--apk "$$BENCHMARK_APK"} $${HEXAGON_LIBRARIES:+--hexagon "$$HEXAGON_LIBRARIES"} \
  $${BENCHMARK_BINARY_2:+--second "$$BENCHMARK_BINARY_2"} $${NPU_LIBRARIES:+--npu "$$NPU_LIBRARIES"} \
  $$([[ $$KEEP != 1 ]] || echo --keep) --output $(RUN)/benchmark

# Before anything is made for a device: is it there, does it let us in, and is there all that measures on it?
look:
	$(if $(filter-out host,$(TARGETS)),@exec 2>&9 $(PY) -m jobs.steps run devices look --run $(RUN) -- \
	  $(call stage,benchmark) --look $(devices),@:)

TOLD := $(TARGETS:%=--benchmark $(RUN)/benchmark/%)
read = $(asked) $(if $(TRAINING),--training $(RUN)/train) --variants $(RUN)/variants --evaluations $(RUN)/evaluation
$(CHOICE): $(BENCHMARKS) $(EVALUATIONS)
	$(call job,choose) $(read) $(TOLD) --output $(@D)

$(REPORT): $(CHOICE)
	$(call job,report) $(read) $(TOLD) --choice $(<D) --output $(@D)
