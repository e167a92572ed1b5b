"""Nothing that was started stays when it is to end."""

import subprocess
import sys
import time
from pathlib import Path

from jobs.farm.parent import below, end_all

NESTED = """
import subprocess, sys, time
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)
time.sleep(60)
"""


def test_all_that_a_process_started_ends_with_it() -> None:
    process = subprocess.Popen([sys.executable, "-c", NESTED])
    while len(found := below(process.pid)) < 2:
        time.sleep(0.05)
    end_all(process.pid)
    process.wait(5)
    time.sleep(0.2)
    assert not [pid for pid in found[1:] if Path(f"/proc/{pid}").exists() and " Z " not in state(pid)]


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")


def test_a_process_ends_when_its_parent_lets_go() -> None:
    code = "import time\nfrom jobs.farm.parent import end_with_parent\nend_with_parent()\ntime.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(20) == 137
