"""docs/action.md against the action itself, and its workflows against the tools that read workflows."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from common.provenance import ROOT
from tests.contract.test_action import ACTION
from tests.contract.test_makefile import script

PAGE = (ROOT / "docs" / "action.md").read_text(encoding="utf-8")
TEXT = PAGE.replace("<owner>", "someone").replace("<commit>", "0" * 40)
GATE, PHONE, COMMENT = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
BIN = Path(sys.executable).parent
MARKER = "<!-- edgeproof check of models -->"
COMMENTS = [
    {"id": 1, "user": {"login": "somebody"}, "body": f"{MARKER}\nmine"},
    {"id": 2, "user": {"login": "github-actions[bot]"}, "body": f"quoting {MARKER}"},
    {"id": 3, "user": {"login": "github-actions[bot]"}, "body": f"{MARKER}\nold"},
]


@pytest.mark.parametrize(("kind", "heading"), [("inputs", "| input |"), ("outputs", "| output |")])
def test_every_input_and_output_is_explained(kind: str, heading: str) -> None:
    table = PAGE.split(heading)[1].split("\n\n")[0]
    named = [re.findall(r"`([^`]+)`", row.split("|")[1]) for row in table.splitlines()[2:]]
    assert sorted(name for row in named for name in row) == sorted(ACTION[kind])


@pytest.mark.parametrize("text", [GATE + COMMENT, PHONE])
def test_the_workflows_are_sound(tmp_path: Path, text: str) -> None:
    path = tmp_path / ".github" / "workflows" / "models.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    for argv in (
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)],
        ["zizmor", "--offline", "--quiet", str(path)],
    ):
        done = subprocess.run([str(BIN / argv[0]), *argv[1:]], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
    steps = [step for job in YAML(typ="safe").load(text)["jobs"].values() for step in job["steps"]]
    [used] = [step for step in steps if step.get("uses", "").startswith("someone/edgeproof@")]
    assert set(used["with"]) <= set(ACTION["inputs"])
    assert set(re.findall(r"steps\.edgeproof\.outputs\.([a-z]+)", text)) <= set(ACTION["outputs"])


@pytest.mark.skipif(shutil.which("jq") is None, reason="GitHub's runners have jq")
@pytest.mark.parametrize(
    ("comments", "asked"), [(COMMENTS, "PATCH issues/comments/3"), (COMMENTS[:2], "issues/7/comments")]
)
def test_the_comment_of_a_gate_is_found_by_its_marker(
    tmp_path: Path, comments: list[dict[str, object]], asked: str
) -> None:
    """Only the bot's own, whatever others write; another one is made where there is none."""
    [step] = YAML(typ="safe").load(COMMENT)
    (tmp_path / "summary.md").write_text(f"{MARKER}\nnew\n", encoding="utf-8")
    (tmp_path / "comments.json").write_text(json.dumps(comments), encoding="utf-8")
    # GitHub itself is not here: what it would be asked for.
    script(tmp_path / "gh", 'if [[ $2 == --paginate ]]; then cat comments.json; else echo "$*" > asked; fi')
    env = {"SUMMARY": "summary.md", "ISSUES": "issues", "NUMBER": "7", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert set(step["env"]) == {*env, "GH_TOKEN"} - {"PATH"}
    argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    subprocess.run(argv, cwd=tmp_path, env=env, check=True, timeout=60)
    said = (tmp_path / "asked").read_text(encoding="utf-8")
    assert said.replace("--method ", "") == f"api {asked} --field body=@summary.md --silent\n"
