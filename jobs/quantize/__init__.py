"""A post-training quantisation of a finished .tflite file becomes a variant."""
