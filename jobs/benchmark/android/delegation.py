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
    """The lines that the tool marks as errors, without the mark and the closing phrase."""
    found = (line.strip() for line in re.findall(r"^(?:ERROR|FATAL): (.+)$", text, re.MULTILINE))
    return [line for line in found if line not in {"", "Benchmarking failed."}]


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
    partitions = sum(int(row[3]) for row in own) if own else None
    return Delegation(
        extent="complete" if complete else "partial",
        kernel=KERNELS[backend],
        nodes_delegated=nodes,
        nodes_total=total,
        partitions=partitions,
    )
