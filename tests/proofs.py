"""What is read from a file, with nothing in it but what a test is about."""

from common.schema.tflite import DomainTotal, Proof
from common.tflite.xnnpack import BY_RULE


def proof(*domains: DomainTotal) -> Proof:
    """A file that computes in these domains."""
    return Proof(
        macs=sum(domain.macs for domain in domains),
        weight_bytes=0,
        file_bytes=0,
        deflated_bytes=0,
        domains=domains,
        float_islands=(),
        quantize=0,
        dequantize=0,
        pairs=0,
        refusals=(),
        sparse_refusal=None,
        xnnpack=BY_RULE,
        metadata=(),
    )
