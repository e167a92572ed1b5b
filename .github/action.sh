#!/usr/bin/env bash
# The step of action.yml: measures the caller's files and holds them against a base and budgets. What the caller gives
# arrives as GIVEN_<INPUT> and is text: it is looked at here, made absolute, and never run.
set -euo pipefail
shopt -s inherit_errexit
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
# Nothing of a run is written through a link, and a runner's own folder may be one.
workspace=$(cd -- "${GITHUB_WORKSPACE:?names the checkout of the caller}" && pwd -P)
outputs=${GITHUB_OUTPUT:-/dev/null} page=${GITHUB_STEP_SUMMARY:-/dev/null}

# ---- what is said ----------------------------------------------------------------------------------
annotation() { # LEVEL TEXT: a line that the job's page shows; the forms are those of the runner's toolkit
  local text=${2//'%'/%25}; text=${text//$'\r'/%0D}
  printf '::%s title=edgeproof::%s\n' "$1" "${text//$'\n'/%0A}"
}
die() { annotation error "${1//[![:print:]]/?}" >&2; exit 2; }

# ---- what is given ---------------------------------------------------------------------------------
trimmed() { # TEXT: without blanks at its ends
  local text=${1#"${1%%[![:space:]]*}"}
  printf '%s' "${text%"${text##*[![:space:]]}"}"
}
lines() { # TEXT: its lines that hold something
  local line
  while IFS= read -r line || [[ -n $line ]]; do
    line=$(trimmed "$line")
    [[ -z $line ]] || printf '%s\n' "$line"
  done <<<"$1"
}
one() { # INPUT TEXT: a value of one line
  local text; text=$(trimmed "$2")
  [[ $text != *$'\n'* ]] || die "$1: give one line"
  printf '%s' "$text"
}
absolute() { [[ -z $1 || $1 == /* ]] && printf '%s' "$1" || printf '%s/%s' "$workspace" "$1"; }
there() { # INPUT TEXT: a file or folder of the caller's
  local text path; text=$(one "$1" "$2"); path=$(absolute "$text")
  [[ -z $text || -e $path ]] || die "$1: $text is not there (paths are those of the workspace)"
  printf '%s' "$path"
}
plain() { # INPUT TEXT: make needs it as the name of a target
  [[ $2 =~ ^[A-Za-z0-9._/@+,-]*$ ]] || die "$1: $2 cannot be used (give letters, digits and any of ._/-+@, without blanks)"
}
yes() { # INPUT TEXT: 1 for true, nothing for false
  local text; text=$(one "$1" "$2")
  case $text in true | 1) echo 1 ;; false | 0 | "") ;; *) die "$1: $text is neither true nor false" ;; esac
}
quoted() { # TEXT: one word of a list that is read as a shell's words
  local mark="'\\''"
  printf "'%s' " "${1//\'/"$mark"}"
}
listed() { # TEXT: its lines as such a list
  local line
  while IFS= read -r line; do quoted "$line"; done < <(lines "$1")
}
models() { # TEXT: files, folders and patterns, a line each
  local line
  while IFS= read -r line; do
    [[ -e $(absolute "$line") || $line == *[*?[]* ]] ||
      die "models: $line is not there (give a file, folder or pattern a line, as paths of the workspace)"
    quoted "$(absolute "$line")"
  done < <(lines "$1")
}

plain "the workspace" "$workspace"
run=$(one run "${GIVEN_RUN:-}")
plain run "$run"
[[ -n $run && $run != /* && /$run/ != */../* ]] || die "run: $run is no folder inside the workspace (give a relative path)"
[[ ! $run =~ ^[./]*$ ]] || die "run: $run is the workspace itself (give a folder in it)"
run=$workspace/$run
experiment=$(there experiment "${GIVEN_EXPERIMENT:-}")
plain experiment "$experiment"
files=$(models "${GIVEN_MODELS:-}")
[[ -n $files || -n $experiment ]] || die "give models or an experiment"
[[ -z $files || -z $experiment ]] || die "models and experiment exclude each other: give one of them"
reference=$(one reference "${GIVEN_REFERENCE:-}")
[[ ! -e $(absolute "$reference") ]] || reference=$(absolute "$reference")
data=$(one data "${GIVEN_DATA:-}")
[[ $data =~ ^https?:// ]] || data=$(there data "$data")
devices=$(lines "${GIVEN_DEVICE:-}")
fail_on=$(one fail-on "${GIVEN_FAIL_ON:-broken}")
[[ $fail_on =~ ^(broken|cannot-say|never)$ ]] || die "fail-on: $fail_on is none of broken, cannot-say and never"
python=$(one python "${GIVEN_PYTHON:-}")
[[ $python != */* ]] || python=$(there python "$python")
base=$(one base "${GIVEN_BASE:-}")
base=$(absolute "$base")
inputs=$(there inputs "${GIVEN_INPUTS:-}")
binary=$(there benchmark-binary "${GIVEN_BENCHMARK_BINARY:-}")
budgets=$(there budgets "${GIVEN_BUDGETS:-}")
budget=$(one budget "${GIVEN_BUDGET:-}")
hash=$(one data-sha256 "${GIVEN_DATA_SHA256:-}")
runtime=$(one runtime "${GIVEN_RUNTIME:-local}")
rerun=$(yes rerun "${GIVEN_RERUN:-}")
trust=$(yes trust "${GIVEN_TRUST:-}")
checked=$base$budgets
# The first run of a repository has nothing to be compared with.
if [[ -n $base && ! -f $base && ! -f $base/results.json && ! -f $base/report/results.json ]]; then
  annotation warning "base: ${GIVEN_BASE//[![:print:]]/?} holds no results: what needs a base cannot be said"
  base='' rerun=''
fi

# ---- make, with these variables alone --------------------------------------------------------------
# The caller's job may have variables of the same names, which mean something else.
while read -r name; do unset "$name"; done < <(sed -nE 's/^([A-Z0-9_]+) \?=.*/\1/p' Makefile)
unset MAKEFLAGS MFLAGS GNUMAKEFLAGS MAKEFILES MAKELEVEL MAKEOVERRIDES PYTHONPATH PYTHONHOME
settings=(RUN="$run" RUNTIME="$runtime" PYTHON="$python" REFERENCE="$reference" INPUTS="$inputs" DATA="$data"
  DATA_SHA256="$hash" BENCHMARK_BINARY="$binary" TRUST="$trust")
if [[ $devices == *$'\n'* ]]; then settings+=(DEVICES="$(listed "$devices")"); else settings+=(DEVICE="${devices:-host}"); fi
given=(EXPERIMENT="$experiment")
[[ -z $files ]] || given=(MODELS="$files" BUDGET="$budget")
# The tools for phones outlast the action's checkout on a machine of one's own.
[[ -z ${RUNNER_TOOL_CACHE:-} ]] || export EDGEPROOF_BINARIES=${EDGEPROOF_BINARIES:-$RUNNER_TOOL_CACHE/edgeproof-binaries}

as_root() { if [[ $(id -u) == 0 ]]; then "$@"; else sudo -n "$@"; fi; }
if ! command -v make >/dev/null; then
  echo "installing make"
  as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends make >/dev/null ||
    die "there is no make, and it could not be installed (install it in a step before)"
fi

log=$(mktemp)
trap 'rm -f -- "$log"' EXIT
made() { # GOAL VARIABLE...: what make says is kept too; a runner that cancels the job signals this shell alone
  local pipe told child i status=0
  exec {pipe}> >(tee -- "$log")
  told=$!
  make "$@" >&"$pipe" 2>&1 &
  child=$!
  exec {pipe}>&-
  trap 'kill -TERM "$child" 2>/dev/null' INT TERM HUP
  # A signal ends the wait before make has ended.
  while { wait "$child" || status=$?; kill -0 "$child" 2>/dev/null; }; do status=0; done
  trap - INT TERM HUP
  # Whatever outlives make, as an adb server may, holds the pipe open: tee gets five seconds to write the rest.
  for ((i = 0; i < 50; i++)); do kill -0 "$told" 2>/dev/null || break; sleep 0.1; done
  return "$status"
}

# ---- the run, the check, and what comes out --------------------------------------------------------
file() { if [[ -f $1 ]]; then printf '%s' "$1"; fi; }
finish() { # STATUS VERDICT: of a run that failed nothing of an older one is taken for its own
  local report='' results='' summary='' junit=''
  if [[ -n $2 ]]; then
    report=$(file "$run/report/report.html") results=$(file "$run/report/results.json")
    summary=$(file "$run/report/summary.md")
  fi
  if [[ -n $2 && $2 != not-checked ]]; then
    summary=$(file "$run/check/summary.md") junit=$(file "$run/check/junit.xml")
  fi
  printf '%s=%s\n' verdict "$2" run "$run" report "$report" summary "$summary" results "$results" junit "$junit" \
    >>"$outputs"
  if [[ -n $summary ]]; then cat -- "$summary" >>"$page"; else echo "No report: see the log of the step." >>"$page"; fi
  exit "$1"
}
failed() { # STATUS: the first error that was printed goes to the job's page
  local line; line=$(grep -m1 -e '^error: ' -e '^Makefile:[0-9]*: \*\*\* ' -e '^ERROR: ' "$log" || echo "make failed with exit status $1")
  line=${line#Makefile:*: \*\*\* } line=${line#ERROR: }
  annotation error "${line#error: }"
  finish "$1" ''
}

# Names in models and words of devices are no commands to the runner.
quiet=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$quiet"
status=0; made all "${settings[@]}" "${given[@]}" || status=$?
echo "::$quiet::"
((status == 0)) || failed "$status"
[[ -n $checked ]] || finish 0 not-checked

# make has one status for all that fail: the verdict is in the artifact.
[[ ! -L $run/check ]] || die "$run/check is a link: remove it"
rm -f -- "$run/check/check.json"
status=0; made check "${settings[@]}" BASE="$base" BUDGETS="$budgets" RERUN="$rerun" BUDGET="$budget" || status=$?
[[ -f $run/check/check.json ]] || failed "$status"
verdict=$(.venv/bin/python -c 'import sys; from pathlib import Path
from common.artifact import read; from common.schema.budget import Check
print(read(Path(sys.argv[1]), Check).status.replace(" ", "-"))' "$run/check/check.json")
case $fail_on:$verdict in
  broken:broken | cannot-say:broken) finish 1 broken ;;
  cannot-say:cannot-say) finish 3 cannot-say ;;
  *) finish 0 "$verdict" ;;
esac
