"""A job of GitHub on this machine: nektos/act, which runs workflows and composite actions as the runner does, here
without containers. The action is what a tag of this repository would be: its files without .git and without an
environment; the workflow is of another repository."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from common.provenance import ROOT
from tests.contract.test_makefile import INHERITED

ACT = Path(sys.executable).parent / "act"
REPOSITORY = "someone/edgeproof@v1"
OUTPUTS = ("verdict", "run", "report", "summary", "results", "junit")
# A caller's workflow; what came out is written beside it.
WORKFLOW = """
on: push
permissions: {{}}
env:
  DATA: a variable of the caller's own
jobs:
  gate:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - id: edgeproof
        uses: {repository}
        with:
{inputs}
      - if: always()
        env:
          OUTPUTS: ${{{{ toJSON(steps.edgeproof.outputs) }}}}
          OUTCOME: ${{{{ steps.edgeproof.outcome }}}}
        run: |
          printf '%s' "$OUTPUTS" > "$OUT/outputs.json"
          printf '%s' "$OUTCOME" > "$OUT/outcome"
          rm -rf "$OUT/run"
          if [[ -d runs/edgeproof ]]; then cp -r runs/edgeproof "$OUT/run"; fi
          git status --short -- ':!.github' > "$OUT/status"
"""


@dataclass(frozen=True)
class Done:
    """What a job left: the step's outcome and outputs, a copy of the run's folder, what git says that changed in the
    workspace, what the job's page shows, and act's events."""

    outcome: str
    outputs: dict[str, str]
    run: Path
    changed: str
    page: str
    events: tuple[dict[str, object], ...]

    @property
    def log(self) -> str:
        """All that was printed."""
        return "".join(str(event.get("msg", "")) for event in self.events)

    def annotations(self, level: str) -> list[str]:
        """The texts of the annotations of a level."""
        return [str(event["arg"]) for event in self.events if event.get("command") == level]

    def text(self, output: str) -> str:
        """The file that an output names, in the copy of the run."""
        path = Path(self.outputs[output]).relative_to(self.outputs["run"])
        return (self.run / path).read_text(encoding="utf-8")


def published(folder: Path) -> Path:
    """The files of this checkout as a tag has them, with an environment that is ready: setting one up takes the
    network."""
    folder.mkdir()
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    for name in filter(None, names.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    # act copies it with new times, so that make would have pip look once more.
    text = f'#!/bin/bash\n[[ "$1 $2" == "-m pip" ]] || exec {shlex.quote(sys.executable)} "$@"\n'
    python.write_text(text, encoding="utf-8")
    python.chmod(0o755)
    for marker in (".launcher", ".files", ".data", ".local", ".dev"):
        (folder / ".venv" / marker).touch()
    return folder


def caller(folder: Path, files: dict[str, bytes]) -> Path:
    """A repository of somebody else."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    for argv in (("init", "--quiet", "--initial-branch=main"), ("add", "."), ("commit", "--quiet", "--message=one")):
        who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
        subprocess.run(["git", *who, *argv], cwd=folder, check=True, capture_output=True, timeout=60)
    return folder


def job(action: Path, repository: Path, out: Path, **inputs: str) -> Done:
    """Run the workflow with these inputs of the action; `_` in a name stands for `-`."""
    given = "".join(f"          {name.replace('_', '-')}: {json.dumps(text)}\n" for name, text in inputs.items())
    (repository / ".github" / "workflows").mkdir(parents=True, exist_ok=True)
    workflow = WORKFLOW.format(repository=REPOSITORY, inputs=given.rstrip("\n"))
    (repository / ".github" / "workflows" / "gate.yml").write_text(workflow, encoding="utf-8")
    out.mkdir(exist_ok=True)
    (out / "outcome").unlink(missing_ok=True)
    argv = [
        str(ACT), "push", "--directory", str(repository), "--platform", "ubuntu-24.04=-self-hosted", "--json",
        "--local-repository", f"{REPOSITORY}={action}", "--action-cache-path", str(out / "act"), "--no-cache-server",
        "--env", f"OUT={out}", "--strict",
    ]  # fmt: skip
    env = {name: value for name, value in os.environ.items() if name not in INHERITED} | {"HOME": str(out)}
    done = subprocess.run(
        argv, env=env, text=True, timeout=600, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    events = tuple(json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    assert (out / "outcome").exists(), done.stdout
    # A composite step's page is told for the step and for the action.
    page = [str(event["content"]) for event in events if event.get("command") == "summary"]
    return Done(
        (out / "outcome").read_text(encoding="utf-8"),
        json.loads((out / "outputs.json").read_text(encoding="utf-8")),
        out / "run",
        (out / "status").read_text(encoding="utf-8"),
        page[0] if page else "",
        events,
    )
