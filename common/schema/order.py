"""Which passes go together, and in which order. Pure: names to the reason against."""

from collections.abc import Sequence
from itertools import combinations

LOST_ZEROS = "would train the pruned weights away from zero"
LOST_CLUSTERS = "would train the clustered weights apart"
# (earlier, later): why the second undoes the first.
UNDONE = {
    ("prune", "factorize"): "the factors of a pruned kernel are not sparse",
    ("prune", "merge_separable"): "the product of pruned kernels is not sparse",
    ("cluster", "prune"): LOST_CLUSTERS,
    ("cluster", "factorize"): "the factors of a clustered kernel have other values",
    ("cluster", "merge_separable"): "the product of clustered kernels has other values",
    ("cluster", "fold_batch_norm"): "folding scales the channels of a clustered kernel apart",
}
PRESERVED = {"nothing": (), "sparsity": ("prune",), "clusters": ("cluster",)}
PRESERVED["sparsity_and_clusters"] = ("prune", "cluster")


def refusal(
    names: Sequence[str], *, cluster_keeps_zeros: bool, preserve: str | None, conversion: str, sparse: bool
) -> str | None:
    """Why passes of these `names`, in order, cannot be combined; None when they can.

    `preserve` is quantize_aware's setting, None without such a pass.
    """
    for earlier, later in combinations(names, 2):
        if later == "distill":
            return f"distill must be the first pass: its new network has nothing of what {earlier} did"
        if (earlier, later) in UNDONE:
            return f"{later} after {earlier}: {UNDONE[earlier, later]}; put {later} first"
        if earlier == "quantize_aware":
            return f"{later} after quantize_aware: its layers are wrapped for quantisation; put it last"
        if (earlier, later) == ("prune", "cluster") and not cluster_keeps_zeros:
            return "cluster after prune moves the zeros; set preserve_sparsity = true on cluster"
    if sparse and "prune" not in names:
        return "sparse needs a prune pass: without zeros there is nothing to leave out"
    return None if preserve is None else _quantised(names, preserve, conversion)


def _quantised(names: Sequence[str], preserve: str, conversion: str) -> str | None:
    if conversion != "int8":
        return f"quantize_aware makes an int8 model; convert it to int8, not to {conversion}"
    kept = PRESERVED[preserve]
    for name, loss in (("prune", LOST_ZEROS), ("cluster", LOST_CLUSTERS)):
        if name in names and name not in kept:
            return f"quantize_aware after {name} {loss}; set preserve"
        if name in kept and name not in names:
            return f"preserve = '{preserve}' needs a {name} pass before quantize_aware"
    return None
