"""Programs that use the chosen file, for its model card. Pure; every name in them is safe in a string."""

from common.schema.tflite import Port
from jobs.choose.package import LABELS

INTEGER_IN = """\
scale, zero_point = given["quantization"]
limits = np.iinfo(given["dtype"])
values = np.clip(np.round(values / scale) + zero_point, limits.min, limits.max).astype(given["dtype"])
"""
INTEGER_OUT = """\
scale, zero_point = wanted["quantization"]
scores = (scores.astype(np.float32) - zero_point) * scale
"""
PYTHON = """\
# python use.py photo.jpg
import sys
import zipfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps

MODEL = "{file}"
labels = zipfile.ZipFile(MODEL).read("{labels}").decode("utf-8").split("\\n")[:-1]
interpreter = Interpreter(MODEL)
interpreter.allocate_tensors()
given, wanted = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
_, height, width, _ = given["shape"]
image = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGB")
values = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), np.float32)[None] / 255
{integer_in}interpreter.set_tensor(given["index"], values)
interpreter.invoke()
scores = interpreter.get_tensor(wanted["index"])[0]
{integer_out}for label, score in sorted(zip(labels, scores), key=lambda pair: -pair[1]):
    print(f"{{score:.4f}} {{label}}")
"""
KOTLIN = """\
// build.gradle.kts: implementation("com.google.mediapipe:tasks-vision:<version>"); {file} in src/main/assets
import com.google.mediapipe.framework.image.BitmapImageBuilder
import com.google.mediapipe.tasks.vision.imageclassifier.ImageClassifier

val classifier = ImageClassifier.createFromFile(context, "{file}")
val result = classifier.classify(BitmapImageBuilder(bitmap).build())
for (category in result.classificationResult().classifications().first().categories()) {{
    Log.i("classifier", "${{category.score()}} ${{category.categoryName()}}")
}}
"""
# What Android's task libraries take as an image (checked against MediaPipe 1.2.2 and tflite-support 0.4.4).
TASK_TYPES = ("float32", "uint8")


def python(file: str, image: Port, scores: Port) -> str:
    """A program that classifies a photo with LiteRT and Pillow."""
    return PYTHON.format(
        file=file,
        labels=LABELS,
        integer_in="" if image.scale is None else INTEGER_IN,
        integer_out="" if scores.scale is None else INTEGER_OUT,
    )


def kotlin(file: str, image: Port) -> str | None:
    """The same on Android with MediaPipe's task library; None where that does not take the file's input."""
    return KOTLIN.format(file=file) if image.dtype in TASK_TYPES else None
