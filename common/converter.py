"""The only caller of the TFLite converter."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import tensorflow as tf

from common.errors import EdgeproofError
from common.keras_file import said
from common.quiet_import import standard_error_held
from common.schema.convert import Convert

INTEGER_OPERATORS = {
    "int8": tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
    "int16x8": tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
}
INTEGER_TYPES = {"int8": tf.int8, "int16x8": tf.int16}
# Inputs in their order or by name, afresh at every call.
Samples = Callable[[], Iterable[Any]]
# Where an operator stands in what converter and LiteRT say: the operators that LiteRT lacks, one that cannot be
# lowered, one that does not run.
SAID = (
    re.compile(r"^(?:TF Select|Custom) ops: .+$", re.MULTILINE),
    re.compile(r"'tfl?\.\w+' op [^\n]+"),
    re.compile(r"[^\n]*\([A-Z0-9_]+\) failed to (?:invoke|prepare)[^\n]*"),
)
LONGEST = 300


def converted(
    saved_model: Path,
    settings: Convert,
    samples: Samples | None,
    *,
    sparse: bool = False,
    some_float: bool = False,
) -> bytes:
    """The content of a .tflite file of a SavedModel with one signature, in a format of the converter's.

    An integer format is calibrated on `samples`; None for a model that brings its ranges along. `sparse` stores
    kernels without their zeros. With `some_float`, what has no integer kernel stays in float and is not refused.
    Raises whatever TensorFlow raises, of which `refusal` makes a line.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    optimizations = [tf.lite.Optimize.DEFAULT] if settings.format != "float32" else []
    if sparse:
        optimizations.append(tf.lite.Optimize.EXPERIMENTAL_SPARSITY)
    converter.optimizations = optimizations
    if settings.format == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if settings.format in INTEGER_OPERATORS and samples is not None:
        converter.representative_dataset = samples
        if not some_float:
            converter.target_spec.supported_ops = [INTEGER_OPERATORS[settings.format]]
    if settings.integer_io:
        converter.inference_input_type = INTEGER_TYPES[settings.format]
        converter.inference_output_type = INTEGER_TYPES[settings.format]
    # What it says there it says again in the error that it raises.
    with standard_error_held():
        content: bytes = converter.convert()
    return content


def refusal(error: BaseException) -> str:
    """What the converter, or LiteRT with its file, says of the operator that it does not take: one line."""
    text = error.message if isinstance(error, EdgeproofError) else str(error)
    found = next((match.group().strip() for pattern in SAID if (match := pattern.search(text))), None)
    return (found or (text if isinstance(error, EdgeproofError) else said(error)))[:LONGEST]
