#!/usr/bin/env bash
# From images to a report on the device ANDROID_SERIAL; called by the emulator action, each line of whose own
# script would be a shell of its own.
set -euo pipefail
: "${ANDROID_SERIAL:?the emulator action names the device}"
export RUNTIME=local
make devices
# Their publisher prints no sums: what this job downloads is trusted on first use and verified afterwards.
make lock-binaries
make all DEVICE="$ANDROID_SERIAL"
cat runs/demo/report/report.md >> "${GITHUB_STEP_SUMMARY:-/dev/null}"
