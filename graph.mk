# The graph from images to a report: each stage is a job that reads finished folders and writes one new folder. The
# Makefile calls this file with the variables checked, and with the plan's names in the environment: VARIANTS, REFERENCE,
# TARGETS (folders of devices), SERIALS and STALE. No file of a run is ever read by make.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.SUFFIXES:
$(eval $(value PLAN))
START := $(shell date +%s)

DATASET := $(RUN)/dataset/dataset.json
TRAINING := $(RUN)/train/training.json
MODELS := $(VARIANTS:%=$(RUN)/variants/%/variant.json)
EVALUATIONS := $(VARIANTS:%=$(RUN)/evaluation/%/evaluation.json)
BENCHMARKS := $(TARGETS:%=$(RUN)/benchmark/%/benchmark.json)
CHOICE := $(RUN)/best/choice.json
REPORT := $(RUN)/report/results.json

.PHONY: all dataset train optimize evaluate benchmark choose report FORCE
all: $(REPORT)
	@if (( $$(stat -c %Y $<) <= $(START) )); then \
	  echo "Nothing to do: every artifact of $(EXPERIMENT) is up to date."; $(PY) -m jobs.report --summary $(<D); fi
dataset: $(DATASET)
train: $(TRAINING)
optimize: $(MODELS)
evaluate: $(EVALUATIONS)
benchmark: $(BENCHMARKS)
choose: $(CHOICE)
report: $(REPORT)

# An artifact depends on its inputs, named with its job below, and on its piece of the plan, which holds its settings,
# the hashes of the stage's code and lock file, and what it is measured on and with.
ARTIFACTS := $(DATASET) $(TRAINING) $(MODELS) $(EVALUATIONS) $(BENCHMARKS) $(CHOICE) $(REPORT)
$(ARTIFACTS): $(RUN)/%: $(RUN)/plan/%
$(RUN)/plan/%: ;
$(STALE:%=$(RUN)/%): FORCE

# $(call job,stage) is the command of a stage. In containers the launcher finds in it what it reads and writes.
job = $(PY) -m $(if $(filter docker,$(RUNTIME)),jobs.launch stage $(1) --,jobs.$(1)) --experiment $(EXPERIMENT)

$(DATASET):
	$(call job,dataset) --data "$$DATA" --data-sha256 "$$DATA_SHA256" --output $(@D)

$(TRAINING): $(DATASET)
	$(call job,train) --dataset $(RUN)/dataset --output $(@D)

$(MODELS): $(RUN)/variants/%/variant.json: $(TRAINING)
	$(call job,optimize) --variant $* --dataset $(RUN)/dataset --training $(RUN)/train --output $(@D)

# The reference comes first: every other variant is compared with its answers.
FIRST := $(RUN)/evaluation/$(REFERENCE)
$(filter-out $(FIRST)/%,$(EVALUATIONS)): $(FIRST)/evaluation.json
$(EVALUATIONS): $(RUN)/evaluation/%/evaluation.json: $(RUN)/variants/%/variant.json
	$(call job,evaluate) --variant $(<D) --dataset $(RUN)/dataset \
	  $(if $(filter-out $(REFERENCE),$*),--reference $(FIRST)) --output $(@D)

# One process for all variants, and nothing else of the run beside it: hence the order-only evaluations. Several
# devices are one job, which has a worker for each.
$(BENCHMARKS) &: $(MODELS) | $(EVALUATIONS)
	$(call job,benchmark) --variants $(RUN)/variants --dataset $(RUN)/dataset --devices '$(SERIALS)' \
	  $${BENCHMARK_BINARY:+--binary "$$BENCHMARK_BINARY"} $${BENCHMARK_APK:+--apk "$$BENCHMARK_APK"} \
	  $${HEXAGON_LIBRARIES:+--hexagon "$$HEXAGON_LIBRARIES"} $$([[ $$KEEP != 1 ]] || echo --keep) --output $(RUN)/benchmark

TOLD := $(TARGETS:%=--benchmark $(RUN)/benchmark/%)
made = --dataset $(RUN)/dataset --training $(RUN)/train --variants $(RUN)/variants --evaluations $(RUN)/evaluation
$(CHOICE): $(BENCHMARKS) $(EVALUATIONS)
	$(call job,choose) $(made) $(TOLD) --output $(@D)

$(REPORT): $(CHOICE)
	$(call job,report) $(made) $(TOLD) --choice $(<D) --output $(@D)
