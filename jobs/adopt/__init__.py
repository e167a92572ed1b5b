"""A finished .tflite file becomes a variant."""
