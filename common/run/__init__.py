"""A finished run: read, hashed and cross-checked once, and judged by one set of rules."""
