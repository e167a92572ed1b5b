"""What a delegate really did, from what the tool and the runtime print. Pure.

Sentences: tflite/tools/benchmark/benchmark_tflite_model.cc, tflite/core/subgraph.cc and the GPU delegate.
"""

import re

from common.schema.outcome import Delegation

TOOL_NAMES = {"xnnpack": "XNNPACK", "gpu": "GPU", "nnapi": "NNAPI", "hexagon": "Hexagon"}
KERNELS = {
    "xnnpack": "TfLiteXNNPackDelegate",
    "gpu": "TfLiteGpuDelegateV2",
    "nnapi": "TfLiteNnapiDelegate",
    "hexagon": "TfLiteHexagonDelegate",
}
# After each of these the tool goes on with the CPU and exits 0.
REFUSALS = {
    "gpu": (r"GPU acceleration is unsupported on this platform\.", r"No operations will run on the GPU.*"),
    "nnapi": (r"NNAPI acceleration is unsupported on this platform\.",),
    "hexagon": (r"Could not create Hexagon delegate: .*",),
}
CLOSING_PHRASE = "Benchmarking failed."
# The tool's, the runtime's and abseil's (a letter and the day, then who says it).
MARK = re.compile(r"(INFO|WARN|WARNING|VERBOSE|ERROR|FATAL): |([IWEF])\d{4} \d\d:\d\d:(?:[^\]\n]{1,200}\] )?")
MARKED_ERRORS = {"ERROR", "FATAL", "E", "F"}
COMPLAINT = re.compile(
    r"\b(?:fail(?:ed|ure|s)?|errors?|cannot|can't|could not|couldn't|unable|invalid|unresolved|unsupported|disallowed|"
    r"mismatch|missing|not (?:supported|found|compatible|true|registered|valid)|no such|does not|doesn't|didn't|"
    r"(?:should|must) (?:be|have|match)|only supports?|aborted|out of memory)\b",
    re.IGNORECASE,
)
REPLACING = re.compile(
    r"Replacing (\d{1,9})(?: out of (\d{1,9}))? node\(s\) with delegate \((\w{1,80})\) node, "
    r"yielding (\d{1,9}) partitions"
)


def refusal(text: str, backend: str) -> str | None:
    """The tool's own words for a delegate that does not run here; None when it said nothing of the kind."""
    name = TOOL_NAMES.get(backend)
    if name is None:
        return None
    declined = rf"Though {name} delegate is explicitly applied, the model graph will not be executed by the delegate\."
    for pattern in (*REFUSALS.get(backend, ()), declined):
        if found := re.search(pattern, text):
            return found[0].strip()
    return None


def cannot_apply(text: str, backend: str) -> str | None:
    """The tool's words when the delegate could not be applied, which ends it with status 1."""
    name = TOOL_NAMES.get(backend, "")
    if name and (found := re.search(rf"Failed to apply {name} delegate\.", text)):
        reasons = [line for line in errors(text) if line != found[0]]
        return " ".join([found[0], *reasons[:1]])
    return None


def errors(text: str) -> list[str]:
    """What the tool and the runtime complain of, without mark and closing phrase: the lines marked as errors, and
    those without any mark whose words are a complaint, because builds of 2020 to 2022 mark none of the tool's own."""
    found = []
    for line in text.splitlines():
        mark = MARK.match(line)
        said = line[mark.end() :].strip() if mark else line.strip()
        bad = (mark[1] or mark[2]) in MARKED_ERRORS if mark else _complains(said)
        if bad and said not in {"", CLOSING_PHRASE}:
            found.append(said)
    return found


def _complains(said: str) -> bool:
    """Whether a line without a mark is one. The tool repeats its arguments, and a path may be called anything."""
    if said.startswith("Loaded model "):
        return False
    return COMPLAINT.search(said.partition(": [")[0] if said.endswith("]") else said) is not None


def delegation(text: str, backend: str) -> Delegation | None:
    """What ran where; None when the tool gives no proof that the backend was used at all."""
    replaced = REPLACING.findall(text)
    if backend == "cpu":
        explicit = re.search(r"Explicitly applied \w+ delegate", text)
        others = [kernel for *_, kernel, _ in replaced if kernel in KERNELS.values()]
        if explicit or others:
            return None
        return Delegation(extent="none", kernel=None, nodes_delegated=None, nodes_total=None, partitions=None)
    sentence = rf"Explicitly applied {TOOL_NAMES[backend]} delegate, and the model graph will be (completely|partially)"
    found = re.search(sentence + r" executed by the delegate(?: w/ (\d{1,9}) delegate kernels)?", text)
    if found is None or refusal(text, backend):
        return None
    own = [row for row in replaced if row[2] == KERNELS[backend]]
    nodes = sum(int(taken) for taken, *_ in own) if own else None
    total = sum(int(of) for _, of, *_ in own) if own and all(of for _, of, *_ in own) else None
    complete = found[1] == "completely" and (total is None or nodes == total)
    # A build that says nothing of the replacing still counts the kernels that it put into a graph that it shares.
    kernels = int(found[2]) if found[2] else None
    partitions = sum(int(row[3]) for row in own) if own else kernels
    return Delegation(
        extent="complete" if complete else "partial",
        kernel=KERNELS[backend],
        nodes_delegated=nodes,
        nodes_total=total,
        partitions=partitions,
    )
