"""What a .tflite file holds and computes: parts of `variant.json`, `results.json` and of the inspect tool's output."""

from typing import Annotated, Literal

from pydantic import Field

from common.schema.base import Count, Model, Share

# int8: 8-bit activations; int16x8: 16-bit activations and 8-bit weights; hybrid: float activations and integer
# weights (dynamic range); conversion: QUANTIZE, DEQUANTIZE, DENSIFY; other: indices, shapes, strings, resources, and
# what only calls another subgraph.
Domain = Literal["float32", "int8", "int16x8", "hybrid", "conversion", "other"]
# What computes in float: hybrid multiplies integer weights with float activations.
FLOATING: tuple[Domain, ...] = ("float32", "hybrid")
# Of XNNPACK on an operator. "not sure" is where the runtime that was asked says otherwise than the rules.
Verdict = Literal["takes", "leaves", "not sure"]
OLDER = "made before LiteRT was asked"


class Quantization(Model):
    """Affine parameters, real = scale * (stored - zero point).

    `axis` is the dimension that the scales go along, None for a single scale. `block` is the number of
    elements that share a scale along the last dimension, None where the whole slice shares one. `zero_points` are the
    distinct ones. `not_finite` counts scales that are NaN or infinite; `scale_low` and `scale_high` are of the others,
    0 where there are none.
    """

    scales: Count
    scale_low: float
    scale_high: float
    zero_points: tuple[int, ...]
    axis: int | None
    block: Count | None
    not_finite: Count = 0


class Tensor(Model):
    """A constant tensor as it stands in the .tflite file.

    `unique_per_channel` is the largest number of distinct values in any output channel (the whole
    tensor where it has no channels). `stored_bytes` is what it takes in the file, less than its
    elements do where it is `sparse` (stored by its non-zero values); both are of version 2. `subgraph` is the one that
    lists it; those that share a buffer list it each. `nan` and `infinite` count values that are no numbers or infinite.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    elements: Count
    zeros: Share
    unique_per_channel: Count
    quantization: Quantization | None = None
    stored_bytes: Count = 0
    sparse: bool = False
    subgraph: Count = 0
    nan: Count = 0
    infinite: Count = 0


class Port(Model):
    """An input or output of the model. `scale` is None when it is not quantised. `open_shape` has -1 for sides that a
    caller chooses, and is empty where there are none."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None
    zero_point: int | None
    open_shape: tuple[int, ...] = ()


class Operator(Model):
    """One operator. Types are those of its first input that is no constant and of its first output.

    `macs` counts multiply-accumulates of one inference at the shapes in the file, those of the subgraphs that it calls
    among them; None where they cannot be counted, and `uncounted` says why. `refusal` says why XNNPACK would not take
    it by the rules; None where it would. `taken` is what the runtime did; None where it was not asked.
    """

    subgraph: Count
    index: Count
    name: str
    input_type: str | None
    output_type: str | None
    domain: Domain
    macs: Count | None
    weight_bytes: Count
    refusal: str | None
    uncounted: str | None = None
    taken: bool | None = None

    @property
    def verdict(self) -> Verdict:
        """XNNPACK's."""
        return _verdict(self.refusal, self.taken)

    @property
    def verdict_text(self) -> str:
        """XNNPACK's, in words."""
        return _words(self.refusal, self.taken)


class Uncounted(Model):
    """Operators whose multiply-accumulates cannot be told from the file, for one reason."""

    operator: str
    reason: str
    count: Count


class NamedPort(Model):
    """A port of a signature by the name that callers use."""

    name: str
    port: Port


class Subgraph(Model):
    """A subgraph. `macs` are those of one inference of it that can be counted, those of what it calls among them."""

    index: Count
    name: str
    operators: Count
    macs: Count
    uncounted: tuple[Uncounted, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


class FileSignature(Model):
    """A named way into a subgraph, which has its figures; ports in the order of the subgraph's."""

    name: str
    subgraph: Count
    macs: Count
    uncounted: tuple[Uncounted, ...]
    inputs: tuple[NamedPort, ...]
    outputs: tuple[NamedPort, ...]


class DomainTotal(Model):
    """What all operators of one numeric domain amount to."""

    domain: Domain
    operators: Count
    macs: Count


class Refusal(Model):
    """Operators that XNNPACK does not take, or of which it is not sure whether it does.

    `reason` is the rules'; None where they know none. `taken` is what the runtime did; None where it was not asked.
    """

    operator: str
    reason: str | None
    count: Count
    taken: bool | None = None

    @property
    def verdict(self) -> Verdict:
        """On each of them."""
        return _verdict(self.reason, self.taken)

    @property
    def text(self) -> str:
        """Why, in words."""
        return _words(self.reason, self.taken)


def _verdict(reason: str | None, taken: bool | None) -> Verdict:
    by_rule = reason is None
    if taken is None or taken == by_rule:
        return "takes" if by_rule else "leaves"
    return "not sure"


def _words(reason: str | None, taken: bool | None) -> str:
    if _verdict(reason, taken) == "not sure":
        asked = f"takes it, the rules say: {reason}" if taken else "leaves it, the rules find no reason"
        return f"not sure: LiteRT {asked}"
    return "takes it" if reason is None else reason


class UnaskedGraph(Model):
    """A subgraph that the runtime has no answer for, and why. The rules' verdicts stand alone."""

    graph: Count
    why: str


class AskedRuntime(Model):
    """The runtime that said what XNNPACK takes, and the processor's architecture there.

    `rules` is the runtime that the rules, which give the reasons, were checked with.
    """

    kind: Literal["asked"] = "asked"
    runtime: str
    machine: str
    rules: str
    unasked: tuple[UnaskedGraph, ...] = ()

    @property
    def text(self) -> str:
        """Whose verdicts they are, in words."""
        left = "".join(f"; no answer of subgraph {each.graph}: {each.why}" for each in self.unasked)
        return f"as {self.runtime} answers on {self.machine}{left}"


class RulesAlone(Model):
    """No runtime has an answer, for `why`; `rules` is the one that the rules were checked with."""

    kind: Literal["rules"] = "rules"
    rules: str
    why: str

    @property
    def text(self) -> str:
        """Whose verdicts they are, in words."""
        return f"by rules that were checked with {self.rules}; no answer of a runtime: {self.why}"


VerdictSource = Annotated[AskedRuntime | RulesAlone, Field(discriminator="kind")]


class Proof(Model):
    """What a file computes, and how.

    `macs` and all that counts operators are of one inference of the first subgraph and of what it calls; a file of
    several signatures has the others' figures apart. `macs` leaves out the operators that `uncounted` names.
    `weight_bytes` are all constants as stored, `deflated_bytes` the file in a zip (DEFLATE, level 6).
    `quantize` and `dequantize` leave aside what only unpacks weights.
    An island is a largest group of connected float operators in a file that has quantised ones as
    well. A pair is a QUANTIZE and a DEQUANTIZE of which one reads what the other wrote.
    `sparse_refusal` says why XNNPACK would not run the file sparsely; None where it would.
    `xnnpack` says whose the verdicts on XNNPACK are; older files have but the name of the runtime that the rules were
    checked with. `source` reads both. `faults` says in words what is wrong with single tensors, operators and
    signatures; they are shown without it.
    """

    macs: Count
    weight_bytes: Count
    file_bytes: Count
    deflated_bytes: Count
    domains: tuple[DomainTotal, ...]
    float_islands: tuple[tuple[str, ...], ...]
    quantize: Count
    dequantize: Count
    pairs: Count
    refusals: tuple[Refusal, ...]
    sparse_refusal: str | None
    xnnpack: VerdictSource | str
    metadata: tuple[str, ...]
    uncounted: tuple[Uncounted, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def source(self) -> AskedRuntime | RulesAlone:
        """Whose the verdicts on XNNPACK are."""
        return RulesAlone(rules=self.xnnpack, why=OLDER) if isinstance(self.xnnpack, str) else self.xnnpack

    def count(self, verdict: Verdict) -> int:
        """How many operators XNNPACK has this verdict on, of those that it does not surely take."""
        return sum(refusal.count for refusal in self.refusals if refusal.verdict == verdict)

    @property
    def int8_mac_share(self) -> float | None:
        """Share of the multiply-accumulates in int8, of those that can be counted; None where there are none."""
        return self._macs("int8") / self.macs if self.macs else None

    @property
    def int8_operator_share(self) -> float | None:
        """Share of the operators in int8, conversions left aside; None where nothing else is left."""
        counted = [total for total in self.domains if total.domain != "conversion"]
        operators = sum(total.operators for total in counted)
        int8 = sum(total.operators for total in counted if total.domain == "int8")
        return int8 / operators if operators else None

    def _macs(self, domain: Domain) -> int:
        return sum(total.macs for total in self.domains if total.domain == domain)
