"""The published JSON Schema of the results file."""
