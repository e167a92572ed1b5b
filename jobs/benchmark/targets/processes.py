"""Why a process of ours ended, in words."""

import signal


def last_words(returncode: int, stderr: str) -> str:
    """The signal that ended it, or the last line that it wrote."""
    if returncode < 0:
        return f"killed by {signal.Signals(-returncode).name}"
    lines = [line for line in stderr.splitlines() if line.strip()]
    return lines[-1][:500] if lines else f"exit status {returncode}"
