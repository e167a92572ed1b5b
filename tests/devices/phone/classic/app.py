"""The tool as an app: everything to the log, without prefix, without STARTING! and without an exit status."""

from collections.abc import Callable

ACTIVITY_TAG = "tflite_BenchmarkModelActivity"
TAG = "tflite"
# Play services, as if they ran.
OTHER_PROCESS = 2167
LEVELS = {"INFO": "I", "WARN": "W", "ERROR": "E"}
# What the binary's main() says and the app's does not.
HIDDEN = ("STARTING!", "Benchmarking failed.")


def greeting(given: str) -> str:
    """What the activity logs first."""
    return f"Running TensorFlow Lite benchmark with args: {given}"


def completed(given: str, package: str) -> str:
    """The arguments with what the activity adds to them."""
    if "--use_hexagon=true" in given or "--use_hexagon=1" in given:
        return f"{given} --hexagon_lib_path=/data/app/{package}-1/lib/arm64"
    return given


def to_log(write: Callable[[str, str, str], object]) -> Callable[[str], None]:
    """Turns the binary's output into calls of `write(level, tag, text)`."""

    def log(output: str) -> None:
        for line in output.splitlines():
            word, colon, text = line.partition(": ")
            level, text = (LEVELS[word], text) if colon and word in LEVELS else ("I", line)
            if text and text not in HIDDEN:
                write(level, TAG, text)

    return log
