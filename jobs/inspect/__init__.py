"""Show what is in any .tflite file, and what two of them differ in."""
