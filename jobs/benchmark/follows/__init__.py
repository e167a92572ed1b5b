"""Whether what was measured follows from its records. Nothing that measures imports it."""
