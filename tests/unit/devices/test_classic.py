"""The test phones' benchmark_model against recorded output of the real one."""

import re
from pathlib import Path

import pytest

from tests.devices.standin.device import StandIn
from tests.devices.standin.phone import fake_binary
from tests.devices.standin.tool import fake_model
from tests.unit.devices.test_shell import run

RECORDED = Path(__file__).parents[2] / "data" / "benchmark_model"
FOLDER = "/data/local/tmp"
BASELINE = f"--graph={FOLDER}/baseline.tflite"
QUICK = "--min_secs=0 --warmup_min_secs=0"
# The command lines of the recordings.
RUNS = {
    "baseline/a_default": BASELINE,
    "baseline/b_threads1": f"{BASELINE} --num_threads=1",
    "baseline/c_noxnn": f"{BASELINE} --use_xnnpack=false",
    "baseline/c_xnn_true": f"{BASELINE} --use_xnnpack=true",
    "f_help": "--help",
    "g_missing": "--graph=/nonexistent/nope.tflite",
    "h_empty": f"--graph={FOLDER}/bad/empty.tflite",
    "h_half": f"--graph={FOLDER}/bad/half.tflite",
    "h_random": f"--graph={FOLDER}/bad/random.tflite",
    "j_out_unwritable": (
        f"{BASELINE} --num_runs=1 {QUICK} --output_filepath=/nonexistent/x.bin --result_file_path=/nonexistent/y.pb"
    ),
    "k_badvalue": f"{BASELINE} --num_threads=abc",
    "k_dryrun": f"{BASELINE} --dry_run=true",
    "k_inputlayer_mismatch": f"{BASELINE} --input_layer=a,b --input_layer_shape=1,2",
    "k_neg_threads": f"{BASELINE} --num_threads=-5",
    "k_numruns": f"{BASELINE} --num_runs=10 --min_secs=0 --warmup_runs=2 --warmup_min_secs=0",
    "k_one_run": f"{BASELINE} --num_runs=1 --min_secs=0 --warmup_runs=1 --warmup_min_secs=0",
    "k_require_full": f"{BASELINE} --num_runs=1 {QUICK} --require_full_delegation=true",
    "k_require_full_xnn": f"{BASELINE} --num_runs=1 {QUICK} --require_full_delegation=true --use_xnnpack=true",
    "k_space": f"--graph {FOLDER}/baseline.tflite",
    "k_unknown": f"{BASELINE} --no_such_flag=1",
    "k_unknown_bare": f"{BASELINE} foo",
    "k_zero_warmup": f"{BASELINE} --num_runs=5 --min_secs=0 --warmup_runs=0 --warmup_min_secs=0",
}


def form(text: str) -> list[str]:
    """Lines without their numbers, without the list of flags, and without what only Android builds say."""
    text = text.partition("Flags:\n")[0]
    lines = [re.sub(r"-?\d+(\.\d+)?(e[+-]\d+)?", "#", line) for line in text.splitlines()]
    return [line for line in lines if not line.startswith("INFO: Replacing")]


@pytest.mark.parametrize("name", RUNS)
def test_it_speaks_like_the_real_one(name: str) -> None:
    device = StandIn()
    files = device.phone.files
    files.add(f"{FOLDER}/benchmark_model", fake_binary(), 0o100755)
    files.add(f"{FOLDER}/baseline.tflite", fake_model())
    for broken, content in {"empty": b"", "half": fake_model()[:6], "random": b"\x07" * 4000}.items():
        files.add(f"{FOLDER}/bad/{broken}.tflite", content)
    status, out, err = run(f"{FOLDER}/benchmark_model {RUNS[name]}", device)
    recorded = RECORDED / name
    assert status == int(recorded.with_suffix(".rc").read_text().split()[0])
    assert form(out.decode()) == form(recorded.with_suffix(".stdout").read_text())
    assert form(err.decode()) == form(recorded.with_suffix(".stderr").read_text())
