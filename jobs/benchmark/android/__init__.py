"""benchmark_model on an Android device: its command line, its output, its files."""
