"""What is in a .tflite file: read from the flatbuffer, with numpy and no runtime."""
