#!/usr/bin/env bash
# From images to a report on the device ANDROID_SERIAL; called by the emulator action, each line of whose own
# script would be a shell of its own. Called again, it goes on where it ended: the run's folder has all that was made.
set -euo pipefail
: "${ANDROID_SERIAL:?the emulator action names the device}"
export RUNTIME=local
# The tools outlast the checkout on a machine of one's own: what was trusted once is verified from then on.
if [[ -n ${RUNNER_TOOL_CACHE:-} ]]; then
  export EDGEPROOF_BINARIES=${EDGEPROOF_BINARIES:-$RUNNER_TOOL_CACHE/edgeproof-binaries}
fi
summary() {
  local run=${RUN:-runs/demo}
  if [[ -f $run/report/summary.md ]]; then cat "$run/report/summary.md"; else echo "No report: see $run/logs."; fi \
    >> "${GITHUB_STEP_SUMMARY:-/dev/null}"
}
trap summary EXIT
# An image without Google Play lets its adbd be root, whom more is allowed: to start Arm programs, where the kernel does.
# A phone is never asked.
if [[ $ANDROID_SERIAL == emulator-* ]]; then
  timeout 60 adb -s "$ANDROID_SERIAL" root || echo "adbd stays what it is"
  timeout 60 adb -s "$ANDROID_SERIAL" wait-for-device || true
fi
make devices
make all DEVICE="$ANDROID_SERIAL"
