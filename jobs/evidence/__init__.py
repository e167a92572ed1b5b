"""A run as evidence: packed into one archive, and checked by somebody who has nothing but that."""
